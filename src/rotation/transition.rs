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
pub struct Row {
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
pub const TABLE: &[Row] = {
    use PhaseName::{Degraded, Overlap, Prepared, Stable, Staged, Starting};
    &[
        Row {
            transition: Transition::Started,
            moves: &[(Starting, Stable)],
            what: "first credential accepted",
        },
        Row {
            transition: Transition::Prepared,
            moves: &[(Stable, Prepared), (Prepared, Prepared)],
            what: "prepareRotation",
        },
        Row {
            transition: Transition::PreparationEnded,
            moves: &[(Prepared, Stable)],
            what: "cancelled, over, token gone",
        },
        Row {
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
        Row {
            transition: Transition::Promoted,
            moves: &[(Staged, Overlap)],
            what: "proved: promoted",
        },
        Row {
            transition: Transition::PromotedAfterLeak,
            moves: &[(Staged, Stable)],
            what: "proved, the old one has leaked",
        },
        Row {
            transition: Transition::CandidateRejected,
            moves: &[(Staged, Stable), (Staged, Degraded), (Staged, Overlap)],
            what: "candidate rejected",
        },
        Row {
            transition: Transition::AwaitingProof,
            moves: &[(Staged, Staged)],
            what: "no clear answer",
        },
        Row {
            transition: Transition::CandidateWithdrawn,
            moves: &[(Staged, Stable), (Staged, Degraded), (Staged, Overlap)],
            what: "withdrawn, deadline",
        },
        Row {
            transition: Transition::Substituted,
            moves: &[(Stable, Stable), (Prepared, Stable), (Staged, Staged)],
            what: "active rejected or held by nobody",
        },
        Row {
            transition: Transition::FellBack,
            moves: &[(Overlap, Stable)],
            what: "active rejected: a fallback takes over",
        },
        Row {
            transition: Transition::RolledBack,
            moves: &[(Overlap, Overlap)],
            what: "rolled back",
        },
        Row {
            transition: Transition::Abandoned,
            moves: &[(Overlap, Stable)],
            what: "nobody holds the active one",
        },
        Row {
            transition: Transition::Retired,
            moves: &[(Overlap, Stable)],
            what: "previous retired",
        },
        Row {
            transition: Transition::Overdue,
            moves: &[(Overlap, Overlap)],
            what: "retirement overdue",
        },
        Row {
            transition: Transition::Degraded,
            moves: &[(Stable, Degraded), (Overlap, Degraded)],
            what: "all rejected",
        },
        Row {
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
