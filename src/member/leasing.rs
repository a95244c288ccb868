//! The right to ask the endpoint, which one member of a fleet has at a time.
//!
//! Whoever has acquired it reads what is stored before it sends anything: what it wanted may be
//! there by now.

use std::sync::Arc;

use super::item::Item;
use super::lease::{Flight, LeaseHold, LeaseState};
use super::operations::Purpose;
use super::parts::Member;
use super::step::MemberStep;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::refresh::RefreshEvent;
use crate::store::{self, LEASE_TTL, Operation};
use crate::verdict::Verdict;

impl MemberStep<'_> {
    /// Sends a token request as soon as this member may.
    pub(super) fn request(&mut self, credential: &Arc<Credential>, flight: Option<u64>) {
        if self.member.membership.is_none() || self.member.lease.is_held() {
            return self.send(credential, flight);
        }
        self.member.lease.wait(credential, flight);
        if flight.is_some() {
            self.member.lease.alone_at = self.alone_at();
        }
    }

    /// When a refresh goes on without the lease: where the store is out of reach, and where callers
    /// wait for less time than a dead holder may cost.
    fn alone_at(&mut self) -> Option<Timestamp> {
        let runway = self.member.token(self.now).map(|held| held.runway(self.now));
        if self.member.shared.is_out() {
            let longest = LeaseHold::JITTER.min(runway.unwrap_or_default() / 4);
            return Some(self.now + longest.mul_f64(self.chance.ratio()));
        }
        let timeout = self.member.policy.acquire_timeout;
        let is_urgent = timeout < LeaseHold::PATIENT || self.member.is_for_itself();
        (runway.is_none() && is_urgent).then_some(self.now + timeout / 2)
    }

    /// Asks for the lease, renews it, does without it or gives it up, whatever is due.
    pub(super) fn look_after_lease(&mut self) {
        if self.member.membership.is_none() {
            return;
        }
        if self.member.shared.is_out() {
            self.do_without_lease();
        }
        let is_out = self.member.shared.is_out();
        // What is rejected already is followed by the next one.
        while self.member.lease.alone_at.take_if(|at| *at <= self.now).is_some() {
            if is_out {
                self.send_flight();
            } else {
                self.member.lease.is_alone = true;
                self.member.work.read_first();
            }
        }
        if is_out {
            return;
        }
        let Member { lease, shared, clock, .. } = &mut *self.member;
        if lease.state == LeaseState::Free && lease.is_awaited() {
            lease.nonce = self.chance.bits();
            lease.want(shared.cool_down(clock.now(self.now)).map_or(self.now, |at| clock.own(at)));
        }
        self.give_lease_up();
        if let Some((purpose, operation)) = self.member.lease.take_due(self.now) {
            self.ask_store(purpose, operation);
        }
    }

    /// The store cannot say whose turn it is.
    fn do_without_lease(&mut self) {
        let lease = &mut self.member.lease;
        (lease.state, lease.refusals) = (LeaseState::Free, 0);
        // No phase advances, so nothing is proved.
        lease.probes.clear();
        if lease.flight.is_some() && lease.alone_at.is_none() {
            self.member.lease.alone_at = self.alone_at();
        }
    }

    fn send_flight(&mut self) {
        let lease = &mut self.member.lease;
        (lease.alone_at, lease.is_alone) = (None, false);
        let Some(Flight { flight, credential }) = lease.flight.take() else { return };
        if !self.member.refresh().awaits(flight) {
            return;
        }
        let allowed = self.member.presentable();
        if !allowed.iter().any(|one| one.is_same_as(&credential)) {
            return self.tell_refresh(RefreshEvent::Withdrawn { flight });
        }
        if self.is_known_rejected(&credential) {
            let verdict = Arc::new(Verdict::Rejected(rejected_elsewhere()));
            return self.tell_refresh(RefreshEvent::Answered { flight, verdict });
        }
        self.send(&credential, Some(flight));
    }

    /// Gives the lease up once it is of no use any more.
    fn give_lease_up(&mut self) {
        let Member { lease, work, .. } = &mut *self.member;
        if lease.is_awaited() || work.has_requests() || !work.is_done() {
            return;
        }
        self.release_lease();
    }

    /// Gives the lease up, whatever waits for it.
    pub(super) fn release_lease(&mut self) {
        let lease = &mut self.member.lease;
        let was = std::mem::replace(&mut lease.state, LeaseState::Free);
        if matches!(was, LeaseState::Held { .. }) {
            let nonce = lease.nonce;
            self.ask_store(Purpose::Note, Operation::Release(nonce));
        }
    }

    /// The store has said whose the lease is.
    pub(super) fn has_asked_for_lease(&mut self, nonce: u64, answer: Option<store::Lease>) {
        let Member { lease, clock, work, .. } = &mut *self.member;
        if lease.nonce != nonce || lease.state != LeaseState::Wanted(None) {
            // It is of no use any more; a reply that is lost costs others its whole term.
            if matches!(answer, Some(store::Lease::Acquired { .. })) {
                self.ask_store(Purpose::Note, Operation::Release(nonce));
            }
            return;
        }
        match answer {
            Some(store::Lease::Acquired { .. }) => {
                lease.acquire(self.now);
                work.read_again();
            }
            Some(store::Lease::Held { until }) => {
                // One that lasts longer than any lease is a mistake.
                let until = clock.due(until, self.now).min(self.now + LEASE_TTL);
                let gap = LeaseHold::GAP * 2_u32.pow(lease.refusals.min(5));
                lease.refusals += 1;
                // Not all at once; and whoever has it may give it up at any moment.
                let gap = gap.mul_f64(0.5 + self.chance.ratio());
                lease.want(until.min(self.now + gap).max(self.now + LeaseHold::GAP / 2));
            }
            None => {
                lease.want(self.now + Member::STORE_PATIENCE);
                work.read_first();
            }
        }
    }

    /// The store has said whether this member still has the lease, or has not answered.
    pub(super) fn has_renewed_lease(&mut self, nonce: u64, is_held: Option<bool>) {
        let lease = &mut self.member.lease;
        match &mut lease.state {
            _ if lease.nonce != nonce => {}
            // What is under way goes on: the store compares what comes of it.
            LeaseState::Held { .. } if is_held == Some(false) => lease.state = LeaseState::Free,
            LeaseState::Held { renewal, .. } => *renewal = Some(self.now + LeaseHold::RENEWAL),
            LeaseState::Free | LeaseState::Wanted(_) => {}
        }
    }

    /// What is stored was read: what is still wanted may be sent, if the lease is here.
    pub(super) fn use_lease(&mut self) {
        let Member { lease, tokens, .. } = &mut *self.member;
        // The credential lifecycle says again what it wants presented.
        lease.probes.clear();
        if lease.flight.as_ref().is_some_and(|it| !tokens.refresh.awaits(it.flight)) {
            (lease.flight, lease.alone_at, lease.is_alone) = (None, None, false);
        }
        if lease.is_alone {
            self.send_flight();
        }
        let Member { lease, shared, clock, work, .. } = &mut *self.member;
        if matches!(work.next_item(), Some(Item::Load)) {
            // It may have been acquired after this was asked for.
            return;
        }
        let LeaseState::Held { has_read: has_read @ false, .. } = &mut lease.state else { return };
        if shared.cool_down(clock.now(self.now)).is_some() {
            // It was asked for before the pause was known.
            return self.release_lease();
        }
        *has_read = true;
        self.send_flight();
    }

    /// Whether the fleet knows that a credential is rejected, and when it is worth another request.
    fn is_known_rejected(&self, credential: &Credential) -> bool {
        credential.has_id()
            && self.member.standings.is_rejected(credential)
            && self.member.retry_at(credential.id(), self.now) > self.now
    }
}

/// Why a request is not sent that another member has sent before.
fn rejected_elsewhere() -> Failure {
    Failure::new(
        Code::CredentialRejected,
        "The token endpoint has rejected this credential in another process a moment ago.",
    )
}

impl Member {
    /// When something becomes due of the lease.
    pub(super) fn lease_wake_at(&self) -> Option<Timestamp> {
        let asks_at = self.lease.asks_at().filter(|_| !self.shared.is_out());
        asks_at.into_iter().chain(self.lease.alone_at).min()
    }
}
