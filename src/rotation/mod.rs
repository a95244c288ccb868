//! The credential lifecycle of one logical client, as a machine without clock, randomness or I/O.
//!
//! It decides which credential is active, proves another one before that takes over, keeps the old one
//! as a fallback and retires it. It fetches no token and knows no secret: the token lifecycle is
//! [`crate::refresh`], and whether a credential is usable here is the [`Ledger`]'s matter.

mod asked;
mod caller;
mod course;
mod custody;
mod draft;
mod effect;
mod event;
mod ledger;
mod probing;
mod promotion;
mod record;
mod request;
mod retirement;
mod roles;
mod start;
mod transition;
mod view;
mod waiting;
mod write;

#[cfg(test)]
mod tests;

use crate::clock::Timestamp;
pub use caller::{Awaited, CallerId, KeptCaller};
use draft::Draft;
pub use effect::{About, Effect, Missing, Moved, Notice, Persisted, Refusal, Settled, Step, Why};
pub use event::{Event, SinkOutcome};
pub use ledger::{Ledger, Proof, Rejections, Standing};
pub use record::{
    End, Former, Overlap, Past, Phase, Prepared, Quarantined, Record, Retired, Role, RotationId,
    Sink, Slot, Staged, Version,
};
pub use request::{Request, Rotate};
pub use retirement::missing;
pub use transition::{PhaseName, Row, TABLE, Transition, diagram};
pub use view::{Fleet, Member, MemberId, Members, Policy, SinkSpec, Token, View};
pub use waiting::{Wait, waits};
pub use write::{Barrier, Refused, TokenChange, Write, admit_token};

/// One step of the credential lifecycle.
///
/// **Shape.** A function of the record and of what a member knows, to one write and the effects that
/// follow it. It keeps nothing, so that a write which the store refused is repeated with what is
/// stored by then, a crash loses no decision, and every member of a fleet may take any step.
///
/// **Phases.** `Starting` (no record), `Stable`, `Prepared` (a fresh token is held and nobody presents
/// the active credential), `Staged` (a next one is being proved), `Overlap` (it was promoted, the
/// previous one is a fallback), `Degraded` (none is accepted). [`TABLE`] has all transitions.
///
/// **Calls.** For an answer of the endpoint first [`Ledger::note`], then `step` with
/// [`Event::Answered`]; for everything else only `step`. Then the write, then the effects (see
/// [`Step`]). [`wake_at`] says when [`Event::Ticked`] is due; a tick that comes early or twice changes
/// nothing. `now` is the store's time; it never goes back.
///
/// **Guarantees.** The active credential changes only together with a token that was obtained with the
/// new one. A candidate is given up after 3 rejections over at least 5 s, or after 10 min. An
/// overlap lasts at least `overlap` (usually the remaining life of the old token, 5 min to 1 h), and
/// the previous credential is retired only while the active one was accepted in the last 60 s
/// and every live member holds it and knows that it is active. Answers that say nothing of the
/// credential (throttled, transient, misconfigured) change nothing.
pub fn step(record: Option<&Record>, view: &View, event: &Event, now: Timestamp) -> Step {
    let Some(record) = record else { return start::step(view, event, now) };
    let mut draft = Draft::new(record, view, now);
    asked::handle(&mut draft, event);
    if !draft.has_moved() {
        course::follow(&mut draft);
    }
    asked::resume(&mut draft);
    course::take_waiting(&mut draft);
    course::serve(&mut draft, event);
    asked::settle(&mut draft);
    probing::probe(&mut draft);
    probing::write_sinks(&mut draft);
    draft.finish()
}

/// When [`Event::Ticked`] is due if nothing happens before.
pub fn wake_at(record: Option<&Record>, view: &View, now: Timestamp) -> Option<Timestamp> {
    let deadlines = record.into_iter().flat_map(Record::times).filter(|at| *at > now);
    let probes = probing::wanted(record, view, now).into_iter().map(|(_, at)| at.max(now));
    let sinks = record.into_iter().flat_map(|record| probing::unwritten(record, view));
    let promotion = record.is_some_and(|record| promotion::is_promotable(record, view, now));
    let due = deadlines.chain(probes).chain(sinks.map(|(_, at)| at.max(now)));
    due.chain(promotion.then_some(now)).min()
}
