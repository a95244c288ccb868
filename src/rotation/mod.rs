//! The credential lifecycle of one logical client, as a machine without clock, randomness or I/O.
//!
//! It decides which credential is active, proves another one before that one takes over, keeps the
//! old one as a fallback and retires it. It fetches no token and presents no secret: the
//! token lifecycle is [`crate::refresh`], and of a token that arrives only its times are read. The
//! [`Ledger`] says whether a credential is usable here.

mod caller;
mod candidate;
mod custody;
mod descent;
mod effect;
mod event;
mod evidence;
mod fleet;
mod history;
mod ledger;
mod lineage;
mod missing;
mod notice;
mod outcome;
mod persist;
mod phase;
mod policy;
mod probes;
mod promotion;
mod record;
mod request;
mod retirement;
mod role;
mod roles;
mod settlement;
mod standing;
mod step;
mod succession;
mod target;
mod transaction;
mod transition;
mod view;
mod wait;
mod write;

#[cfg(test)]
mod tests;

pub use caller::{Awaited, CallerId, KeptCaller};
pub use custody::Persisted;
pub use descent::Descent;
pub use effect::{RotationEffect, RotationStep};
pub use event::RotationEvent;
pub use evidence::Evidence;
pub use fleet::{Census, Fleet, MemberId, MemberRow, MemberTable};
pub use history::{End, Past, RotationId};
pub use ledger::Ledger;
pub use lineage::Lineage;
pub use missing::Missing;
pub use notice::{About, Moved, RotationNotice, Why};
pub use outcome::{Refusal, Settled};
pub use policy::RotationPolicy;
pub use record::{Overlap, Phase, Prepared, Record, Staged, Version};
pub use request::{Request, Rotate};
pub use retirement::{barrier, missing};
pub use role::{Former, Quarantined, Retired, Role};
pub use standing::{Proof, Rejections, Standing};
pub use step::{step, waits, wake_at};
pub use succession::is_forsaken;
pub use target::{PersistOutcome, TargetId, TargetSpec, TargetState};
pub use transition::{PhaseName, TABLE, Transition, TransitionRow, diagram};
pub use view::{Token, View};
pub use wait::Wait;
pub use write::{Barrier, Refused, TokenChange, Write, admit_token};
