//! What a member makes of a record that does not follow the one that it knows: a store may lose writes,
//! or everything.

use super::deletions::Deletion;
use super::item::Item;
use super::step::MemberStep;
use super::work::Pending;
use crate::credential::CredentialId;
use crate::rotation::{Descent, Record, Role, RotationEvent, TokenChange, Write};
use crate::store::{Operation, StoreSnapshot};

impl MemberStep<'_> {
    /// The store was read because of an event, which is taken up again.
    pub(super) fn loaded(&mut self, event: RotationEvent, mut snapshot: StoreSnapshot) {
        let refused = snapshot.token.as_ref().map(|token| token.id);
        if let Some(id) = refused.filter(|id| self.member.tokens.has_seen_refused(*id)) {
            // The store has lost that it was deleted.
            self.delete(Deletion::Token(id));
        }
        let deletions = &self.member.deletions;
        snapshot.token.take_if(|token| deletions.concern(token.id, token.credential));
        if let Some(record) = self.repaired(snapshot.record.as_ref()) {
            let expect = snapshot.record.map(|stored| stored.version);
            let token = snapshot.token.as_ref().map(crate::rotation::Token::from);
            self.member.shared.replace_token(token, snapshot.serial);
            let (record, token) = (Box::new(record), TokenChange::Keep);
            let write = Write { expect, record: (*record).clone(), token, barrier: None };
            let pending = Pending::Repair { event, record };
            return self.operate(pending, Operation::Write(Box::new(write), None));
        }
        self.bury(&event, snapshot.record.as_ref());
        self.adopt(snapshot);
        self.go_on_after_load(event);
    }

    /// The store has again what it had lost.
    pub(super) fn has_repaired(&mut self, event: RotationEvent, record: Record) {
        self.member.shared.replace_record(Some(record), self.now);
        self.go_on_after_load(event);
    }

    fn go_on_after_load(&mut self, event: RotationEvent) {
        if let Some(membership) = &mut self.member.membership {
            membership.read();
        }
        self.member.work.first(event);
        self.share_own();
        self.renew_if_gone();
        self.use_lease();
    }

    /// What is written back to the store, if it has lost what this member knows.
    fn repaired(&mut self, stored: Option<&Record>) -> Option<Record> {
        let known = self.member.record()?;
        match stored.map(|stored| known.descent_of(stored)) {
            Some(Descent::Continuation | Descent::Fork | Descent::Later) => None,
            // Nobody has written since, or the stored one would follow from something else.
            Some(Descent::LostWrites) => Some(known.clone()),
            // As a later incarnation than any that is known, which everybody takes over.
            Some(Descent::Earlier) | None => {
                let known = known.clone();
                Some(known.reborn(stored, self.chance.bits(), self.store_now()))
            }
        }
    }

    /// What is read does not follow from what was known: what this member has read as retired, and
    /// the stored record does not call so, stays retired for it, unless it has just been named.
    fn bury(&mut self, event: &RotationEvent, stored: Option<&Record>) {
        let (Some(known), Some(stored)) = (self.member.record(), stored) else { return };
        if known.descent_of(stored) == Descent::Continuation {
            return;
        }
        let own = known.active;
        let retired = known.retired.iter().map(|it| it.credential);
        let is_buried = |id: &CredentialId| {
            stored.role(*id) != Role::Retired && !event.names(*id) && !self.member.work.names(*id)
        };
        let retired: Vec<CredentialId> = retired.filter(is_buried).collect();
        let is_dead = retired.contains(&stored.active);
        self.member.shared.bury(retired);
        if is_dead && self.member.standings.ledger.proof(own).is_some() {
            // The fleet is offered what is known to work.
            self.member.shared.offer(own);
            let event = RotationEvent::Changed { from: None, to: own };
            self.member.work.push(Item::Rotation(event));
        }
    }
}
