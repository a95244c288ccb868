//! What comes of store operations: nothing of a step is seen before its write is stored.

use std::sync::Arc;

use super::effect::MemberEffect;
use super::event::Stored;
use super::notices::Context;
use super::parts::Member;
use super::step::MemberStep;
use super::work::Pending;
use crate::rotation::{self, PhaseName, Record};
use crate::store::{StoreSnapshot, TokenEntry};
use crate::token::{FreshToken, Grant};
use crate::verdict::{Arrival, Verdict};

impl MemberStep<'_> {
    /// A store operation has ended.
    pub(super) fn stored(&mut self, stored: Stored) {
        let Some(pending) = self.member.work.end() else { return };
        match (pending, stored) {
            (Pending::Write { step, token, .. }, Stored::Written { serial }) => {
                self.written(*step, token.as_ref(), serial);
            }
            (Pending::Write { event, .. }, _) => self.load(event),
            (Pending::Token { token, generation }, Stored::Written { serial }) => {
                self.share(&token, generation, serial.unwrap_or_default());
            }
            // A newer one is there, or its credential is out of use by now.
            (Pending::Token { .. }, Stored::Refused) => self.load(rotation::RotationEvent::Ticked),
            (Pending::Token { token, .. }, _) => {
                // The store may be down; this member goes on.
                self.install(&token, self.member.serial() + 1);
                self.load(rotation::RotationEvent::Ticked);
            }
            (Pending::Load(event), Stored::Loaded(snapshot)) => {
                self.adopt(*snapshot);
                self.member.work.first(event);
            }
            (Pending::Load(event), _) => {
                self.member.work.begin(Pending::Load(event));
                self.member.shared.retry(self.now + Member::STORE_PATIENCE);
            }
        }
    }

    fn load(&mut self, event: rotation::RotationEvent) {
        self.member.work.begin(Pending::Load(event));
        self.effects.push(MemberEffect::Load);
    }

    /// A step has taken place: its record counts, and its effects follow.
    fn written(
        &mut self,
        step: rotation::RotationStep,
        token: Option<&Arc<FreshToken>>,
        serial: Option<u64>,
    ) {
        let Some(write) = step.write else { return };
        let generation = write.record.generation;
        let was = self.member.shared.replace_record(Some(write.record), self.now);
        self.narrow_offer();
        if let (Some(token), Some(serial)) = (token, serial) {
            self.share(token, generation, serial);
        }
        let Member { shared, standings, rotations, .. } = &mut *self.member;
        let on_trial = |record: Option<&Record>| record.and_then(Record::on_trial);
        let new = on_trial(shared.record());
        if let Some(new) = new.filter(|it| on_trial(was.as_ref()) != Some(*it)) {
            // It may be of the same instant, and was not looked at as a candidate's is.
            standings.begin_trial(new);
        }
        rotations.remember(was.as_ref(), shared.record());
        let from = PhaseName::of(was.as_ref());
        let mut effects = step.effects;
        let moves = effects.extract_if(.., |effect| {
            matches!(effect, rotation::RotationEffect::Notify(rotation::RotationNotice::Moved(_)))
        });
        let moves: Vec<_> = moves.collect();
        // Why a candidate was given up is forgotten with it.
        let before = self.effects.len();
        for effect in moves {
            if let rotation::RotationEffect::Notify(notice) = effect {
                self.tell_change(&notice, Context { from, was: was.as_ref() });
            }
        }
        self.tell_retirement_beneath(was.as_ref());
        let told = self.effects.split_off(before);
        self.member.prune();
        self.replace_variables(was.as_ref());
        self.effects.extend(told);
        self.member.work.follow(effects);
    }

    /// A token is the fleet's from now on.
    fn share(&mut self, token: &Arc<FreshToken>, generation: u64, serial: u64) {
        let (credential, expires_at) = (token.credential.id(), token.expires_at);
        let shared = rotation::Token { credential, generation, serial, expires_at };
        self.member.shared.share(shared);
        if self.member.tokens.is_invalidated(token) {
            // A resource has refused it before it was stored.
            self.effects.push(MemberEffect::Forget(serial));
            self.token_is_gone();
        } else {
            self.install(token, serial);
        }
    }

    /// Takes over what the store holds.
    fn adopt(&mut self, snapshot: StoreSnapshot) {
        let StoreSnapshot { record, token, serial, .. } = snapshot;
        let was = self.member.shared.replace_record(record, self.now);
        self.narrow_offer();
        let Member { shared, rotations, .. } = &mut *self.member;
        let shared_token = token.as_ref().map(rotation::Token::from);
        let known_serial = shared.replace_token(shared_token, serial);
        rotations.remember(was.as_ref(), shared.record());
        self.member.prune();
        self.replace_variables(was.as_ref());
        if let Some(token) = token {
            self.adopt_token(token, known_serial);
        }
        let held = self.member.tokens.held_of(self.now).map(|(credential, _)| credential);
        let record = self.member.record();
        let leaked = held.filter(|id| record.is_some_and(|it| !it.may_use_token_of(*id)));
        if let Some(id) = leaked {
            self.drop_tokens(id);
        }
    }

    /// Hands the store's token out, if it was not there when the store was last read.
    fn adopt_token(&mut self, token: TokenEntry, known_serial: u64) {
        let Member { tokens, credentials, .. } = &*self.member;
        if !tokens.is_new(&token, known_serial, self.now) {
            return;
        }
        // It may have been written here, though the store's answer was lost.
        let own = tokens.of(token.credential).filter(|own| own.text == token.text).cloned();
        if let Some(own) = own {
            return self.install(&own, token.serial);
        }
        let credential = credentials.keyring.get(token.credential).map(Arc::clone);
        let Some(credential) = credential else { return };
        let lifetime = token.expires_at.since(token.issued_at);
        let grant = Grant { access_token: token.text, lifetime, refresh_in: None, scope: None };
        let verdict = self.schedule(&credential, grant, token.issued_at);
        if let Verdict::Accepted(Arrival { token: fresh, .. }) = verdict {
            self.install(&fresh, token.serial);
        }
    }
}
