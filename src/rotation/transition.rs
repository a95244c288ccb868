//! The table of transitions, and the diagram that it makes.

use std::fmt::Write as _;

use super::record::{Phase, Record};

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "TABLE says what each of them is")]
pub enum Transition {
    Started,
    Prepared,
    PreparationEnded,
    Staged,
    Promoted,
    PromotedAfterLeak,
    CandidateRejected,
    AwaitingProof,
    CandidateWithdrawn,
    Substituted,
    FellBack,
    RolledBack,
    Abandoned,
    Retired,
    Overdue,
    Degraded,
    Recovered,
}

/// The name of a phase, without what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseName {
    /// No record exists.
    Starting,
    /// See [`Phase::Stable`].
    Stable,
    /// See [`Phase::Prepared`].
    Prepared,
    /// See [`Phase::Staged`].
    Staged,
    /// See [`Phase::Overlap`].
    Overlap,
    /// See [`Phase::Degraded`].
    Degraded,
}

impl PhaseName {
    /// The phase that a record is in.
    pub fn of(record: Option<&Record>) -> Self {
        match record.map(|record| &record.phase) {
            None => Self::Starting,
            Some(Phase::Stable) => Self::Stable,
            Some(Phase::Prepared(_)) => Self::Prepared,
            Some(Phase::Staged(_)) => Self::Staged,
            Some(Phase::Overlap(_)) => Self::Overlap,
            Some(Phase::Degraded { .. }) => Self::Degraded,
        }
    }
}

/// What a row of the table says of its phases.
#[derive(Debug, Clone, Copy)]
pub struct TransitionRow {
    /// The transition.
    pub transition: Transition,
    /// From and to.
    pub moves: &'static [(PhaseName, PhaseName)],
    /// What happens, in a few words for people.
    pub what: &'static str,
}

impl Transition {
    /// Whether the row has this move.
    pub fn allows(self, from: PhaseName, to: PhaseName) -> bool {
        TABLE.iter().any(|row| row.transition == self && row.moves.contains(&(from, to)))
    }

    /// Whether this move may end the open overlap of `record`: its own, or the one beneath a
    /// candidate (I12).
    #[cfg(test)]
    pub(crate) fn may_end_overlap_of(self, record: &Record) -> bool {
        let ends: &[_] = match record.overlap() {
            Some(_) => {
                &[Self::FellBack, Self::RolledBack, Self::Abandoned, Self::Retired, Self::Degraded]
            }
            None => &[Self::Promoted, Self::PromotedAfterLeak, Self::Substituted],
        };
        ends.contains(&self)
    }
}

/// Every transition that there is. [`step`](super::step) takes no other; a test holds it to that.
pub const TABLE: &[TransitionRow] = {
    use PhaseName::{Degraded, Overlap, Prepared, Stable, Staged, Starting};
    &[
        TransitionRow {
            transition: Transition::Started,
            moves: &[(Starting, Stable)],
            what: "first credential accepted",
        },
        TransitionRow {
            transition: Transition::Prepared,
            moves: &[(Stable, Prepared), (Prepared, Prepared)],
            what: "prepareRotation",
        },
        TransitionRow {
            transition: Transition::PreparationEnded,
            moves: &[(Prepared, Stable)],
            what: "cancelled, over, token gone",
        },
        TransitionRow {
            transition: Transition::Staged,
            moves: &[
                (Stable, Staged),
                (Prepared, Staged),
                (Degraded, Staged),
                (Overlap, Staged),
                (Staged, Staged),
            ],
            what: "new candidate",
        },
        TransitionRow {
            transition: Transition::Promoted,
            moves: &[(Staged, Overlap)],
            what: "proved: promoted",
        },
        TransitionRow {
            transition: Transition::PromotedAfterLeak,
            moves: &[(Staged, Stable)],
            what: "proved, the old one has leaked",
        },
        TransitionRow {
            transition: Transition::CandidateRejected,
            moves: &[(Staged, Stable), (Staged, Degraded), (Staged, Overlap)],
            what: "candidate rejected",
        },
        TransitionRow {
            transition: Transition::AwaitingProof,
            moves: &[(Staged, Staged)],
            what: "no clear answer",
        },
        TransitionRow {
            transition: Transition::CandidateWithdrawn,
            moves: &[(Staged, Stable), (Staged, Degraded), (Staged, Overlap)],
            what: "withdrawn, deadline",
        },
        TransitionRow {
            transition: Transition::Substituted,
            moves: &[(Stable, Stable), (Prepared, Stable), (Staged, Staged)],
            what: "active rejected or held by nobody",
        },
        TransitionRow {
            transition: Transition::FellBack,
            moves: &[(Overlap, Stable)],
            what: "active rejected: a fallback takes over",
        },
        TransitionRow {
            transition: Transition::RolledBack,
            moves: &[(Overlap, Overlap)],
            what: "rolled back",
        },
        TransitionRow {
            transition: Transition::Abandoned,
            moves: &[(Overlap, Stable)],
            what: "nobody holds the active one",
        },
        TransitionRow {
            transition: Transition::Retired,
            moves: &[(Overlap, Stable)],
            what: "previous retired",
        },
        TransitionRow {
            transition: Transition::Overdue,
            moves: &[(Overlap, Overlap)],
            what: "retirement overdue",
        },
        TransitionRow {
            transition: Transition::Degraded,
            moves: &[(Stable, Degraded), (Overlap, Degraded)],
            what: "all rejected",
        },
        TransitionRow {
            transition: Transition::Recovered,
            moves: &[(Degraded, Stable)],
            what: "one is accepted again",
        },
    ]
};

/// The table as a state diagram in mermaid's language, as docs/rotation.md shows it.
pub fn diagram() -> String {
    let mut text = String::from("stateDiagram-v2\n    [*] --> Starting\n");
    for row in TABLE {
        for (from, to) in row.moves {
            let _ = writeln!(text, "    {from:?} --> {to:?}: {}", row.what);
        }
    }
    text
}
