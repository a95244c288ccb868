//! The IANA time zones: their names, and their offsets from UTC.
//!
//! The data is chrono-tz's. The crate itself would add 1.9 MB to the addon, 1 MB of it pointers
//! that the loader writes in every process. `build/time_zones.rs` makes a table of 0.11 MB from it,
//! without pointers.

use table::{AFTERS, BEGIN, HISTORIES, NAMES, OFFSETS, ZONES};

/// One time zone, as positions in the table.
#[derive(Debug, PartialEq, Eq)]
pub struct TimeZone {
    /// The start and the end of the name in `NAMES`.
    name: (u16, u16),
    /// The offset before the first change, in seconds.
    first: i32,
    /// The start and the end of the history in `HISTORIES`, whose elements are positions in
    /// `AFTERS` and `OFFSETS`.
    history: (u16, u16),
}

impl TimeZone {
    /// The zone with this name, in either case.
    pub fn find(name: &str) -> Option<&'static Self> {
        let found = ZONES.binary_search_by(|zone| lowercase(zone.name()).cmp(lowercase(name)));
        found.ok().map(|place| &ZONES[place])
    }

    /// The name as the database spells it.
    pub fn name(&self) -> &'static str {
        let (start, end) = self.name;
        &NAMES[usize::from(start)..usize::from(end)]
    }

    /// How many seconds its clocks are ahead of UTC, at an instant in seconds since 1970.
    pub fn offset_at(&self, seconds: i64) -> i32 {
        let (start, end) = self.history;
        let (mut change, mut offset) = (BEGIN, self.first);
        for &number in &HISTORIES[usize::from(start)..usize::from(end)] {
            change += i64::from(AFTERS[usize::from(number)]);
            if seconds < change {
                break;
            }
            offset = OFFSETS[usize::from(number)];
        }
        offset
    }
}

/// The bytes of a name as the table is sorted by them.
fn lowercase(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

#[expect(clippy::unreadable_literal, reason = "a program writes and reads it")]
mod table {
    use super::TimeZone;

    include!(concat!(env!("OUT_DIR"), "/time_zones.rs"));
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, NaiveTime, Offset, TimeZone as _};
    use chrono_tz::{IANA_TZDB_VERSION, TZ_VARIANTS, Tz};

    use super::*;

    fn assert_same(zone: &TimeZone, of: Tz, seconds: i64) {
        let instant = DateTime::from_timestamp(seconds, 0).unwrap();
        let expected = of.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc();
        assert_eq!(zone.offset_at(seconds), expected, "{of} at {instant}");
    }

    #[test]
    fn every_zone_is_found_by_its_name_in_either_case() {
        assert_eq!(ZONES.len(), TZ_VARIANTS.len());
        for zone in TZ_VARIANTS {
            let name = zone.name();
            for spelling in [name, &name.to_ascii_lowercase(), &name.to_ascii_uppercase()] {
                assert_eq!(TimeZone::find(spelling).map(TimeZone::name), Some(name));
            }
        }
        for name in
            ["", "America", "America/Sao Paulo", "Europe/Berlin ", "\u{212a}WAJALEIN", "é", "~"]
        {
            assert_eq!(TimeZone::find(name), None, "{name}");
        }
    }

    #[test]
    fn offsets_are_those_of_chrono_tz_around_every_change() {
        let mut changes = 0;
        for of in TZ_VARIANTS {
            let zone = TimeZone::find(of.name()).unwrap();
            let mut change = BEGIN;
            for place in zone.history.0..zone.history.1 {
                let after = AFTERS[usize::from(HISTORIES[usize::from(place)])];
                change += i64::from(after);
                for seconds in change - 1..=change + 1 {
                    assert_same(zone, of, seconds);
                }
                let is_stop = after == u32::MAX;
                assert!(is_stop || zone.offset_at(change - 1) != zone.offset_at(change));
                changes += 1;
            }
        }
        assert!(changes > 60_000, "{changes}");
    }

    #[test]
    fn offsets_are_those_of_chrono_tz_in_every_year_that_can_be_written() {
        let [first, from, until, last] =
            ["-0001-12-30", "1800-01-01", "2101-01-01", "+10000-01-03"].map(|date| {
                date.parse::<NaiveDate>().unwrap().and_time(NaiveTime::MIN).and_utc().timestamp()
            });
        // Steps that fall in step neither with years nor with those of build/time_zones.rs.
        let instants = (first..from).step_by(400_000_001).chain((from..until).step_by(2_800_001));
        let instants: Vec<i64> = instants.chain((until..last).step_by(400_000_001)).collect();
        for of in TZ_VARIANTS {
            let zone = TimeZone::find(of.name()).unwrap();
            for &seconds in &instants {
                assert_same(zone, of, seconds);
            }
        }
    }

    #[test]
    fn the_version_of_the_data_is_told() {
        let told = format!("tzdata {IANA_TZDB_VERSION}");
        for text in [include_str!("../docs/options.md"), include_str!("../ARCHITECTURE.md")] {
            assert!(text.contains(&told), "{told}");
        }
    }
}
