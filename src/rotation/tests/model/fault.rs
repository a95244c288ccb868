//! The invariants, by what breaks them.

/// An invariant that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fault {
    /// Presented after its retirement was read.
    I2,
    /// Two members ask the endpoint at once.
    I3,
    /// An epoch that was seen has fallen, or a record was forked without need.
    I4,
    /// Retired while the other one was not proved.
    I6,
    /// Active without a token of its own.
    I7,
    /// The token went back.
    I8,
    /// A second rotation in flight.
    I11,
    /// An overlap that ended by a new candidate.
    I12,
    /// A phase or a role that changed without a reason.
    I18,
    /// Promoted while only a process that may die held it.
    I21,
    /// Retired while a live member lacked its successor or did not know of it.
    Barrier,
    /// The active credential was presented although a person may be replacing it.
    Runway,
}
