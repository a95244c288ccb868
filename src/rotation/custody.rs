//! Who keeps a credential beyond the process that proved it.

use super::effect::Persisted;
use super::record::{Record, Sink};
use super::view::View;
use crate::credential::CredentialId;

/// What keeps a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Custody {
    /// A source here yields it: it is there again after a restart.
    Source,
    /// It lies sealed in the store.
    Sealed,
    /// Another live member holds it.
    Member,
    /// A sink acknowledged it.
    Sink,
}

/// What keeps the credential, which is the active or the next one, if anything does.
///
/// `process.env` is never custody, so no driver lists such a sink as acknowledged for this.
pub(super) fn of(record: &Record, view: &View, credential: CredentialId) -> Option<Custody> {
    if let Some(fleet) = &view.fleet {
        if fleet.sealed.contains(&credential) {
            return Some(Custody::Sealed);
        }
        let others = fleet.members.rows.iter().filter(|(id, _)| Some(**id) != fleet.me);
        if others.into_iter().any(|(_, member)| member.holds.contains(&credential)) {
            return Some(Custody::Member);
        }
    }
    let is_service = view.fleet.as_ref().is_none_or(|fleet| fleet.me.is_some());
    let is_yielded = view.configured.contains(&credential) && !view.fleeting.contains(&credential);
    if is_service && is_yielded {
        return Some(Custody::Source);
    }
    record.sinks.values().any(|sink| *sink == Sink::Done).then_some(Custody::Sink)
}

/// Whether the active credential has been written back.
pub(super) fn persisted(record: &Record) -> Persisted {
    let mut sinks = record.sinks.values().peekable();
    if sinks.peek().is_none() {
        Persisted::None
    } else if record.sinks.values().any(|sink| matches!(sink, Sink::Pending { .. })) {
        Persisted::Pending
    } else if sinks.any(|sink| *sink == Sink::Done) {
        Persisted::Done
    } else {
        Persisted::Impossible
    }
}

impl Record {
    /// Whether the active credential has been written back.
    pub fn persisted(&self) -> Persisted {
        persisted(self)
    }

    /// Whether something else than the memory of one process keeps the active credential.
    pub fn is_kept(&self, view: &View) -> bool {
        of(self, view, self.active).is_some()
    }
}
