//! An index of the short rows of characters that a text may be read as.

use std::collections::HashMap;

use super::spelling::SpelledTexts;

const FILTER_BITS: u32 = 16;

/// An index of short rows of characters, each by a number that is computed from it.
pub(super) struct Grams {
    /// Whether there may be a row with this number. The answer is nearly always no, and costs one
    /// look.
    filter: Vec<bool>,
    exact: HashMap<u64, Vec<GramPlace>>,
}

impl Default for Grams {
    fn default() -> Self {
        Self { filter: vec![false; 1 << FILTER_BITS], exact: HashMap::new() }
    }
}

impl Grams {
    /// Adds every row of this length that may be read from this place on.
    pub(super) fn add(
        &mut self,
        readings: &SpelledTexts,
        place: GramPlace,
        length: usize,
        kind: fn(char) -> Option<char>,
    ) {
        let mut rows = vec![(0, place.place)];
        for _ in 0..length {
            let mut longer: Vec<(u64, usize)> = Vec::new();
            for (row, place) in rows {
                longer.extend(
                    readings
                        .at(place)
                        .iter()
                        .filter_map(|reading| Some((with(row, kind(reading.char)?), reading.end))),
                );
            }
            longer.sort_unstable();
            longer.dedup();
            rows = longer;
        }
        rows.dedup_by_key(|(row, _)| *row);
        for (row, _) in rows {
            self.filter[slot(row)] = true;
            self.exact.entry(row).or_default().push(place);
        }
    }

    /// The places at which these characters stand in a row.
    pub(super) fn places(&self, chars: impl Iterator<Item = char>) -> &[GramPlace] {
        let row = chars.fold(0, with);
        let places = if self.filter[slot(row)] { self.exact.get(&row) } else { None };
        places.map_or(&[], Vec::as_slice)
    }
}

fn with(row: u64, char: char) -> u64 {
    row.rotate_left(12) ^ u64::from(char)
}

fn slot(row: u64) -> usize {
    let mixed = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - FILTER_BITS);
    usize::try_from(mixed).unwrap_or(0)
}

/// A position in the text of a layer.
#[derive(Clone, Copy)]
pub(super) struct GramPlace {
    pub(super) layer: usize,
    pub(super) place: usize,
}
