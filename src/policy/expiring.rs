//! Credentials that expire at the provider, and when people are warned of it.

use std::sync::Arc;
use std::time::Duration;

use crate::credential::Credential;

const DAY: i64 = 86_400_000;

/// How many days before a credential expires people are warned; 0 is the moment itself.
const DAYS: [u32; 4] = [30, 7, 1, 0];

/// How many milliseconds before it expires a credential is a problem that needs somebody now.
pub const SOON_MS: i64 = DAY;

/// A warning that is due.
#[derive(Debug, Clone)]
pub struct ExpiryWarning {
    /// The credential that expires.
    pub credential: Arc<Credential>,
    /// When it expires, in milliseconds since 1970.
    pub expires_at: i64,
    /// How many days are left, rounded to those at which people are warned.
    pub days_left: u32,
}

/// The credentials that are watched, each with the number of days of the latest warning.
#[derive(Debug, Default)]
pub struct ExpiryWarnings(Vec<(Arc<Credential>, Option<u32>)>);

impl ExpiryWarnings {
    /// Watches these credentials and no others. A warning that was given is not repeated.
    pub fn watch<'a>(&mut self, credentials: impl IntoIterator<Item = &'a Arc<Credential>>) {
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

    /// The warnings that are due at this time, in milliseconds since 1970.
    pub fn take_due(&mut self, utc: i64) -> Vec<ExpiryWarning> {
        let mut due = Vec::new();
        for (credential, told) in &mut self.0 {
            let Some(expires_at) = credential.expires_at else { continue };
            let reached = |days: &u32| utc >= expires_at.saturating_sub(i64::from(*days) * DAY);
            let Some(days) = DAYS.into_iter().filter(reached).min() else { continue };
            if told.is_none_or(|told| days < told) {
                *told = Some(days);
                let credential = Arc::clone(credential);
                due.push(ExpiryWarning { credential, expires_at, days_left: days });
            }
        }
        due
    }

    /// How long it takes from this time, in milliseconds since 1970, until the next warning is due.
    pub fn wait(&self, utc: i64) -> Option<Duration> {
        let left = self.next()?.saturating_sub(utc);
        Some(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }

    /// When the next warning is due, in milliseconds since 1970.
    fn next(&self) -> Option<i64> {
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

    fn days(expiring: &mut ExpiryWarnings, utc: i64) -> Vec<u32> {
        expiring.take_due(utc).into_iter().map(|it| it.days_left).collect()
    }

    #[test]
    fn it_is_told_thirty_seven_and_one_day_before_the_end_and_at_the_end() {
        let mut expiring = ExpiryWarnings::default();
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
        let mut expiring = ExpiryWarnings::default();
        expiring.watch(&[expiring_at(100 * DAY)]);
        assert_eq!(days(&mut expiring, 95 * DAY), [7]);
        expiring.watch(&[expiring_at(100 * DAY)]);
        assert!(days(&mut expiring, 96 * DAY).is_empty());
        expiring.watch(&[expiring_at(97 * DAY)]);
        assert_eq!(days(&mut expiring, 96 * DAY), [1], "it was given another end");
    }
}
