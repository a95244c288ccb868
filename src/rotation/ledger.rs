//! What the token endpoint's answers say of each credential.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::evidence::Evidence;
use super::policy::RotationPolicy;
use super::record::Record;
use super::role::{Quarantined, Role};
use super::standing::{Proof, Rejections, Standing};
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::policy;
use crate::verdict::{Verdict, Verify};

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct LedgerEntry {
    standing: Option<Standing>,
    /// The first refusal since it was last accepted.
    refused_at: Option<StoreTime>,
    /// The latest refusal may yet turn out to be a rejection.
    is_refused: bool,
    /// Answers in a row that were no token.
    failures: u32,
    answered_at: Option<StoreTime>,
    retry_at: StoreTime,
    scope: Option<Arc<str>>,
    last_expiry: Option<StoreTime>,
}

/// The answers that this member has seen, and those that the fleet noted beside the record.
///
/// This is *usability*: volatile, and never part of the record. A driver calls [`Ledger::note`]
/// with every answer before it steps the machine with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Ledger {
    entries: BTreeMap<CredentialId, LedgerEntry>,
    /// The rejections that the fleet has noted; a row ends when anybody is accepted.
    rows: BTreeMap<CredentialId, Rejections>,
}

impl Ledger {
    const GAP_OF_THE_LAST: Duration = Duration::from_mins(1);

    /// The latest certain answer to a credential, given to any member.
    pub fn standing(&self, credential: CredentialId) -> Option<Standing> {
        let own = self.entries.get(&credential).and_then(|entry| entry.standing);
        let row = self.rows.get(&credential).copied();
        let is_older = |row: &Rejections| match own {
            None => true,
            Some(Standing::Accepted(proof)) => proof.at < row.last_at,
            Some(Standing::Rejected(own)) => own.last_at <= row.last_at,
        };
        row.filter(is_older).map(Standing::Rejected).or(own)
    }

    /// The proof of a credential whose latest certain answer was a token.
    pub fn proof(&self, credential: CredentialId) -> Option<Proof> {
        match self.standing(credential)? {
            Standing::Accepted(proof) => Some(proof),
            Standing::Rejected(_) => None,
        }
    }

    /// The same, if its token can still be used.
    pub fn valid_proof(&self, credential: CredentialId, now: StoreTime) -> Option<Proof> {
        self.proof(credential).filter(|proof| now < proof.expires_at)
    }

    /// The same, if it is from after that moment: an older one may be of a secret that has died
    /// since.
    pub fn valid_proof_since(
        &self,
        since: StoreTime,
        credential: CredentialId,
        now: StoreTime,
    ) -> Option<Proof> {
        self.valid_proof(credential, now).filter(|proof| proof.at >= since)
    }

    /// The rejections of a credential whose latest certain answer was one.
    pub fn rejections(&self, credential: CredentialId) -> Option<Rejections> {
        match self.standing(credential)? {
            Standing::Rejected(rejections) => Some(rejections),
            Standing::Accepted(_) => None,
        }
    }

    /// Since when a credential is refused, where it is open whether it is rejected.
    pub fn refused_since(&self, credential: CredentialId) -> Option<StoreTime> {
        self.entries.get(&credential).filter(|entry| entry.is_refused)?.refused_at
    }

    /// The scope of the latest token of a credential, where the endpoint named it.
    pub fn scope(&self, credential: CredentialId) -> Option<&Arc<str>> {
        self.entries.get(&credential)?.scope.as_ref()
    }

    /// The last expiry of any token that is known to have been made with a credential.
    pub fn last_expiry(&self, credential: CredentialId) -> Option<StoreTime> {
        self.entries.get(&credential)?.last_expiry
    }

    /// When a credential is worth another probe: at once where it was not answered since `since`.
    pub fn retry_at(&self, credential: CredentialId, since: StoreTime) -> StoreTime {
        let answered =
            self.entries.get(&credential).filter(|entry| entry.answered_at >= Some(since));
        let own = answered.map_or(StoreTime::default(), |entry| entry.retry_at);
        let row = self.rows.get(&credential).filter(|row| row.last_at >= since);
        row.map_or(own, |row| own.max(row.retry_at()))
    }

    /// The same where nothing else is accepted: not later than a minute after the latest rejection.
    pub fn retry_soon(&self, credential: CredentialId, since: StoreTime) -> StoreTime {
        let retry_at = self.retry_at(credential, since);
        let answered_at = self.entries.get(&credential).and_then(|entry| entry.answered_at);
        // What the endpoint said after it, such as that it is throttled, has a patience of its own.
        let is_latest = |rejected: &Rejections| Some(rejected.last_at) == answered_at;
        let rejected = self.rejections(credential).filter(is_latest);
        rejected.map_or(retry_at, |rejected| retry_at.min(rejected.last_at + Self::GAP_OF_THE_LAST))
    }

