//! What people are told of the credential lifecycle.

use std::sync::Arc;

use super::keyring::Name;
use super::waiting::{WaitCode, Waiting};
use super::writing::SinkFailure;
use super::{Effect, Member, Notice, Step};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::rotation::{
    self, About, End, Missing, Persisted, PhaseName, Record, Role, RotationId, Transition, Why,
};
use crate::source::EntryPlace;

/// Where a rotation stands.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its key.
    pub rotation: RotationId,
    /// How far it is.
    pub phase: Phase,
    /// The generation of the record.
    pub generation: u64,
    /// What was to become active.
    pub candidate: Name,
    /// What is active.
    pub active: Name,
    /// The fallback, while the overlap is open.
    pub previous: Option<Name>,
    /// Whether the candidate has been written back.
    pub persisted: Persisted,
    /// The previous one stays a fallback until then.
    pub retire_not_before: Option<Timestamp>,
    /// The last expiry of any token that was made with the previous one.
    pub safe_to_revoke_at: Option<Timestamp>,
    /// Why it failed.
    pub reason: Option<Code>,
    /// What it waits for.
    pub waiting: Vec<Waiting>,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its candidate is being proved.
    Staged,
    /// The candidate is active, and the previous one is a fallback.
    Overlap,
    /// The candidate became active, and no previous one is left.
    Retired,
    /// The candidate was active, and another one took over again.
    RolledBack,
    /// The candidate never became active.
    Failed,
}

/// A change of the credential lifecycle, or something that people should know of it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happened.
    pub what: What,
    /// The phase before.
    pub from: PhaseName,
    /// The phase after.
    pub to: PhaseName,
    /// The generation after.
    pub generation: u64,
    /// The rotation that it is about.
    pub rotation: Option<RotationId>,
    /// What is active.
    pub active: Option<Name>,
    /// What is, or was until now, the fallback of an overlap.
    pub previous: Option<Name>,
    /// What is being proved, or was until now.
    pub next: Option<Name>,
    /// The end of the overlap.
    pub retire_not_before: Option<Timestamp>,
    /// The last expiry of any token that was made with the previous one.
    pub safe_to_revoke_at: Option<Timestamp>,
    /// Why there is no clear answer, or why the candidate was given up.
    pub failure: Option<Failure>,
    /// Why nothing keeps what is to be kept.
    pub sinks: Vec<SinkFailure>,
}

/// What happened to the credential lifecycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A row of the table was taken.
    Moved(Transition, Option<Why>),
    /// A proved candidate waits for somebody else who holds it.
    AwaitsCustody,
    /// The active credential is kept nowhere but in this process.
    NotPersisted,
    /// The overlap is over, and this stands in the way.
    Overdue(Missing),
    /// A source brought back a credential that has leaked; it is ignored.
    CompromisedIgnored,
}

/// What is known of a credential.
#[derive(Debug, Clone)]
pub struct CredentialState {
    /// Which; of a retired one that nothing yields any more only the name is left.
    pub credential: Result<Arc<Credential>, Name>,
    /// Its place in the credential lifecycle; none before there is a record.
    pub role: Option<Role>,
    /// What the endpoint said last.
    pub standing: Standing,
    /// Tokens are fetched with it, or a source yields it: that it is rejected concerns people.
    pub is_in_use: bool,
}

/// What the token endpoint said last of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Never tried, or never answered for certain.
    Unknown,
    /// A token.
    Accepted,
    /// A rejection, the first of a row at that time.
    Rejected(Timestamp),
}

/// From where a change is told.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) from: PhaseName,
    pub(super) was: Option<&'a Record>,
}

impl Step<'_> {
    pub(super) fn tell_change(&mut self, notice: &rotation::Notice, context: Context<'_>) {
        let member = &mut *self.member;
        let (mut about, mut failure) = (None, None);
        let what = match notice {
            rotation::Notice::SinkImpossible(_) => return,
            rotation::Notice::Moved(moved) => match moved.transition {
                // Another event says so.
                Transition::T13 => return,
                Transition::T6 => {
                    // The endpoint is asked many times while it is down: people hear of it once.
                    let Some(doubt) = member.doubt.as_mut().filter(|it| !it.is_told) else {
                        return;
                    };
                    doubt.is_told = true;
                    failure = Some(doubt.failure.clone());
                    What::Moved(Transition::T6, None)
                }
                transition => {
                    about = moved.about.as_ref();
                    failure = about.and_then(|about| member.why_given_up(about));
                    What::Moved(transition, about.and_then(|about| about.why))
                }
            },
            rotation::Notice::AwaitsCustody(_) => {
                if !member.is_news(WaitCode::Custody, None) {
                    return;
                }
                What::AwaitsCustody
            }
            rotation::Notice::NotPersisted(_) => What::NotPersisted,
            rotation::Notice::Overdue(missing) => {
                if !member.is_news(WaitCode::Sinks, Some(missing)) {
                    return;
                }
                What::Overdue(missing.clone())
            }
            rotation::Notice::Compromised(_) => What::CompromisedIgnored,
        };
        let mut change = Change { failure, ..member.change(what, context) };
        if let Some(about) = about {
            change.rotation = Some(about.rotation.clone());
            let is_candidate =
                !matches!(change.what, What::Moved(Transition::T4 | Transition::T4c, _));
            change.next = is_candidate.then(|| member.keyring.name(about.candidate));
        }
        self.effects.push(Effect::Notify(Notice::Rotation(Box::new(change))));
    }
}

