//! This member's place in its fleet: it says that it lives and what it holds, and hears what is
//! stored by then.

use std::collections::BTreeSet;
use std::time::Duration;

use super::item::Item;
use super::operations::Purpose;
use super::parts::Member;
use super::step::MemberStep;
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::{MemberId, Token};
use crate::store::{Beat, Hint, Operation, Pulse};

/// The signs of life of one member.
#[derive(Debug)]
pub(super) struct Membership {
    me: MemberId,
    /// When the next beat is due; none while one is under way.
    beat_at: Option<Timestamp>,
    /// What the latest beat said.
    said: Option<Beat>,
    /// What is stored was read once: nothing is fetched before that.
    has_read: bool,
}

impl Membership {
    /// The time between two beats if nothing changes: two of them may be lost.
    const INTERVAL: Duration = Duration::from_secs(5);

    /// Of a member that says at once that it lives.
    pub(super) fn new(me: MemberId) -> Self {
        Self { me, beat_at: Some(Timestamp::default()), said: None, has_read: false }
    }

    pub(super) fn me(&self) -> MemberId {
        self.me
    }

    /// What is stored was read.
    pub(super) fn read(&mut self) {
        self.has_read = true;
    }

    /// Nobody hears of the beat under way any more.
    pub(super) fn lose(&mut self, now: Timestamp) {
        self.beat_at = Some(now);
    }
}

impl MemberStep<'_> {
    /// Says that this member lives, if it is time or if what it has to say is new.
    pub(super) fn beat_if_due(&mut self) {
        let Some(beat) = self.member.beat() else { return };
        let Some(membership) = &mut self.member.membership else { return };
        let is_new = membership.said.as_ref() != Some(&beat);
        if membership.beat_at.is_none_or(|at| at > self.now && !is_new) {
            return;
        }
        membership.beat_at = None;
        membership.said = Some(beat.clone());
        self.ask_store(Purpose::Beat, Operation::Beat(beat));
    }

    /// The store has heard the beat, and says what it holds by now.
    pub(super) fn heard(&mut self, pulse: Pulse) {
        let member = &mut *self.member;
        let Some(membership) = &mut member.membership else { return };
        membership.beat_at = Some(self.now + Membership::INTERVAL);
        let (me, is_first) = (membership.me, !membership.has_read);
        let is_other = member.shared.replace_members(me, pulse.members);
        let id = |token: Option<Token>| token.map(|token| token.id);
        let is_read = member.record().map(|record| record.version) == pulse.version
            && id(member.shared.token()) == id(pulse.token)
            && member.shared.serial() == pulse.serial;
        if is_first || !is_read {
            member.work.read_first();
        } else if is_other {
            self.enqueue(Item::TICK);
        }
    }

    /// The store may not have heard it.
    pub(super) fn was_not_heard(&mut self) {
        let member = &mut *self.member;
        if let Some(membership) = &mut member.membership {
            membership.beat_at = Some(self.now + Member::STORE_PATIENCE);
        }
        // It shows whether the store is out of reach.
        member.work.read_first();
    }

    /// The member is closed: nobody waits for its acknowledgements, or for its lease.
    pub(super) fn leave(&mut self) {
        let Some(membership) = &self.member.membership else { return };
        let me = membership.me;
        self.ask_store(Purpose::Note, Operation::Leave(me));
        self.release_lease();
    }

    /// Something was written, here or elsewhere.
    pub(super) fn hinted(&mut self, hint: Hint) {
        let member = &mut *self.member;
        let epoch = member.record().map_or(0, |record| record.version.epoch);
        let (serial, has_token) = (member.shared.serial(), member.shared.token().is_some());
        let is_read = (epoch, serial, has_token) == (hint.epoch, hint.serial, hint.has_token);
        if !is_read {
            member.work.read_first();
        }
    }
}

impl Member {
    /// Whether what is stored was read, or is out of reach: nothing is fetched before that.
    pub(super) fn has_read(&self) -> bool {
        let has_read = self.membership.as_ref().is_none_or(|membership| membership.has_read);
        has_read || self.shared.is_out()
    }

    /// What this member has to say of itself; nothing while the store is out of reach.
    fn beat(&self) -> Option<Beat> {
        let membership = self.membership.as_ref().filter(|_| !self.shared.is_out())?;
        let read = self.record().map(|record| record.version);
        Some(Beat { member: membership.me, read, holds: self.held_ids() })
    }

    /// When this member says again that it lives.
    pub(super) fn beat_at(&self) -> Option<Timestamp> {
        self.membership.as_ref().filter(|_| !self.shared.is_out())?.beat_at
    }

    /// What can be presented here.
    pub(super) fn held_ids(&self) -> BTreeSet<CredentialId> {
        let ids = self.credentials.keyring.ids();
        ids.filter(|id| !self.shared.is_buried(*id)).collect()
    }
}
