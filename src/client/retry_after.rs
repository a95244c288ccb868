//! Reads how long a server asks us to wait, from `Retry-After` (RFC 9110 §10.2.3) or from what some
//! servers send instead.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;

/// Headers about a rate limit. Their value is a number of seconds, an instant in seconds or
/// milliseconds since 1970, or a date. Numbers are told apart by their size.
const RESETS: [&str; 4] =
    ["x-ratelimit-reset-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];

/// Headers whose value is a number of milliseconds.
const MILLIS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];

/// From this value on, a number is an instant in seconds since 1970, not a number of seconds from
/// now: as a duration it would be 31 years, as an instant it is in the year 2001.
const FIRST_INSTANT: f64 = 1e9;
/// From this value on, a number is an instant in milliseconds since 1970: in milliseconds it is in
/// the year 1973, in seconds it would be in the year 5138.
const FIRST_INSTANT_MILLIS: f64 = 1e11;

/// Returns how long the server asks us to wait, from the headers of its answer. `header` returns a
/// header's value by its lower-case name.
///
/// Some servers send headers about a rate limit in every answer, so they count only if the answer
/// says that there are too many requests. A date is compared with the server's own `Date`. If there
/// is none, it is compared with our clock, which may be wrong.
pub fn wait<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    is_throttled: bool,
    now_millis: i64,
) -> Option<Duration> {
    let date = header("date");
    let now = || {
        date.and_then(|date| httpdate::parse_http_date(date).ok())
            .unwrap_or_else(|| instant(now_millis))
    };
    let standard = header("retry-after")
        .and_then(|value| parse(value, date, now_millis))
        .or_else(|| reset(header("x-retry-after")?, now()));
    if standard.is_some() || !is_throttled {
        return standard;
    }
    let in_millis = MILLIS.iter().find_map(|name| positive(header(name)?));
    in_millis
        .map(|millis| seconds(millis / 1000.0))
        .or_else(|| RESETS.iter().find_map(|name| reset(header(name)?, now())))
        .or_else(|| reset(reset_of_draft(header("ratelimit")?)?, now()))
}

/// Reads the value of `Retry-After`: a number of seconds or one of the three date forms of RFC 9110
/// §5.6.7.
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

fn reset(value: &str, now: SystemTime) -> Option<Duration> {
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let until = |instant: Duration| instant.saturating_sub(since_epoch);
    match positive(value) {
        Some(number) if number >= FIRST_INSTANT_MILLIS => Some(until(seconds(number / 1000.0))),
        Some(number) if number >= FIRST_INSTANT => Some(until(seconds(number))),
        Some(number) => Some(seconds(number)),
        None => {
            let at = DateTime::parse_from_rfc3339(value).map(SystemTime::from).ok();
            let at = at.or_else(|| httpdate::parse_http_date(value).ok())?;
            Some(at.duration_since(now).unwrap_or(Duration::ZERO))
        }
    }
}

/// Finds `reset=30` or `t=30` in the `RateLimit` header of the IETF HTTPAPI drafts.
fn reset_of_draft(value: &str) -> Option<&str> {
    value.split([',', ';']).find_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        matches!(name, "reset" | "t").then_some(value)
    })
}

/// Reads a number that is not negative, such as `30` or `1.5`.
fn positive(value: &str) -> Option<f64> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    value.parse().ok().filter(|_| is_number)
}

/// Limits the number so that no `Duration` overflows. Nothing waits for 30,000 years anyway.
fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.min(1e12))
}

fn instant(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::client::response::Headers;

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

    fn throttled(list: &[(&str, &str)], now_millis: i64) -> Option<Duration> {
        let headers = Headers::pick(|name| {
            list.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
        });
        wait(|name| headers.get(name), true, now_millis)
    }

    #[test]
    fn a_reset_in_any_form_is_understood() {
        let half_a_minute = Some(Duration::from_secs(30));
        for name in RESETS.iter().chain(&["x-retry-after"]) {
            for form in [
                "30",
                "30.0",
                "784111747",
                "784111747000",
                "1994-11-06T08:49:07Z",
                "1994-11-06T09:49:07+01:00",
                "Sun, 06 Nov 1994 08:49:07 GMT",
            ] {
                // This instant is before 2001, so it would count as seconds from now.
                let is_early = form == "784111747";
                let (form, now) =
                    if is_early { ("1784111747", NOW + 1_000_000_000_000) } else { (form, NOW) };
                assert_eq!(throttled(&[(name, form)], now), half_a_minute, "{name}: {form}");
            }
            assert_eq!(
                throttled(&[(name, "1784111747"), ("date", DATE.unwrap())], 0),
                Some(Duration::from_secs(1_000_000_030)),
                "by the server's clock"
            );
            for nonsense in ["", "-1", "soon", "1e3", "inf", "NaN", "30s", ".", "1.2.3"] {
                assert_eq!(throttled(&[(name, nonsense)], NOW), None, "{name}: {nonsense}");
            }
            assert_eq!(throttled(&[(name, "784111600000")], NOW), Some(Duration::ZERO), "the past");
            assert!(throttled(&[(name, &"9".repeat(400))], NOW) > half_a_minute);
        }
        for name in MILLIS {
            assert_eq!(throttled(&[(name, "1500")], NOW), Some(Duration::from_millis(1500)));
        }
        for draft in ["limit=100, remaining=0, reset=30", r#""default";r=0;t=30"#] {
            assert_eq!(throttled(&[("ratelimit", draft)], NOW), half_a_minute, "{draft}");
        }
        assert_eq!(throttled(&[("ratelimit", r#""default";r=0"#)], NOW), None);
    }

    #[test]
    fn what_the_standard_says_comes_first() {
        let both = [("retry-after", "60"), ("x-ratelimit-reset", "30"), ("retry-after-ms", "5")];
        assert_eq!(throttled(&both, NOW), Some(Duration::from_secs(60)));
        let unreadable = [("retry-after", "soon"), ("x-ratelimit-reset", "30")];
        assert_eq!(throttled(&unreadable, NOW), Some(Duration::from_secs(30)));
    }

    proptest! {
        #[test]
        fn any_reset_is_a_time_or_nothing(
            name in select([MILLIS.as_slice(), &RESETS, &["x-retry-after", "ratelimit"]].concat()),
            value in prop_oneof![any::<String>(), "[0-9.]{0,400}", "t=[0-9.e]{0,12}", "[0-9T:Z+-]{0,30}"],
            date in any::<String>(),
            now in any::<i64>(),
        ) {
            throttled(&[(name, &value), ("date", &date)], now);
        }

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
            // 1970 to 9999: the years that an HTTP date can express.
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