    /// Takes an answer in: as a token, as a rejection, or as neither.
    pub fn note(
        &mut self,
        credential: CredentialId,
        verdict: &Verdict<Evidence>,
        record: Option<&Record>,
        policy: &RotationPolicy,
        now: StoreTime,
    ) {
        let staged = record.and_then(Record::staged).filter(|staged| staged.next == credential);
        // What a candidate was answered before it was staged, or before it can be known, is another
        // matter.
        let counts_from = staged.map(|staged| staged.at + policy.propagation);
        let counts = counts_from.is_none_or(|from| now >= from);
        // One that was given up for its scope is not taken up again with the same, and one that was
        // withdrawn before this answer is compared like any other candidate.
        let is_candidate = staged.is_some()
            || record.is_some_and(|record| {
                let given_up =
                    |known: &Quarantined| known.credential == credential && !known.was_active;
                let is_withdrawn = record.role(credential) == Role::Unknown;
                (is_withdrawn || record.quarantined.iter().any(given_up))
                    && self.rejections(record.active).is_none()
            });
        // A candidate's refusals count from the moment on at which another one was accepted beside
        // it.
        let refused_at = self.entries.get(&credential).and_then(|entry| entry.refused_at);
        let refused_at = refused_at.filter(|at| Some(*at) >= counts_from);
        let is_judged = staged.is_some()
            && refused_at.is_some_and(|at| self.is_any_accepted_since(at, credential));
        let scope = record.filter(|_| is_candidate).and_then(|record| record.scope.as_deref());
        let entry = self.entries.entry(credential).or_default();
        entry.answered_at = Some(now);
        match verdict {
            Verdict::Accepted(evidence) => {
                entry.last_expiry = entry.last_expiry.max(Some(evidence.expires_at));
                let verify = evidence.verify;
                let refused = is_candidate && is_narrower(evidence.scope.as_deref(), scope)
                    || verify == Some(Verify::Refused);
                if refused {
                    entry.reject(counts_from, now);
                } else if verify == Some(Verify::Failed) {
                    entry.leave_open(None, now);
                } else {
                    entry.accept(evidence, now);
                    self.judge_refused(credential, now);
                }
            }
            Verdict::Rejected(_) => entry.reject(counts_from, now),
            Verdict::Refused(_) if is_judged => entry.reject(counts_from, now),
            Verdict::Refused(_) => {
                if counts {
                    entry.refused_at = refused_at.or(Some(now));
                    entry.is_refused = true;
                }
                entry.leave_open(None, now);
            }
            // It says nothing of the credential.
            Verdict::Ambiguous(_)
            | Verdict::Misconfigured(_)
            | Verdict::Throttled(_)
            | Verdict::Transient(_) => entry.leave_open(verdict.retry_after(), now),
        }
    }

    /// What the fleet has noted of rejections, as far as is known here.
    pub fn rows(&self) -> &BTreeMap<CredentialId, Rejections> {
        &self.rows
    }

    /// The rejections that the fleet has noted were read.
    ///
    /// Where a row has ended, somebody was accepted, and what was rejected here counts no more. Nor
    /// does what was rejected before `noted`, when the fleet must have heard of it, and has no row:
    /// it was rejected while the store was out of reach.
    pub fn replace_rows(&mut self, rows: BTreeMap<CredentialId, Rejections>, noted: StoreTime) {
        let before = std::mem::replace(&mut self.rows, rows);
        for (id, entry) in &mut self.entries {
            if let Some(Standing::Rejected(own)) = entry.standing
                && !self.rows.contains_key(id)
                && (before.contains_key(id) || own.last_at < noted)
            {
                (entry.standing, entry.answered_at) = (None, None);
            }
        }
    }

    /// The fleet has noted a rejection.
    pub fn note_row(&mut self, credential: CredentialId, row: Rejections) {
        self.rows.insert(credential, row);
    }

    /// A credential is accepted: what the fleet has noted of it is over. Returns whether it had.
    pub fn clear_noted(&mut self, credential: CredentialId) -> bool {
        self.rows.remove(&credential).is_some()
    }

    /// What was accepted before does not count any more.
    pub fn forget_proof(&mut self, credential: CredentialId) {
        if let Some(entry) = self.entries.get_mut(&credential)
            && matches!(entry.standing, Some(Standing::Accepted(_)))
        {
            entry.standing = None;
            entry.answered_at = None;
        }
    }

