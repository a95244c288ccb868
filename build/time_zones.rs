//! Writes the time zones of chrono-tz as a table of numbers for `src/time_zone.rs`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::{env, fs};

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

/// The beginnings of the years 1800 and 2100. chrono-tz has no change before or after them.
const BEGIN: i64 = -5_364_662_400;
const END: i64 = 4_102_444_800;
const STEP: i64 = 2 * 24 * 3600;
/// Two changes within one step are missed if the second reverts the first. The nearest changes of
/// all are a week apart. If there are nearer ones, the step has to be smaller.
const NEAREST: i64 = 3 * STEP;

/// The seconds since the previous change, or since `BEGIN`, and the offset from then on.
type Change = (u32, i32);

pub(crate) fn write() {
    let mut zones = TZ_VARIANTS;
    zones.sort_by_key(|zone| zone.name().to_ascii_lowercase());
    let mut names = String::new();
    let mut changes: Vec<Change> = Vec::new();
    let mut numbers: HashMap<Change, u16> = HashMap::new();
    let mut histories: Vec<u16> = Vec::new();
    let mut rows = Vec::new();
    for zone in zones {
        let name = (number(names.len()), number(names.len() + zone.name().len()));
        names.push_str(zone.name());
        let mut history = Vec::new();
        for change in history_of(zone) {
            let next = number(changes.len());
            history.push(*numbers.entry(change).or_insert_with(|| {
                changes.push(change);
                next
            }));
        }
        let history = place(&mut histories, &history);
        let first = offset_at(zone, BEGIN);
        rows.push(format!(
            "TimeZone {{ name: {name:?}, first: {first}, history: {history:?} }},\n"
        ));
    }
    // Two tables, since pairs would take more room for their alignment.
    let (afters, offsets): (Vec<u32>, Vec<i32>) = changes.into_iter().unzip();
    let table = format!(
        "pub(super) const BEGIN: i64 = {BEGIN};\n\
         pub(super) static NAMES: &str = {names:?};\n\
         pub(super) static AFTERS: [u32; {count}] = {afters:?};\n\
         pub(super) static OFFSETS: [i32; {count}] = {offsets:?};\n\
         pub(super) static HISTORIES: [u16; {}] = {histories:?};\n\
         pub(super) static ZONES: [TimeZone; {}] = [\n{}];\n",
        histories.len(),
        rows.len(),
        rows.concat(),
        count = afters.len(),
    );
    #[expect(clippy::disallowed_methods, reason = "cargo tells the place by a variable")]
    let directory = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(directory.join("time_zones.rs"), table).expect("cargo made the directory");
}

/// The position of this history among all histories. It is added if it is new: many names belong to
/// the same zone.
fn place(histories: &mut Vec<u16>, history: &[u16]) -> (u16, u16) {
    let known = histories.windows(history.len().max(1)).position(|window| window == history);
    let start = known.unwrap_or_else(|| {
        histories.extend(history);
        histories.len() - history.len()
    });
    (number(start), number(start + history.len()))
}

fn history_of(zone: Tz) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut last, mut offset) = (BEGIN, offset_at(zone, BEGIN));
    for begin in (BEGIN..END).step_by(usize::try_from(STEP).expect("a step is short")) {
        let end = begin + STEP;
        if offset_at(zone, end) == offset {
            continue;
        }
        // The change is after `before`, and at or before `change`.
        let (mut before, mut change) = (begin, end);
        while change - before > 1 {
            let middle = before.midpoint(change);
            if offset_at(zone, middle) == offset {
                before = middle;
            } else {
                change = middle;
            }
        }
        assert!(
            changes.is_empty() || change - last > NEAREST,
            "{zone} changes twice within {NEAREST} s"
        );
        // One number can express at most 136 years.
        while change - last > i64::from(u32::MAX) {
            changes.push((u32::MAX, offset));
            last += i64::from(u32::MAX);
        }
        offset = offset_at(zone, change);
        changes.push((u32::try_from(change - last).expect("it is later"), offset));
        last = change;
    }
    changes
}

fn offset_at(zone: Tz, seconds: i64) -> i32 {
    let instant = DateTime::from_timestamp(seconds, 0).expect("an instant of chrono's");
    zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
}

fn number(count: usize) -> u16 {
    u16::try_from(count).expect("the table of time zones takes larger numbers than u16")
}