impl Step<'_> {
    /// With a promotion above an open overlap, what was previous in that is retired.
    pub(super) fn tell_retirement_beneath(&mut self, was: Option<&Record>) {
        let beneath = was.and_then(Record::staged).and_then(|staged| staged.beneath.as_deref());
        let record = self.member.record.as_ref();
        let retired = beneath
            .filter(|it| record.is_some_and(|record| record.role(it.previous) == Role::Retired));
        let Some(retired) = retired else { return };
        let context = Context { from: PhaseName::of(was), was };
        let change = self.member.change(What::Moved(Transition::T12, None), context);
        let change = Change {
            rotation: Some(retired.rotation.clone()),
            previous: Some(self.member.keyring.name(retired.previous)),
            retire_not_before: Some(retired.retire_not_before),
            safe_to_revoke_at: Some(retired.safe_to_revoke_at),
            ..change
        };
        self.effects.push(Effect::Notify(Notice::Rotation(Box::new(change))));
    }
}

impl Member {
    fn change(&self, what: What, context: Context<'_>) -> Change {
        let record = self.record.as_ref();
        let name = |id| self.keyring.name(id);
        let staged = record.and_then(Record::staged).or(context.was.and_then(Record::staged));
        let overlap = record.and_then(Record::overlap);
        let ended = context.was.and_then(Record::overlap);
        let rotation = overlap.or(ended).map(|overlap| overlap.rotation.clone());
        let last = record.and_then(|record| record.history.last());
        let is_retired = matches!(what, What::Moved(Transition::T12, _));
        let sinks = match what {
            What::AwaitsCustody | What::NotPersisted | What::Overdue(_) => self.sink_failures(),
            _ => Vec::new(),
        };
        // A retirement and the beginning of the next rotation may be one write.
        let staged = staged.filter(|_| !is_retired);
        let revocable = if is_retired { ended } else { overlap };
        Change {
            what,
            from: context.from,
            to: PhaseName::of(record),
            generation: record.map_or(0, |record| record.generation),
            rotation: staged
                .map(|staged| staged.rotation.clone())
                .or(rotation)
                .or_else(|| last.map(|past| past.rotation.clone())),
            active: record.map(|record| name(record.active)),
            previous: overlap.or(ended).map(|overlap| name(overlap.previous)),
            next: staged.map(|staged| name(staged.next)),
            retire_not_before: overlap.map(|overlap| overlap.retire_not_before),
            safe_to_revoke_at: revocable.map(|overlap| overlap.safe_to_revoke_at),
            failure: None,
            sinks,
        }
    }

    /// Why a candidate was given up, as far as somebody has said so.
    fn why_given_up(&self, about: &About) -> Option<Failure> {
        match about.why? {
            Why::Rejected => self.failures.get(&about.candidate).cloned(),
            Why::NoCustody => self.sinks.why_not(),
            Why::Deadline | Why::CallerLeft | Why::NotHeld => {
                let doubt = self.doubt.as_ref().filter(|it| it.credential == about.candidate);
                doubt.map(|doubt| doubt.failure.clone())
            }
            Why::RetireBlocked | Why::Superseded | Why::Withdrawn => None,
        }
    }

    /// When the previous credential may be revoked is asked for long after its overlap.
    pub(super) fn remember_overlap(&mut self, was: Option<&Record>) {
        let now = self.record.as_ref().and_then(Record::open_overlap);
        let ended = was.and_then(Record::open_overlap);
        let Some(ended) = ended.filter(|it| now.is_none_or(|now| now.epoch != it.epoch)) else {
            return;
        };
        self.ended.retain(|known| known.rotation != ended.rotation);
        self.ended.push(ended.clone());
        let surplus = self.ended.len().saturating_sub(Record::MOST_HISTORY);
        self.ended.drain(..surplus);
    }

