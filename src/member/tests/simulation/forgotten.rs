//! Nothing that the endpoint has accepted is forgotten while it may be all that is left.

use std::time::Duration;

use super::SECOND;
use super::outside::Outside;
use super::provider::{Key, Kind};
use crate::credential::CredentialId;
use crate::error::Code;
use crate::member::tests::peripherals::Process;
use crate::refresh::TokenRefusal;
use crate::rotation::{Record, Role};

/// A call that has waited so long is not refused before everything was tried.
const WAITED: Duration = Duration::from_secs(5);

impl Outside {
    /// A caller of `getToken` gets none: everything that the endpoint has accepted was tried.
    pub(super) fn check_forgotten(
        &mut self,
        process: &Process,
        waited: Duration,
        refusal: Option<&TokenRefusal>,
    ) {
        let Some(TokenRefusal::Unavailable { cause, .. }) = refusal else { return };
        let is_hopeless = cause
            .as_ref()
            .is_some_and(|cause| matches!(cause.code, Code::Degraded | Code::CredentialRejected));
        let memory = &self.history.memory;
        let is_unclear = memory.is_still_unclear(self.now);
        let is_waiting =
            process.under_way.values().any(|sent| sent.sent_at + 2 * SECOND < self.now);
        let is_blind = self.regime.store_faults > 0;
        let is_paused = self.is_paused(process);
        if waited < WAITED && !is_hopeless || is_unclear || is_paused || is_waiting || is_blind {
            return;
        }
        self.counts.refusals += 1;
        let known = self.history.accepted.keys().filter(|id| self.is_to_be_tried(process, **id));
        let forgotten = known.filter(|id| {
            let is_being =
                process.under_way.values().any(|sent| Key::of(&sent.credential).id() == **id);
            !is_being && !memory.is_tried(**id)
        });
        let forgotten: Vec<_> = forgotten.collect();
        assert!(
            forgotten.is_empty(),
            "{forgotten:?} was accepted, and not tried since there is no token: {cause:?}"
        );
    }

    /// The endpoint asked to be left alone, and nothing answered since. That holds although the token
    /// was lost meanwhile.
    fn is_paused(&self, process: &Process) -> bool {
        let last = process.member.refresh().last_failure();
        let pause = last.and_then(|(failure, at)| Some(*at + failure.retry_after?.mul_f64(1.1)));
        pause.is_some_and(|until| self.now < until + WAITED)
    }

    fn is_to_be_tried(&self, process: &Process, id: CredentialId) -> bool {
        let memory = &self.history.memory;
        let is_useless = memory.is_useless(id);
        if is_useless || self.history.denied.contains_key(&id) || self.history.retired.contains(&id)
        {
            return false;
        }
        let record = process.member.record();
        let role = record.map_or(Role::Unknown, |record| record.role(id));
        let is_dropped = role == Role::Unknown
            && (memory.has_successor(id, &self.history.accepted)
                || record.is_some_and(|record| record.standby.len() >= Record::MOST_STRAYS));
        // One that was given up for its scope is not what anybody waits for.
        let key = memory.key(id);
        let is_narrow = key.is_some_and(|key| self.provider.kind(key) == Kind::Narrow);
        role != Role::Retired && !is_dropped && !(is_narrow && role == Role::Quarantined)
    }
}
