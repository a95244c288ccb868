//! The `Retry-After` header (RFC 9110 §10.2.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long the server asks to be left alone.
///
/// Either a number of seconds or one of the three date forms of RFC 9110 §5.6.7. A date is measured
/// against the server's own `Date`, and only without one against our clock, which may be wrong.
pub fn parse(retry_after: &str, date: Option<&str>, now_millis: i64) -> Option<Duration> {
    let retry_after = retry_after.trim();
    if !retry_after.is_empty() && retry_after.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(retry_after.parse().unwrap_or(u64::MAX)));
    }
    let at = httpdate::parse_http_date(retry_after).ok()?;
    let now = date
        .and_then(|date| httpdate::parse_http_date(date.trim()).ok())
        .unwrap_or_else(|| instant(now_millis));
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

fn instant(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATE: Option<&str> = Some("Sun, 06 Nov 1994 08:48:37 GMT");
    const NOW: i64 = 784_111_717_000;

    #[test]
    fn seconds_and_all_three_date_forms_are_understood() {
        let minute = Some(Duration::from_secs(60));
        assert_eq!(parse("60", None, 0), minute);
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(form, DATE, 0), minute, "{form}");
            assert_eq!(parse(form, None, NOW), minute, "{form}");
        }
    }

    #[test]
    fn the_past_means_now_and_nonsense_nothing() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:47:37 GMT", DATE, 0), Some(Duration::ZERO));
        for nonsense in ["", "-1", "1.5", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(parse(nonsense, DATE, 0), None, "{nonsense}");
        }
        assert_eq!(parse("99999999999999999999999", None, 0), Some(Duration::from_secs(u64::MAX)));
    }

    proptest! {
        #[test]
        fn any_header_is_a_time_or_nothing(
            header in prop_oneof![
                any::<String>(),
                "[ ]{0,2}[0-9]{0,25}[ ]{0,2}",
                "(Sun|Mon|Sunday),? [0-9]{1,2}[ -](Nov|Feb|xyz)[ -][0-9]{2,4} [0-9:]{5,8}( GMT)?",
            ],
            date in proptest::option::of(any::<String>()),
            now in any::<i64>(),
        ) {
            let wait = parse(&header, date.as_deref(), now);
            let digits = header.trim();
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                prop_assert_eq!(wait, Some(Duration::from_secs(digits.parse().unwrap_or(u64::MAX))));
            }
        }

        #[test]
        fn a_date_reads_back_as_the_time_from_the_servers_date_or_ours_to_it(
            // 1970 to 9999, what a date of HTTP can say.
            now in 0_u64..253_402_300_800, at in 0_u64..253_402_300_800, ours in any::<i64>(),
        ) {
            let text = |seconds| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            let wait = Some(Duration::from_secs(at.saturating_sub(now)));
            prop_assert_eq!(parse(&text(at), Some(&text(now)), ours), wait);
            let now_millis = i64::try_from(now * 1000).unwrap();
            prop_assert_eq!(parse(&text(at), None, now_millis), wait);
            prop_assert_eq!(parse(&text(at), Some("yesterday"), now_millis), wait);
        }
    }
}
