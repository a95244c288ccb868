//! What people are told of the credential lifecycle.

use super::change::{Change, What};
use super::effect::{MemberEffect, MemberNotice};
use super::named::NamedMembers;
use super::parts::Member;
use super::step::MemberStep;
use super::waiting::WaitCode;
use crate::error::Failure;
use crate::rotation::{self, About, PhaseName, Record, Role, Transition, Why};

/// What was before the change that is told.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) from: PhaseName,
    pub(super) was: Option<&'a Record>,
}

impl MemberStep<'_> {
    /// Tells people of a change, unless they know, or are told once somebody is known by name.
    pub(super) fn tell_change(&mut self, notice: &rotation::RotationNotice, context: Context<'_>) {
        match notice {
            rotation::RotationNotice::Overdue(missing) => self.tell_overdue(missing),
            notice => self.tell(notice, &NamedMembers::default(), context),
        }
    }

    /// Tells people of a change, and of the members that are in the way.
    pub(super) fn tell(
        &mut self,
        notice: &rotation::RotationNotice,
        named: &NamedMembers,
        context: Context<'_>,
    ) {
        let member = &mut *self.member;
        let (mut about, mut failure) = (None, None);
        let what = match notice {
            rotation::RotationNotice::PersistImpossible(_) => return,
            rotation::RotationNotice::Moved(moved) => match moved.transition {
                // Another event says so.
                Transition::Overdue => return,
                Transition::AwaitingProof => {
                    // The endpoint is asked many times while it is down: people hear of it once.
                    let Some(untold) = member.standings.untold_doubt() else { return };
                    failure = Some(untold);
                    What::Moved(Transition::AwaitingProof, None)
                }
                transition => {
                    about = moved.about.as_ref();
                    failure = about.and_then(|about| member.why_given_up(about));
                    What::Moved(transition, about.and_then(|about| about.why))
                }
            },
            rotation::RotationNotice::AwaitsCustody(_) => {
                if !member.is_news(WaitCode::Custody, None) {
                    return;
                }
                What::AwaitsCustody
            }
            rotation::RotationNotice::NotPersisted(_) => What::NotPersisted,
            rotation::RotationNotice::Overdue(missing) => {
                What::Overdue(missing.clone(), named.clone())
            }
            rotation::RotationNotice::Compromised(_) => What::CompromisedIgnored,
        };
        let mut change = Change { failure, ..member.change(what, context) };
        if let rotation::RotationNotice::Compromised(id) = notice {
            change.next = Some(member.credentials.keyring.name(*id));
        }
        if let Some(about) = about {
            change.rotation = Some(about.rotation.clone());
            let is_candidate = !matches!(
                change.what,
                What::Moved(Transition::Promoted | Transition::PromotedAfterLeak, _)
            );
            change.next = is_candidate.then(|| member.credentials.keyring.name(about.candidate));
        }
        self.effects.push(MemberEffect::Notify(MemberNotice::Rotation(Box::new(change))));
    }

    /// With a promotion above an open overlap, what was previous in that is retired.
    pub(super) fn tell_retirement_beneath(&mut self, was: Option<&Record>) {
        let beneath = was.and_then(Record::staged).and_then(|staged| staged.beneath.as_deref());
        let record = self.member.record();
        let retired = beneath
            .filter(|it| record.is_some_and(|record| record.role(it.previous) == Role::Retired));
        let Some(retired) = retired else { return };
        let context = Context { from: PhaseName::of(was), was };
        let change = self.member.change(What::Moved(Transition::Retired, None), context);
        let change = Change {
            rotation: Some(retired.rotation.clone()),
            previous: Some(self.member.credentials.keyring.name(retired.previous)),
            retire_not_before: Some(self.member.clock.own(retired.retire_not_before)),
            safe_to_revoke_at: Some(self.member.clock.own(retired.safe_to_revoke_at)),
            ..change
        };
        self.effects.push(MemberEffect::Notify(MemberNotice::Rotation(Box::new(change))));
    }
}

impl Member {
    fn change(&self, what: What, context: Context<'_>) -> Change {
        let record = self.record();
        let name = |id| self.credentials.keyring.name(id);
        let staged = record.and_then(Record::staged).or(context.was.and_then(Record::staged));
        let overlap = record.and_then(Record::overlap);
        let ended = context.was.and_then(Record::overlap);
        let rotation = overlap.or(ended).map(|overlap| overlap.rotation.clone());
        let last = record.and_then(|record| record.history.last());
        let is_retired = matches!(what, What::Moved(Transition::Retired, _));
        let targets = match what {
            What::AwaitsCustody | What::NotPersisted | What::Overdue(..) => self.persist_failures(),
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
            retire_not_before: overlap.map(|overlap| self.clock.own(overlap.retire_not_before)),
            safe_to_revoke_at: revocable.map(|overlap| self.clock.own(overlap.safe_to_revoke_at)),
            failure: None,
            persist_failures: targets,
        }
    }

    /// Why a candidate was given up, if anything has said so.
    fn why_given_up(&self, about: &About) -> Option<Failure> {
        match about.why? {
            Why::Rejected => self.standings.failure(about.candidate).cloned(),
            Why::NoCustody => self.targets.why_not(),
            Why::Deadline | Why::CallerLeft | Why::NotHeld => {
                self.standings.why_unproved(about.candidate).cloned()
            }
            Why::RetireBlocked | Why::Superseded | Why::Withdrawn => None,
        }
    }
}
