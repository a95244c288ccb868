//! The members that keep the previous credential from being retired, as people were last told of
//! them by name.

use crate::rotation::{CallerId, MemberTable, Missing, Overlap};

/// Names that were asked for.
#[derive(Debug, Default)]
pub(super) struct Laggards {
    /// The overlap whose end they were in the way of, by its epoch, and the table.
    seen: Option<(u64, MemberTable)>,
}

/// Who is told once the names are known.
#[derive(Debug)]
pub(super) enum Naming {
    /// A caller whose retirement is blocked.
    Call(CallerId, Missing),
    /// Those who listen: the retirement is overdue.
    Notice(Missing),
}

impl Naming {
    pub(super) fn missing(&self) -> &Missing {
        let (Self::Call(_, missing) | Self::Notice(missing)) = self;
        missing
    }
}

impl Laggards {
    /// The members were named.
    pub(super) fn replace(&mut self, overlap: Option<&Overlap>, members: MemberTable) {
        self.seen = overlap.map(|overlap| (overlap.epoch, members));
    }

    /// The members as they were named while that overlap was open.
    pub(super) fn of(&self, overlap: &Overlap) -> Option<&MemberTable> {
        let seen = self.seen.as_ref().filter(|(epoch, _)| *epoch == overlap.epoch);
        seen.map(|(_, members)| members)
    }
}
