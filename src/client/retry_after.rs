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
}
