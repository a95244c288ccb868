//! What comes of store operations: nothing of a step is seen before its write is stored.

use std::sync::Arc;

use super::change::Context;
use super::course::Todo;
use super::{Effect, Member, Step, Stored};
use crate::refresh;
use crate::rotation::{self, PhaseName, Record};
use crate::store::{Snapshot, TokenEntry};
use crate::token::{self, FreshToken, HeldToken};
use crate::verdict::{Arrival, Verdict};

/// A store operation under way, and what it is for.
#[derive(Debug)]
pub(super) enum Pending {
    Write { event: rotation::Event, step: Box<rotation::Step>, token: Option<Arc<FreshToken>> },
    Token { token: Arc<FreshToken>, generation: u64 },
    Load(rotation::Event),
}

impl Step<'_> {
    /// Whether a token is handed out as soon as the store has it.
    pub(super) fn awaits_token(&self) -> bool {
        matches!(
            &self.member.pending,
            Some(Pending::Token { .. } | Pending::Write { token: Some(_), .. })
        )
    }

    /// A store operation has ended.
    pub(super) fn stored(&mut self, stored: Stored) {
        let Some(pending) = self.member.pending.take() else { return };
        match (pending, stored) {
            (Pending::Write { step, token, .. }, Stored::Written { serial }) => {
                self.written(*step, token.as_ref(), serial);
            }
            (Pending::Write { event, .. }, _) => self.load(event),
            (Pending::Token { token, generation }, Stored::Written { serial }) => {
                self.share(&token, generation, serial.unwrap_or_default());
            }
            // A newer one is there, or its credential is out of use by now.
            (Pending::Token { .. }, Stored::Refused) => self.load(rotation::Event::Ticked),
            (Pending::Token { token, .. }, _) => {
                // The store may be down; this member goes on.
                self.install(&token, self.member.serial() + 1);
                self.load(rotation::Event::Ticked);
            }
            (Pending::Load(event), Stored::Loaded(snapshot)) => {
                self.adopt(*snapshot);
                self.member.todo.push_front(Todo::Step(event));
            }
            (Pending::Load(event), _) => {
                self.member.pending = Some(Pending::Load(event));
                self.member.retry_at = Some(self.now + Member::STORE_PATIENCE);
            }
        }
    }

    fn load(&mut self, event: rotation::Event) {
        self.member.pending = Some(Pending::Load(event));
        self.effects.push(Effect::Load);
    }

    fn written(
        &mut self,
        step: rotation::Step,
        token: Option<&Arc<FreshToken>>,
        serial: Option<u64>,
    ) {
        let Some(write) = step.write else { return };
        let was = self.member.record.replace(write.record);
        self.note_active(was.as_ref());
        self.narrow_offer();
        if let (Some(token), Some(serial)) = (token, serial) {
            let generation = self.member.record.as_ref().map_or(0, |record| record.generation);
            self.share(token, generation, serial);
        }
        let tried = |record: Option<&Record>| record.and_then(Record::on_trial);
        let new = tried(self.member.record.as_ref());
        if let Some(new) = new.filter(|it| tried(was.as_ref()) != Some(*it)) {
            // It may be of the same instant, and was not looked at as a candidate's is.
            self.member.view.ledger.forget_proof(new);
            self.member.doubt.take_if(|doubt| doubt.credential == new);
        }
        self.member.remember_overlap(was.as_ref());
        let from = PhaseName::of(was.as_ref());
        let mut effects = step.effects;
        let moves = effects.extract_if(.., |effect| {
            matches!(effect, rotation::Effect::Notify(rotation::Notice::Moved(_)))
        });
        let moves: Vec<_> = moves.collect();
        // Why a candidate was given up is forgotten with it.
        let before = self.effects.len();
        for effect in moves {
            if let rotation::Effect::Notify(notice) = effect {
                self.tell_change(&notice, Context { from, was: was.as_ref() });
            }
        }
        self.tell_retirement_beneath(was.as_ref());
        let told = self.effects.split_off(before);
        self.member.show();
        self.replace_variables(was.as_ref());
        self.effects.extend(told);
        self.follow(effects);
    }

    fn note_active(&mut self, was: Option<&Record>) {
        let active = |record: Option<&Record>| record.map(|record| record.active);
        if active(was) != active(self.member.record.as_ref()) {
            self.member.active_since = self.now;
        }
    }

    /// A token is the fleet's from now on.
    fn share(&mut self, token: &Arc<FreshToken>, generation: u64, serial: u64) {
        let (credential, expires_at) = (token.credential.id(), token.expires_at);
        let shared = rotation::Token { credential, generation, serial, expires_at };
        self.member.view.token = Some(shared);
        self.member.store_serial = serial;
        if self.member.invalidated.as_ref().is_some_and(|gone| Arc::ptr_eq(gone, token)) {
            // A resource has refused it before it was stored.
            self.effects.push(Effect::Forget(serial));
            self.token_is_gone();
        } else {
            self.install(token, serial);
        }
    }

    /// Hands a token out, unless it is handed out already, or a later one of the same credential is.
    pub(super) fn install(&mut self, token: &Arc<FreshToken>, serial: u64) {
        let held = self.member.refresh.token(self.now);
        let is_held = held.is_some_and(|held| {
            Arc::ptr_eq(&held.token, token)
                || held.credential.is_same_as(&token.credential)
                    && held.received_at > token.received_at
        });
        let is_invalid = |one: &Arc<FreshToken>| Arc::ptr_eq(one, token);
        let is_invalid = self.member.invalidated.as_ref().is_some_and(is_invalid);
        if is_held || is_invalid || token.usable_until <= self.now {
            return;
        }
        // A store that lost a token counts behind what was handed out here.
        let serial = serial.max(self.member.refresh.last_serial() + 1);
        let token = Arc::new(HeldToken { serial, token: Arc::clone(token) });
        self.tell_refresh(refresh::Event::Obtained(token));
    }

    /// Takes over what the store holds.
    fn adopt(&mut self, snapshot: Snapshot) {
        let Snapshot { record, token, serial, .. } = snapshot;
        let was = std::mem::replace(&mut self.member.record, record);
        self.note_active(was.as_ref());
        self.narrow_offer();
        let known_serial = std::mem::replace(&mut self.member.store_serial, serial);
        self.member.remember_overlap(was.as_ref());
        self.member.view.token = token.as_ref().map(rotation::Token::from);
        self.member.show();
        self.replace_variables(was.as_ref());
        if let Some(token) = token {
            self.adopt_token(token, known_serial);
        }
        let held = self.member.refresh.token(self.now).filter(|held| held.credential.has_id());
        let leaked = held.map(|held| held.credential.id()).filter(|id| {
            self.member.record.as_ref().is_some_and(|record| !record.may_use_token_of(*id))
        });
        if let Some(id) = leaked {
            self.drop_tokens(id);
        }
    }

    /// Hands the store's token out, if it was not there when the store was last read.
    fn adopt_token(&mut self, token: TokenEntry, known_serial: u64) {
        let held = self.member.refresh.token(self.now);
        let is_known =
            held.is_some_and(|held| token.serial <= known_serial || held.text == token.text);
        // It was read before it was deleted.
        let is_invalid =
            |one: &Arc<FreshToken>| one.text == token.text && one.expires_at == token.expires_at;
        if self.member.invalidated.as_ref().is_some_and(is_invalid) {
            return;
        }
        if is_known {
            return;
        }
        // It may have been written here, though the store's answer was lost.
        let own = self.member.obtained.get(&token.credential).map(Arc::clone);
        if let Some(own) = own.filter(|own| own.text == token.text) {
            return self.install(&own, token.serial);
        }
        let credential = self.member.keyring.get(token.credential).map(Arc::clone);
        let Some(credential) = credential else { return };
        let lifetime = token.expires_at.since(token.issued_at);
        let access_token = token.text;
        let grant = token::Grant { access_token, lifetime, refresh_in: None, scope: None };
        let verdict = self.schedule(&credential, grant, token.issued_at);
        if let Verdict::Accepted(Arrival { token: fresh, .. }) = verdict {
            self.install(&fresh, token.serial);
        }
    }
}

impl Member {
    /// The serial of the token that is held or was shared last.
    pub(super) fn serial(&self) -> u64 {
        self.refresh.last_serial().max(self.store_serial)
    }

    /// The serial that the store knows a token by; it is another one after the store was out of reach.
    pub(super) fn serial_in_store(&self, held: &HeldToken) -> u64 {
        let shared = self.view.token.filter(|shared| {
            shared.expires_at == held.expires_at
                && held.credential.has_id()
                && shared.credential == held.credential.id()
        });
        shared.map_or(held.serial, |shared| shared.serial)
    }
}
