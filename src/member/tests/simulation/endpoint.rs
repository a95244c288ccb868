//! What the endpoint says to a token request, and when.

use std::sync::Arc;
use std::time::Duration;

use super::SECOND;
use super::outside::Outside;
use super::provider::{Key, Kind};
use crate::credential::Credential;
use crate::error::Code;
use crate::member::tests::peripherals::{Delay, Passage, Process, TokenEndpoint, TokenRequest};
use crate::member::tests::world::{
    ambiguous, misconfigured, refused, rejected, throttled, transient,
};
use crate::secret::Secret;
use crate::token::Grant;
use crate::verdict::{Verdict, Verify};

impl TokenEndpoint for Outside {
    fn sends(&mut self, process: &Process, credential: &Arc<Credential>) -> Passage {
        self.check_request(process, credential);
        let slow = if self.random.percent(5) { 20_000 } else { 400 };
        let takes = self.random.millis(slow);
        let until_judged = takes.mul_f64(self.random.0.f64());
        self.counts.requests += 1;
        self.note(format_args!("request with {:?}", Key::of(credential)));
        Passage { until_judged, answer: Delay::After(takes) }
    }

    fn answers(&mut self, process: &Process, sent: &TokenRequest) -> (Verdict, Option<Verify>) {
        let key = Key::of(&sent.credential);
        if sent.sent_at + 2 * SECOND < self.now {
            self.history.memory.is_unclear(self.now);
        }
        let (verdict, token) = self.judge(key, sent);
        let is_accepted = matches!(verdict, Verdict::Accepted(_));
        let verify = (sent.verify && is_accepted).then(|| match self.provider.kind(key) {
            Kind::Unfit(verify) => verify,
            _ if self.random.percent(self.regime.faults / 3) => Verify::Failed,
            _ => Verify::Passed,
        });
        self.note(format_args!("answer to {key:?}: {} {verify:?}", name_of(&verdict)));
        let is_narrow = matches!(&verdict, Verdict::Accepted(grant) if grant.scope.as_deref() == Some("a"))
            && self.history.would_narrow(key, process.member.record());
        let is_unfit = is_narrow || verify.is_some_and(|verify| verify != Verify::Passed);
        if let Some(issued) = token.and_then(|token| self.provider.issued.get_mut(&token)) {
            // Where answers wait to be taken up, the scope is compared with what is known then.
            issued.unfit = is_unfit && !(is_narrow && self.regime.is_slow);
        }
        let has_failed = verify == Some(Verify::Failed) && !is_narrow;
        self.history.answered(key, &verdict, (is_unfit, has_failed), self.now);
        // A token that has expired on its way proves nothing.
        let is_useless = sent.sent_at + self.life.mul_f64(0.9) <= self.now;
        self.history.memory.answered(key, is_useless);
        if is_narrow && self.regime.is_slow {
            self.history.may_be_accepted(key, &verdict, self.now);
        }
        (verdict, verify)
    }
}

impl Outside {
    fn judge(&mut self, key: Key, sent: &TokenRequest) -> (Verdict, Option<String>) {
        if self.random.percent(self.regime.faults) || self.is_down {
            self.counts.faults += 1;
            self.trouble();
            self.history.memory.is_unclear(self.now);
            let wait = Duration::from_secs(self.random.below(90));
            return match self.random.below(6) {
                0 => (throttled(wait), None),
                1 => (refused(), None),
                2 => (misconfigured(), None),
                3 => {
                    let access_token = Secret::new("useless");
                    let lifetime = self.random.millis(3000).min(self.now.since(sent.sent_at));
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
        let text = self.provider.issue(key, sent.sent_at + self.life, self.now);
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
