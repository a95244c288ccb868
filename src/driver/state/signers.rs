//! Signers that sign with the credentials of this manager.

use std::sync::Arc;

use super::State;
use crate::api::{ErrorMessage, HandleId};
use crate::clock::Timestamp;
use crate::driver::signer::Signer;
use crate::signing::LentKeys;

/// A signer, and what it was lent.
pub(super) struct Borrower {
    signer: Arc<Signer>,
    keys: LentKeys,
}

impl State {
    /// A signer follows the credentials from now on; an error if the current one cannot be its key.
    pub(in crate::driver) fn lend(
        &mut self,
        signer: Arc<Signer>,
        grace: i64,
        now: Timestamp,
    ) -> Result<(), ErrorMessage> {
        // Roles are those of the record, which needs the ids.
        self.observe(now);
        self.borrowers.push(Borrower { signer, keys: LentKeys::new(grace) });
        self.show_keys(now);
        let problems = self.borrowers.last().map(|it| it.keys.problems());
        let Some(problem) = problems.and_then(|it| it.into_iter().next()) else { return Ok(()) };
        self.borrowers.pop();
        Err(ErrorMessage::invalid_option("keys", problem.message))
    }

    /// A signer is closed.
    pub(in crate::driver) fn take_back(&mut self, signer: HandleId) {
        self.borrowers.retain(|it| it.signer.handle() != signer);
    }

    /// Shows signers the credentials in their roles. Events are told later: whoever hears that a
    /// credential was retired finds that nothing signs with it any more.
    pub(super) fn show_keys(&mut self, now: Timestamp) {
        if self.borrowers.is_empty() {
            return;
        }
        let utc = self.clock.utc_millis(now);
        let roles = self.member.signing();
        let record = self.member.record();
        let is_compromised = |id| record.is_some_and(|record| !record.may_use_token_of(id));
        for Borrower { signer, keys } in &mut self.borrowers {
            if keys.take(signer.scheme(), roles.clone(), is_compromised, utc) {
                signer.show(keys.named(), keys.problems(), utc);
            }
        }
    }

    /// When a retired credential stops to verify.
    pub(super) fn next_key_end(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = self.borrowers.iter().filter_map(|it| it.keys.next_end());
        let wait = ends.min()?.saturating_sub(self.clock.utc_millis(now));
        Some(now + std::time::Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
    }

    /// The manager ends, and lends nothing any more.
    pub(super) fn show_no_keys(&mut self, now: Timestamp) {
        let utc = self.clock.utc_millis(now);
        for Borrower { signer, .. } in self.borrowers.drain(..) {
            signer.show(Vec::new(), Vec::new(), utc);
        }
    }
}
