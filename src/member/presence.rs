//! How a member lives in its fleet: it says that it lives and what it holds, and hears what is stored
//! by then.

use std::collections::BTreeSet;

use super::item::Item;
use super::membership::Membership;
use super::operations::Purpose;
use super::parts::Member;
use super::step::MemberStep;
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::Token;
use crate::store::{Beat, Hint, Operation, Pulse};

impl MemberStep<'_> {
    /// Says that this member lives, if it is time or if what it has to say is new.
    pub(super) fn beat_if_due(&mut self) {
        let Some(beat) = self.member.beat() else { return };
        let Some(membership) = &mut self.member.membership else { return };
        if !membership.is_to_say(&beat, self.now) {
            return;
        }
        membership.say(beat.clone());
        self.ask_store(Purpose::Beat, Operation::Beat(beat));
    }

    /// The store has heard the beat, and says what it holds by now.
    pub(super) fn heard(&mut self, pulse: Pulse) {
        let member = &mut *self.member;
        let Some(membership) = &mut member.membership else { return };
        membership.heard(self.now);
        let (me, is_first) = (membership.me(), !membership.has_read());
        let is_other = member.shared.replace_census(me, pulse.census);
        let id = |token: Option<Token>| token.map(|token| token.id);
        let is_read = member.record().map(|record| record.version) == pulse.version
            && id(member.shared.token()) == id(pulse.token)
            && member.shared.serial() == pulse.serial
            && *member.standings.ledger.rows() == pulse.rejections;
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
            membership.repeat(self.now + Member::STORE_PATIENCE);
        }
        // It shows whether the store is out of reach.
        member.work.read_first();
    }

    /// The member is closed: nobody waits for its acknowledgements, or for its lease.
    pub(super) fn leave(&mut self) {
        let Some(membership) = &self.member.membership else { return };
        let me = membership.me();
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
        let has_read = self.membership.as_ref().is_none_or(Membership::has_read);
        has_read || self.shared.is_out()
    }

    /// Reads what is stored, and counts the members for this one.
    pub(super) fn reading(&self) -> Operation {
        Operation::Load(self.membership.as_ref().map(Membership::me))
    }

    /// What this member has to say of itself; nothing while the store is out of reach.
    fn beat(&self) -> Option<Beat> {
        let membership = self.membership.as_ref().filter(|_| !self.shared.is_out())?;
        let (record, entries) = (self.record(), self.credentials.entries());
        // Others wait for the acknowledgement, and it says that the files here are written, too.
        let acked = record.filter(|record| !self.targets.are_behind(record, entries));
        let read = acked.map(|record| record.version);
        let (holds, persists) = (self.held_ids(), self.targets.shared(entries));
        Some(Beat { member: membership.me(), read, holds, persists })
    }

    /// When this member says again that it lives.
    pub(super) fn beat_at(&self) -> Option<Timestamp> {
        self.membership.as_ref().filter(|_| !self.shared.is_out())?.beat_at()
    }

    /// What can be presented here.
    pub(super) fn held_ids(&self) -> BTreeSet<CredentialId> {
        let ids = self.credentials.keyring.ids();
        ids.filter(|id| !self.shared.is_buried(*id)).collect()
    }
}
