//! Members by name, as people are told of them.

use crate::rotation::{Barrier, MemberId, MemberTable};

/// Members by name, at most [`NamedMembers::MOST`] of each kind; none where nobody could be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedMembers {
    /// They had not seen the promotion.
    pub behind: Vec<MemberId>,
    /// They did not hold the credential that the retirement waits for.
    pub without: Vec<MemberId>,
}

impl NamedMembers {
    /// So many members are named.
    pub const MOST: usize = 32;

    /// Those that a barrier waits for.
    pub(super) fn of(barrier: &Barrier, members: &MemberTable) -> Self {
        let rows = || members.rows.iter();
        let behind = rows().filter(|(_, row)| barrier.is_behind(row)).map(|(id, _)| *id);
        let without = rows().filter(|(_, row)| barrier.is_without(row)).map(|(id, _)| *id);
        Self {
            behind: behind.take(Self::MOST).collect(),
            without: without.take(Self::MOST).collect(),
        }
    }
}