    /// The phase of the record.
    pub fn phase(&self) -> PhaseName {
        PhaseName::of(self.record.as_ref())
    }

    /// The latest rotation, if there was one.
    pub fn latest_rotation(&self) -> Option<Snapshot> {
        self.snapshot(self.latest_rotation_id()?)
    }

    pub(super) fn latest_rotation_id(&self) -> Option<&RotationId> {
        let record = self.record.as_ref()?;
        let staged = record.staged().map(|staged| &staged.rotation);
        let open = staged.or(record.overlap().map(|overlap| &overlap.rotation));
        open.or(record.history.last().map(|past| &past.rotation))
    }

    /// Where a rotation stands; none when nothing is known of it.
    pub fn snapshot(&self, rotation: &RotationId) -> Option<Snapshot> {
        let record = self.record.as_ref()?;
        let overlap = record.open_overlap().filter(|overlap| overlap.rotation == *rotation);
        let staged = record.staged().filter(|staged| staged.rotation == *rotation);
        let past = record.past(rotation).map(|past| (past.candidate, past.end));
        let already = self.already_active.iter().find(|(known, _)| known == rotation);
        let past = past.or(already.map(|(_, candidate)| (*candidate, End::Promoted)));
        let candidate = staged.map(|it| it.next).or(past.map(|(candidate, _)| candidate))?;
        let (phase, reason) = match past.map(|(_, end)| end) {
            _ if staged.is_some() => (Phase::Staged, None),
            Some(end @ (End::Promoted | End::RolledBack)) => {
                let phase = match record.role(candidate) {
                    Role::Active if overlap.is_some() => Phase::Overlap,
                    _ if overlap.is_some() => Phase::RolledBack,
                    Role::Active => Phase::Retired,
                    // It made way for a later rotation, and not for what it had replaced.
                    Role::Previous | Role::Retired if end == End::Promoted => Phase::Retired,
                    _ => Phase::RolledBack,
                };
                (phase, None)
            }
            Some(End::Rejected) => (Phase::Failed, Some(Code::CandidateRejected)),
            Some(End::Unverified) => (Phase::Failed, Some(Code::CandidateUnverified)),
            Some(End::NoCustody) => (Phase::Failed, Some(Code::NoCustody)),
            Some(End::RetireBlocked) => (Phase::Failed, Some(Code::RetireBlocked)),
            Some(End::Superseded) | None => (Phase::Failed, Some(Code::RotationConflict)),
        };
        let name = |id| self.keyring.name(id);
        let ended = self.ended.iter().find(|ended| ended.rotation == *rotation);
        let known = overlap.or(ended.filter(|_| phase == Phase::Retired));
        Some(Snapshot {
            rotation: rotation.clone(),
            phase,
            generation: record.generation,
            candidate: name(candidate),
            active: name(record.active),
            previous: overlap.map(|overlap| name(overlap.previous)),
            persisted: record.persisted(if staged.is_some() { candidate } else { record.active }),
            retire_not_before: known.map(|overlap| overlap.retire_not_before),
            safe_to_revoke_at: known.map(|overlap| overlap.safe_to_revoke_at),
            reason,
            waiting: self.waits.of(rotation).to_vec(),
        })
    }

    /// The rotation that made the active credential active; of one that was so already this is a
    /// rotation that has come to its end.
    pub(super) fn active_snapshot(&mut self, rotation: Option<RotationId>) -> Option<Snapshot> {
        let active = self.record.as_ref()?.active;
        let rotation = rotation.unwrap_or_else(|| RotationId::of(active));
        if let Some(known) = self.snapshot(&rotation) {
            return Some(known);
        }
        self.already_active.push((rotation.clone(), active));
        let surplus = self.already_active.len().saturating_sub(Record::MOST_HISTORY);
        self.already_active.drain(..surplus);
        self.snapshot(&rotation)
    }

    /// The credentials that may still be presented.
    pub fn held(&self) -> impl Iterator<Item = &Arc<Credential>> {
        let record = self.record.as_ref();
        let is_retired = move |one: &&Arc<Credential>| {
            record.is_some_and(|it| one.has_id() && it.role(one.id()) == Role::Retired)
        };
        // Of two that are the same the one in the keyring is the one that everything is known of.
        let is_new = |one: &&Arc<Credential>| !one.has_id() || self.keyring.get(one.id()).is_none();
        let configured = self.configured.iter().filter(is_new);
        let all = self.keyring.ids().filter_map(|id| self.keyring.get(id)).chain(configured);
        all.filter(move |one| !is_retired(one))
    }

