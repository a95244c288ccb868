//! Credentials that expire at the provider, and when that is told.

use std::sync::Arc;

use crate::credential::Credential;

const DAY: i64 = 86_400_000;

/// So many days before the end it is told; 0 when it has come.
const DAYS: [u32; 4] = [30, 7, 1, 0];

/// The credentials that are watched, each with the days that were told last.
#[derive(Debug, Default)]
pub(super) struct Expiring(Vec<(Arc<Credential>, Option<u32>)>);

impl Expiring {
    /// Watches these and no others; what was told of those that stay is not told again.
    pub(super) fn watch<'a>(&mut self, credentials: impl IntoIterator<Item = &'a Arc<Credential>>) {
        let known = std::mem::take(&mut self.0);
        let dated = credentials.into_iter().filter(|credential| credential.expires_at.is_some());
        let with_told = dated.map(|credential| {
            let same = |(old, _): &&(Arc<Credential>, _)| {
                old.is_same_as(credential) && old.expires_at == credential.expires_at
            };
            let told = known.iter().find(same).and_then(|(_, told)| *told);
            (Arc::clone(credential), told)
        });
        self.0 = with_told.collect();
    }

    /// What is to be told at this time, in milliseconds since 1970: which, when it ends, how many days are left.
    pub(super) fn take_due(&mut self, utc: i64) -> Vec<(Arc<Credential>, i64, u32)> {
        let mut due = Vec::new();
        for (credential, told) in &mut self.0 {
            let Some(expires_at) = credential.expires_at else { continue };
            let reached = |days: &u32| utc >= expires_at.saturating_sub(i64::from(*days) * DAY);
            let Some(days) = DAYS.into_iter().filter(reached).min() else { continue };
            if told.is_none_or(|told| days < told) {
                *told = Some(days);
                due.push((Arc::clone(credential), expires_at, days));
            }
        }
        due
    }

    /// When there is something to tell, in milliseconds since 1970.
    pub(super) fn next(&self) -> Option<i64> {
        let next = self.0.iter().flat_map(|(credential, told)| {
            let days = DAYS.into_iter().filter(move |days| told.is_none_or(|told| *days < told));
            days.filter_map(|days| {
                Some(credential.expires_at?.saturating_sub(i64::from(days) * DAY))
            })
        });
        next.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn expiring_at(expires_at: i64) -> Arc<Credential> {
        let credential = Credential::new(None, "app".into(), Secret::new("s"));
        Arc::new(credential.expiring(Some(expires_at)))
    }

    fn days(expiring: &mut Expiring, utc: i64) -> Vec<u32> {
        expiring.take_due(utc).into_iter().map(|(_, _, days)| days).collect()
    }

    #[test]
    fn it_is_told_thirty_seven_and_one_day_before_the_end_and_at_the_end() {
        let mut expiring = Expiring::default();
        expiring.watch(&[expiring_at(100 * DAY)]);
        let mut told = Vec::new();
        while let Some(at) = expiring.next() {
            assert!(days(&mut expiring, at - 1).is_empty());
            told.extend(days(&mut expiring, at).into_iter().map(|days| (at / DAY, days)));
        }
        assert_eq!(told, [(70, 30), (93, 7), (99, 1), (100, 0)]);
    }

    #[test]
    fn whoever_starts_late_is_told_the_latest_only_and_once() {
        let mut expiring = Expiring::default();
        expiring.watch(&[expiring_at(100 * DAY)]);
        assert_eq!(days(&mut expiring, 95 * DAY), [7]);
        expiring.watch(&[expiring_at(100 * DAY)]);
        assert!(days(&mut expiring, 96 * DAY).is_empty());
        expiring.watch(&[expiring_at(97 * DAY)]);
        assert_eq!(days(&mut expiring, 96 * DAY), [1], "it was given another end");
    }
}
