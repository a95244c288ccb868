//! What a token request is answered.

use super::process::{SECOND, Sent, Sim};
use super::provider::{Key, Kind};
use crate::error::Code;
use crate::member::tests::world::{
    ambiguous, misconfigured, refused, rejected, throttled, transient,
};
use crate::member::*;
use crate::secret::Secret;
use crate::token::Grant;
use crate::verdict::{Verdict, Verify};
use std::time::Duration;

impl Sim {
    pub(super) fn answer(&mut self, request: u64) {
        let Some(sent) = self.sent.remove(&request) else { return };
        let key = Key::of(&sent.credential);
        if sent.at + 2 * SECOND < self.now {
            self.checks.memory.is_unclear(self.now);
        }
        let (verdict, token) = self.judge(key, &sent);
        let is_accepted = matches!(verdict, Verdict::Accepted(_));
        let verify = (sent.verify && is_accepted).then(|| match self.provider.kind(key) {
            Kind::Unfit(verify) => verify,
            _ if self.random.percent(self.regime.faults / 3) => Verify::Failed,
            _ => Verify::Passed,
        });
        self.note(format_args!("answer to {key:?}: {} {verify:?}", name_of(&verdict)));
        let is_narrow = matches!(&verdict, Verdict::Accepted(grant) if grant.scope.as_deref() == Some("a"))
            && self.checks.would_narrow(key, self.member.record());
        let is_unfit = is_narrow || verify.is_some_and(|verify| verify != Verify::Passed);
        if let Some(issued) = token.and_then(|token| self.provider.issued.get_mut(&token)) {
            // Where answers wait to be taken up, the scope is compared with what is known then.
            issued.unfit = is_unfit && !(is_narrow && self.regime.is_slow);
        }
        let has_failed = verify == Some(Verify::Failed) && !is_narrow;
        self.checks.answered(key, &verdict, (is_unfit, has_failed), self.now);
        // A token that has expired on its way proves nothing.
        let is_useless = sent.at + self.life.mul_f64(0.9) <= self.now;
        self.checks.memory.answered(key, is_useless);
        if is_narrow && self.regime.is_slow {
            self.checks.may_be_accepted(key, &verdict, self.now);
        }
        self.tell(Event::Answered { request, sent_at: sent.at, verdict, verify });
    }

    fn judge(&mut self, key: Key, sent: &Sent) -> (Verdict, Option<String>) {
        if self.random.percent(self.regime.faults) || self.is_down {
            self.counts.faults += 1;
            self.trouble();
            self.checks.memory.is_unclear(self.now);
            let wait = Duration::from_secs(self.random.below(90));
            return match self.random.below(6) {
                0 => (throttled(wait), None),
                1 => (refused(), None),
                2 => (misconfigured(), None),
                3 => {
                    let access_token = Secret::new("useless");
                    let lifetime = self.random.millis(3000).min(self.now.since(sent.at));
                    let grant = Grant { access_token, lifetime, refresh_in: None, scope: None };
                    (Verdict::Accepted(grant), None)
                }
                _ => (transient(), None),
            };
        }
        if !self.provider.accepts(key, sent.judged_at) {
            let verdict = match self.random.below(100) {
                0..10 => refused(),
                10..15 => ambiguous(),
                _ => rejected(),
            };
            return (verdict, None);
        }
        let text = self.provider.issue(key, sent.at + self.life, self.now);
        let scope = match self.provider.kind(key) {
            Kind::Narrow => Some("a".to_owned()),
            _ => Some("a b".to_owned()),
        };
        let access_token = Secret::new(text.clone());
        let grant = Grant { access_token, lifetime: self.life, refresh_in: None, scope };
        (Verdict::Accepted(grant), Some(text))
    }
}

fn name_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted(_) => "accepted",
        Verdict::Rejected(_) => "rejected",
        Verdict::Refused(_) => "refused",
        Verdict::Ambiguous(_) => "ambiguous",
        Verdict::Misconfigured(failure) if failure.code == Code::Misconfigured => "misconfigured",
        Verdict::Misconfigured(_) | Verdict::Transient(_) => "transient",
        Verdict::Throttled(_) => "throttled",
    }
}
