//! Whether anybody hears the events of a manager.
//!
//! Deriving the id of a credential takes 20 ms of CPU time, which is wasted on an event that nobody
//! hears. A listener makes itself known. A subscriber of a diagnostics channel cannot, so the
//! environments are asked.

use std::collections::BTreeSet;

use crate::api::HandleId;

/// What is known of those who listen.
#[derive(Debug, Default)]
pub(super) enum Audience {
    /// Nobody has made itself known.
    #[default]
    Unknown,
    /// The environments of these handles were asked about the events up to this one, and have not
    /// answered.
    Asked { silent: BTreeSet<HandleId>, seq: u64 },
    /// Somebody listens, or once did.
    Present,
}

impl Audience {
    pub(super) fn is_present(&self) -> bool {
        matches!(self, Self::Present)
    }

    /// Everything that was asked about has been told: an answer no longer matters.
    pub(super) fn is_told(&mut self) {
        if self.is_asked() {
            *self = Self::Unknown;
        }
    }

    pub(super) fn is_asked(&self) -> bool {
        matches!(self, Self::Asked { .. })
    }

    /// Nobody hears by way of this handle. If that is so for every handle that was asked, returns
    /// the number of the latest event that nobody hears.
    pub(super) fn lacks(&mut self, handle: HandleId) -> Option<u64> {
        let Self::Asked { silent, seq } = self else { return None };
        silent.remove(&handle);
        let seq = silent.is_empty().then_some(*seq)?;
        *self = Self::Unknown;
        Some(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_hears_once_every_environment_has_said_so() {
        let mut audience = Audience::Asked { silent: [1, 2].into(), seq: 7 };
        assert_eq!(audience.lacks(2), None);
        assert_eq!(audience.lacks(2), None, "it has answered already");
        assert_eq!(audience.lacks(1), Some(7));
        assert!(!audience.is_asked());
        assert_eq!(audience.lacks(1), None, "nobody asks");
    }

    #[test]
    fn nothing_waits_for_an_answer_that_does_not_matter_any_more() {
        let mut audience = Audience::Asked { silent: [1].into(), seq: 7 };
        audience.is_told();
        assert!(!audience.is_asked());
        assert_eq!(audience.lacks(1), None);
        let mut audience = Audience::Present;
        audience.is_told();
        assert!(audience.is_present());
    }

    #[test]
    fn who_listens_is_not_asked_again() {
        let mut audience = Audience::Present;
        assert_eq!(audience.lacks(1), None);
        assert!(audience.is_present());
    }
}
