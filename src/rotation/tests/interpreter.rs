//! The interpreter of effects: a member takes a step, as its driver would have it do.

use super::ground::Ground;
use super::moves::check_moves;
use crate::rotation::*;

/// Tells a member something, and performs everything that follows.
pub(super) fn tell(ground: &mut impl Ground, peer: usize, event: &RotationEvent) {
    for _ in 0..3 {
        let (view, now) = (ground.view(peer), ground.now());
        let record = ground.last_read(peer);
        let done = step(record, &view, event, now);
        check_moves(record, &done);
        if let Some(write) = &done.write {
            let before = ground.shelf().clone();
            if ground.shelf().write(write, now).is_err() {
                if ground.loses(peer) {
                    continue;
                }
                return;
            }
            ground.writes(peer, &before, &done);
        }
        ground.takes(&done.transitions);
        for effect in done.effects {
            perform(ground, peer, effect);
        }
        ground.sees_rest(done.write.is_some());
        return;
    }
    panic!("a member alone cannot lose three times");
}

fn perform<G: Ground>(ground: &mut G, peer: usize, effect: RotationEffect) {
    match effect {
        RotationEffect::Probe(credential) => ground.probes(peer, credential),
        RotationEffect::Serve { credential, generation } => {
            let view = ground.view(peer);
            let read = view.token.map_or(0, |token| token.serial);
            let proof = view.ledger.proof(credential).expect("a proof");
            let before = ground.shelf().token;
            if ground.shelf().serve(credential, generation, read, proof.expires_at) {
                ground.serves(peer, before);
            }
        }
        RotationEffect::DropTokens(credential) => ground.shelf().drop_tokens(credential),
        RotationEffect::Persist { target, credential } => {
            if let Some(outcome) = ground.persists(peer, target, credential) {
                tell(ground, peer, &RotationEvent::Persisted { target, credential, outcome });
            }
        }
        RotationEffect::Keep(caller) => {
            let callers = ground.callers(peer);
            callers.retain(|known| known.id != caller.id);
            callers.push(caller);
        }
        RotationEffect::Answer { caller, outcome } => {
            ground.callers(peer).retain(|known| known.id != caller);
            ground.is_answered(caller, outcome);
        }
        RotationEffect::Notify(notice) => ground.hears(notice),
    }
}