    /// Forgets all but these.
    pub fn retain(&mut self, is_known: impl Fn(CredentialId) -> bool) {
        self.entries.retain(|id, _| is_known(*id));
        // What is rejected here is noted by its id, and may be configured at any time.
    }

    /// Whatever was rejected is worth another probe now; what the endpoint asked for stays.
    pub fn forget_patience(&mut self) {
        for entry in self.entries.values_mut() {
            if matches!(entry.standing, Some(Standing::Rejected(_))) {
                entry.retry_at = StoreTime::default();
            }
        }
    }

    /// Visits every time that was noted.
    pub fn each_time(&mut self, time: &mut dyn FnMut(&mut StoreTime)) {
        for entry in self.entries.values_mut() {
            time(&mut entry.retry_at);
            entry.answered_at.iter_mut().for_each(&mut *time);
            entry.refused_at.iter_mut().for_each(&mut *time);
            entry.last_expiry.iter_mut().for_each(&mut *time);
            match &mut entry.standing {
                Some(Standing::Accepted(proof)) => {
                    time(&mut proof.at);
                    time(&mut proof.expires_at);
                    time(&mut proof.soft_at);
                }
                Some(Standing::Rejected(rejections)) => {
                    time(&mut rejections.first_at);
                    time(&mut rejections.last_at);
                }
                None => {}
            }
        }
        for row in self.rows.values_mut() {
            time(&mut row.first_at);
            time(&mut row.last_at);
        }
    }

    /// Everything that grows without an end, for a check of all states.
    #[cfg(test)]
    pub(super) fn normalise(&mut self, time: &mut dyn FnMut(&mut StoreTime)) {
        for entry in self.entries.values_mut() {
            entry.failures = entry.failures.min(4);
            if let Some(Standing::Rejected(rejections)) = &mut entry.standing {
                rejections.count = rejections.count.min(Rejections::ENOUGH);
            }
        }
        for row in self.rows.values_mut() {
            row.count = row.count.min(Rejections::ENOUGH);
        }
        self.each_time(time);
    }

    /// The endpoint accepts another credential: the refusals were meant.
    fn judge_refused(&mut self, accepted: CredentialId, now: StoreTime) {
        for (credential, entry) in &mut self.entries {
            if *credential != accepted && std::mem::take(&mut entry.is_refused) {
                entry.reject(None, now);
            }
        }
    }

    fn is_any_accepted_since(&self, since: StoreTime, except: CredentialId) -> bool {
        self.entries.iter().any(|(id, entry)| {
            *id != except
                && matches!(entry.standing, Some(Standing::Accepted(proof)) if proof.at >= since)
        })
    }
}

impl LedgerEntry {
    fn accept(&mut self, evidence: &Evidence, now: StoreTime) {
        let Evidence { expires_at, soft_at, .. } = *evidence;
        self.standing = Some(Standing::Accepted(Proof { at: now, expires_at, soft_at }));
        (self.refused_at, self.is_refused) = (None, false);
        self.failures = 0;
        self.retry_at = now;
        self.scope.clone_from(&evidence.scope);
    }

    fn reject(&mut self, counts_from: Option<StoreTime>, now: StoreTime) {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now + Rejections::FIRST_GAP;
        self.is_refused = false;
        if counts_from.is_some_and(|from| now < from) {
            return;
        }
        let rejections = match self.standing {
            Some(Standing::Rejected(before)) if Some(before.first_at) >= counts_from => {
                Rejections { count: before.count.saturating_add(1), last_at: now, ..before }
            }
            _ => Rejections { count: 1, first_at: now, last_at: now },
        };
        self.standing = Some(Standing::Rejected(rejections));
        self.retry_at = rejections.retry_at();
    }

    fn leave_open(&mut self, retry_after: Option<Duration>, now: StoreTime) {
        let own = Duration::from_secs(1) * 2_u32.pow(self.failures.min(5));
        let asked = retry_after.unwrap_or_default().min(policy::Policy::LONGEST_RETRY_AFTER);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now + own.min(Rejections::SLOW_GAP).max(asked);
    }
}

/// Whether a granted scope lacks something that the other one has; an absent one is equal.
fn is_narrower(granted: Option<&str>, before: Option<&str>) -> bool {
    let (Some(granted), Some(before)) = (granted, before) else { return false };
    before
        .split_ascii_whitespace()
        .any(|one| !granted.split_ascii_whitespace().any(|has| has == one))
}
