//! What bounds a search.

/// How much of everything happens at most. Only that ten minutes pass is not bounded: it
/// repeats itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Bounds {
    /// Members of the fleet.
    pub(super) peers: usize,
    /// Sources that change: to B, to C, and back.
    pub(super) edges: u8,
    /// Callers that hand B over without a source.
    pub(super) calls: u8,
    /// Preparations, leaks.
    pub(super) operators: u8,
    /// Callers that hand D over, which takes the place of whatever is open.
    pub(super) supersedes: u8,
    /// Members that die; each may start again, also with its first configuration.
    pub(super) crashes: u8,
    /// Secrets that die.
    pub(super) deaths: u8,
    /// Answers that say nothing.
    pub(super) unclear: u8,
    /// A store that loses its latest write.
    pub(super) failovers: u8,
    /// A store that loses everything.
    pub(super) flushes: u8,
    /// Leases that end although their holder has a request under way.
    pub(super) lapses: u8,
    /// Members that end as they should, and start again with D alone.
    pub(super) redeploys: u8,
    /// Members that are cut off from the store for longer than they count as live.
    pub(super) naps: u8,
    /// Times that a few seconds pass; each makes other distances between all moments.
    pub(super) pauses: u8,
}
