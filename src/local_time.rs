//! Formats instants for people: in a time zone, with its offset and name.

use chrono::{DateTime, FixedOffset, SecondsFormat};

use crate::time_zone::TimeZone;

/// Formats an instant as in RFC 9557: `2026-11-23T16:28:00-03:00[America/Sao_Paulo]`.
///
/// Fractions of a second are cut off. Returns `None` if the zone is unknown or the year has more
/// than four digits.
pub fn format(epoch_millis: i64, time_zone: &str) -> Option<String> {
    let zone = TimeZone::find(time_zone)?;
    let instant = DateTime::from_timestamp_millis(epoch_millis)?;
    let offset = FixedOffset::east_opt(zone.offset_at(instant.timestamp()))?;
    let text = instant.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, false);
    let has_four_digit_year = text.as_bytes().get(4) == Some(&b'-');
    has_four_digit_year.then(|| format!("{text}[{}]", zone.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(instant: &str, zone: &str) -> String {
        let millis = DateTime::parse_from_rfc3339(instant).unwrap().timestamp_millis();
        format(millis, zone).unwrap()
    }

    #[test]
    fn an_instant_carries_the_zones_offset_and_name() {
        assert_eq!(
            at("2026-11-23T19:28:00.999Z", "America/Sao_Paulo"),
            "2026-11-23T16:28:00-03:00[America/Sao_Paulo]"
        );
        assert_eq!(at("2026-11-23T19:28:00Z", "UTC"), "2026-11-23T19:28:00+00:00[UTC]");
        assert_eq!(
            at("2026-01-01T00:00:00Z", "asia/kathmandu"),
            "2026-01-01T05:45:00+05:45[Asia/Kathmandu]"
        );
    }

    #[test]
    fn a_gap_is_jumped_over() {
        let zone = "America/New_York";
        assert_eq!(at("2026-03-08T06:59:59Z", zone), "2026-03-08T01:59:59-05:00[America/New_York]");
        assert_eq!(at("2026-03-08T07:00:00Z", zone), "2026-03-08T03:00:00-04:00[America/New_York]");
    }

    #[test]
    fn a_fold_shows_the_same_hour_with_two_offsets() {
        let zone = "America/New_York";
        assert_eq!(at("2026-11-01T05:30:00Z", zone), "2026-11-01T01:30:00-04:00[America/New_York]");
        assert_eq!(at("2026-11-01T06:30:00Z", zone), "2026-11-01T01:30:00-05:00[America/New_York]");
        let zone = "Australia/Lord_Howe";
        assert_eq!(
            at("2026-04-04T14:59:59Z", zone),
            "2026-04-05T01:59:59+11:00[Australia/Lord_Howe]"
        );
        assert_eq!(
            at("2026-04-04T15:00:00Z", zone),
            "2026-04-05T01:30:00+10:30[Australia/Lord_Howe]"
        );
    }

    #[test]
    fn what_cannot_be_written_is_nothing() {
        assert_eq!(format(0, "Mars/Olympus"), None);
        assert_eq!(format(i64::MAX, "UTC"), None);
        assert_eq!(format(253_402_300_800_000, "UTC"), None, "the year 10000");
    }
}