    /// Every known credential: the active one and what stands in for it, then the others, retired ones last.
    pub fn credentials(&self) -> Vec<CredentialState> {
        let record = self.record.as_ref();
        let order = record
            .into_iter()
            .flat_map(|record| [record.active].into_iter().chain(record.fallbacks()));
        let known = order.filter_map(|id| self.keyring.get(id)).cloned();
        let mut list: Vec<Arc<Credential>> = known.collect();
        let held: Vec<_> = self.keyring.ids().collect();
        let rest = held.into_iter().filter_map(|id| self.keyring.get(id));
        for credential in self.configured.iter().chain(rest) {
            if !list.iter().any(|known| known.is_same_as(credential)) {
                list.push(Arc::clone(credential));
            }
        }
        let describe = |credential: Arc<Credential>| {
            let id = credential.has_id().then(|| credential.id());
            let role = record.zip(id).map(|(record, id)| record.role(id));
            let standing = id.and_then(|id| self.view.ledger.standing(id));
            let standing = match standing {
                None => Standing::Unknown,
                Some(rotation::Standing::Accepted(_)) => Standing::Accepted,
                Some(rotation::Standing::Rejected(rejections)) => {
                    Standing::Rejected(rejections.first_at)
                }
            };
            let standing = self.latest_answer(&credential).unwrap_or(standing);
            let is_configured = self.configured.iter().any(|one| one.is_same_as(&credential));
            let is_in_use = is_configured || role == Some(Role::Active);
            CredentialState { credential: Ok(credential), role, standing, is_in_use }
        };
        let forgotten = record.into_iter().flat_map(|record| record.retired.iter().rev());
        let forgotten = forgotten.map(|retired| retired.credential);
        let forgotten = forgotten.filter(|id| self.keyring.get(*id).is_none());
        let named = forgotten.map(|id| CredentialState {
            credential: Err(self.keyring.name(id)),
            role: Some(Role::Retired),
            standing: Standing::Unknown,
            is_in_use: false,
        });
        list.into_iter().map(describe).chain(named).collect()
    }

    /// What an answer says that waits for the credential's id: callers have the token of it already.
    fn latest_answer(&self, credential: &Credential) -> Option<Standing> {
        if credential.has_id() && self.keyring.get(credential.id()).is_some() {
            return None;
        }
        let held = self.refresh.held();
        let is_held = held.is_some_and(|held| held.credential.is_same_as(credential));
        is_held.then_some(Standing::Accepted)
    }

    /// Since when no known credential is accepted, if none is.
    pub fn degraded_since(&self) -> Option<Timestamp> {
        match self.record.as_ref()?.phase {
            rotation::Phase::Degraded { since } => Some(since),
            _ => None,
        }
    }

    /// The active credential and since when it is so, where nothing keeps it beyond this process, and no source
    /// has brought its successor.
    pub fn unkept(&self) -> Option<(Name, Timestamp)> {
        let record = self.record.as_ref().filter(|_| !self.keeps_active())?;
        let is_written_next = record.persisted(record.active) == Persisted::Pending;
        let mut successors = record.waiting.into_iter().chain(record.staged().map(|it| it.next));
        let is_replaced_next = successors.any(|one| self.view.is_yielded(one));
        let is_well = is_written_next || is_replaced_next;
        (!is_well).then(|| (self.keyring.name(record.active), self.active_since))
    }

    /// Whether the previous credential should be retired by now.
    pub fn is_overdue(&self) -> bool {
        let overlap = self.record.as_ref().and_then(Record::open_overlap);
        overlap.is_some_and(|overlap| overlap.overdue)
    }

    /// The entry that a place to write to belongs to.
    pub fn place_of(&self, slot: rotation::Slot) -> Option<EntryPlace> {
        self.sinks.place(slot)
    }

    /// Whether something else than this process's memory keeps the active credential.
    pub(super) fn keeps_active(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.is_kept(&self.view, record.active))
    }

    /// Whether every live member knows and holds the active credential.
    pub(super) fn is_everywhere(&self) -> bool {
        let Some((record, fleet)) = self.record.as_ref().zip(self.view.fleet.as_ref()) else {
            return true;
        };
        record.open_overlap().is_none_or(|overlap| {
            fleet.members.rows.values().all(|member| {
                member.acked >= overlap.epoch
                    && (fleet.sealed.contains(&record.active)
                        || member.holds.contains(&record.active))
            })
        })
    }
}
