//! What every step of a member is held to.

use std::collections::BTreeSet;

use crate::credential::CredentialId;
use crate::rotation::*;

/// A step takes only moves that the table has, and no credential has two roles.
pub(super) fn check_moves(before: Option<&Record>, done: &RotationStep) {
    let from = PhaseName::of(before);
    let after = done.write.as_ref().map(|write| &write.record).or(before);
    let mut reached = BTreeSet::from([from]);
    for transition in &done.transitions {
        let row = TABLE.iter().find(|row| row.transition == *transition).expect("a row");
        let moves = row.moves.iter().filter(|(from, _)| reached.contains(from));
        reached = moves.map(|(_, to)| *to).collect();
    }
    let to = PhaseName::of(after);
    assert!(reached.contains(&to), "{from:?} to {to:?} by {:?}", done.transitions);
    if let Some(record) = after {
        let all = all_roles(record);
        let unique: BTreeSet<CredentialId> = all.iter().copied().collect();
        assert_eq!(all.len(), unique.len(), "a credential has two roles: {record:?}");
    }
}

/// Every credential in every role but the waiting one, which may have another besides.
fn all_roles(record: &Record) -> Vec<CredentialId> {
    let mut all = vec![record.active];
    all.extend(record.staged().map(|staged| staged.next));
    all.extend(record.overlap().map(|overlap| overlap.previous));
    all.extend(&record.standby);
    all.extend(record.quarantined.iter().map(|known| known.credential));
    all.extend(record.retired.iter().map(|known| known.credential));
    all
}
