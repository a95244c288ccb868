//! Finds secrets in a text, and in everything that the text may be read as.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::RUN;
use super::encoded::{Decoded, FEWEST_BYTES, decoded, is_of_base64};
use super::needle::{ALPHABET, Needle, unified};
use super::spelling::Readings;
use super::text::{Text, fold, visible};

/// How many encodings by groups of characters may be nested.
const LAYERS: usize = 3;

/// Each run of [`RUN`] characters contains a row of this length that begins at a multiple of
/// [`STEP`].
const GRAM: usize = 5;
const STEP: usize = RUN - GRAM + 1;

/// At how many places a needle may begin. With more, nothing of the text is shown: the search would
/// take seconds, and more memory than there is. Only a token that a server made for this purpose
/// has so many.
const MOST_STARTS: usize = 1 << 17;

/// The length of a group of base64. Each run of [`RUN`] characters of base64 contains a whole
/// group.
const GROUP: usize = 4;

/// A text that is searched for one secret after another.
pub(super) struct Searched {
    layers: Vec<Layer>,
    grams: Grams,
    groups: Grams,
    /// Whether each character of the shown text is hidden.
    hidden: Vec<bool>,
}

/// One text that the shown text may be read as.
struct Layer {
    readings: Readings,
    text: Text,
    /// The part of the shown text that this was decoded from. It is hidden as a whole.
    whole: Option<Range<usize>>,
}

impl Searched {
    pub(super) fn new(text: &Text) -> Self {
        let mut layers = Vec::new();
        unfold(&mut layers, text.clone(), None, LAYERS);
        let mut grams = Grams::default();
        let mut groups = Grams::default();
        for (layer, Layer { readings, .. }) in layers.iter().enumerate() {
            for place in 0..readings.len() {
                let place = Place { layer, place };
                grams.add(readings, place, GRAM, |char| Some(fold(char)));
                groups
                    .add(readings, place, GROUP, |char| is_of_base64(char).then(|| unified(char)));
            }
        }
        Self { hidden: vec![false; text.chars.len()], layers, grams, groups }
    }

    pub(super) fn hidden(&self) -> &[bool] {
        &self.hidden
    }

    /// Hides every part of the text that belongs to a secret.
    pub(super) fn hide(&mut self, secret: &str) {
        if !self.may_have(secret) {
            return;
        }
        for needle in Needle::forms(secret) {
            let Some(all) = self.starts(&needle) else {
                self.hidden.fill(true);
                return;
            };
            let mut starts = vec![vec![]; self.layers.len()];
            for (place, start) in all {
                starts[place.layer].push((place.place, start));
            }
            for (layer, starts) in self.layers.iter().zip(starts) {
                layer.hide(&needle, &starts, &mut self.hidden);
            }
        }
    }

    /// Whether a search is worthwhile. Many secrets may be known, and most have nothing in common
    /// with a text.
    fn may_have(&self, secret: &str) -> bool {
        if secret.len() < RUN || !secret.is_ascii() {
            return true;
        }
        let bytes = secret.as_bytes();
        let folded = |byte: &u8| fold(visible(char::from(*byte)).unwrap_or(' '));
        let mut grams = bytes.windows(GRAM).step_by(STEP);
        grams.any(|gram| !self.grams.places(gram.iter().map(folded)).is_empty())
            || bytes.windows(3).any(|bytes| {
                let bits = bytes.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
                let sextets = [18, 12, 6, 0].map(|shift| ALPHABET[bits >> shift & 63]);
                !self.groups.places(sextets.into_iter().map(char::from)).is_empty()
            })
    }

    /// The places where a row of the needle that must not be shown may begin, each with the row's
    /// position in the needle. Returns `None` if there are too many. A row that the needle repeats
    /// is searched for once.
    fn starts(&self, needle: &Needle) -> Option<Vec<(Place, usize)>> {
        let (grams, length) =
            if needle.is_base64 { (&self.groups, GROUP) } else { (&self.grams, GRAM) };
        let mut rows = HashSet::new();
        let mut starts = Vec::new();
        for (start, row) in needle.chars.windows(needle.run).enumerate() {
            let begin = &row[..length.min(row.len())];
            let places = grams.places(begin.iter().map(|char| fold(*char)));
            // Characters outside ASCII may be written in ways that only the search knows.
            let is_known = begin.len() == length && begin.iter().all(char::is_ascii);
            if (is_known && places.is_empty()) || !rows.insert(row) {
                continue;
            }
            starts.extend(places.iter().map(|place| (*place, start)));
            if !is_known {
                let is_short = begin.len() < length;
                let anywhere = self.everywhere(|layer| is_short || layer.whole.is_none());
                starts.extend(anywhere.map(|place| (place, start)));
            }
            if starts.len() > MOST_STARTS {
                return None;
            }
        }
        Some(starts)
    }

    fn everywhere(&self, is_meant: impl Fn(&Layer) -> bool) -> impl Iterator<Item = Place> {
        let layers = self.layers.iter().enumerate().filter(move |(_, layer)| is_meant(layer));
        layers.flat_map(|(layer, Layer { readings, .. })| {
            (0..readings.len()).map(move |place| Place { layer, place })
        })
    }
}

/// A position in the text of a layer.
#[derive(Clone, Copy)]
struct Place {
    layer: usize,
    place: usize,
}

/// Adds a text as a layer, the text without its escapes as another, and everything that is encoded
/// in either.
fn unfold(layers: &mut Vec<Layer>, text: Text, whole: Option<&Range<usize>>, more: usize) {
    let readings = Readings::of(&text);
    let unescaped = readings.unescaped(&text).map(|text| (Readings::of(&text), text));
    for (readings, text) in [Some((readings, text)), unescaped].into_iter().flatten() {
        let encoded = if more > 0 { decoded(&text) } else { vec![] };
        for Decoded { text, span } in encoded {
            unfold(layers, text, Some(whole.unwrap_or(&span)), more - 1);
        }
        layers.push(Layer { readings, text, whole: whole.cloned() });
    }
}

/// A part of the needle that ends at some position of the text.
#[derive(Clone, Copy)]
struct Part {
    /// The end of the part in the needle.
    end: usize,
    length: usize,
    /// Where the part begins in the text.
    start: usize,
}

impl Layer {
    /// Hides the needle. `starts` are the positions where a part of it may begin, in the text and
    /// in the needle.
    fn hide(&self, needle: &Needle, starts: &[(usize, usize)], hidden: &mut [bool]) {
        if let Some(whole) = &self.whole {
            let is_done = hidden[whole.clone()].iter().all(|is_hidden| *is_hidden);
            // A few bytes may equal a few others by chance.
            if is_done || needle.chars.len() < FEWEST_BYTES {
                return;
            }
        }
        if starts.is_empty() {
            return;
        }
        // The parts that end at each position. Of parts that are equal in the needle, the first in
        // the text.
        let mut parts: Vec<Vec<Part>> = vec![vec![]; self.readings.len() + 1];
        for &(start, end) in starts {
            add(&mut parts[start], Part { end, length: 0, start });
        }
        let mut marked = 0..0;
        // There may be an invisible character at the end, too.
        for place in 0..=self.readings.len() {
            let mut index = 0;
            while let Some(&Part { end: at, length, start }) = parts[place].get(index) {
                index += 1;
                let Some(&char) = needle.chars.get(at) else { continue };
                self.ends(place, char, needle.is_base64, &mut |end| {
                    // A longer part needs no mark here: each of its rows has a start of its own.
                    if length + 1 == needle.run {
                        if start < marked.start || end > marked.end {
                            marked = self.mark(start..end, needle.is_base64, hidden);
                        }
                    } else {
                        add(&mut parts[end], Part { end: at + 1, length: length + 1, start });
                    }
                });
            }
            parts[place] = vec![];
        }
    }

    /// Calls `found` with each position at which this character ends, or what is left of it, if it
    /// begins here.
    fn ends(&self, place: usize, char: char, is_base64: bool, found: &mut impl FnMut(usize)) {
        // A decoded text is UTF-8, if it is a text at all.
        let is_wide = !char.is_ascii() && self.whole.is_none();
        for reading in self.readings.at(place) {
            let read = if is_base64 { unified(reading.char) } else { fold(reading.char) };
            if read == fold(char) || (is_wide && matches!(read, '\u{fffd}' | '?')) {
                found(reading.end);
            }
        }
        if is_wide {
            // An invisible character was left out of the text, if it came as it is. A line break
            // became a blank.
            match visible(char) {
                None => found(place),
                Some(shown) if shown != char => {
                    let readings = self.readings.at(place).iter();
                    readings.filter(|it| it.char == shown).for_each(|it| found(it.end));
                }
                Some(_) => {}
            }
            // The text may be UTF-8 that somebody took for Latin-1. Or a character that Latin-1
            // does not have was cut to its last eight bits.
            self.misread(place, char.encode_utf8(&mut [0; 4]).as_bytes(), found);
            let mut units = [0; 2];
            let low = char.encode_utf16(&mut units).iter().map(|unit| unit.to_le_bytes()[0]);
            self.misread(place, &low.collect::<Vec<_>>(), found);
        }
    }

    /// Finds these bytes as characters of Latin-1, or as what a lenient reader makes of them.
    fn misread(&self, place: usize, bytes: &[u8], found: &mut impl FnMut(usize)) {
        let Some((&byte, rest)) = bytes.split_first() else { return found(place) };
        let Some(char) = visible(char::from(byte)) else { return self.misread(place, rest, found) };
        for reading in self.readings.at(place) {
            let is_lost = !byte.is_ascii() && reading.char == '\u{fffd}';
            if fold(reading.char) == fold(char) || is_lost {
                self.misread(reading.end, rest, found);
            }
        }
    }

    /// Hides what these characters were made of; of base64, the whole stretch that they belong to.
    /// Returns the range of characters that are hidden.
    fn mark(&self, chars: Range<usize>, is_base64: bool, hidden: &mut [bool]) -> Range<usize> {
        let all = 0..self.text.chars.len();
        let Range { mut start, mut end } = if self.whole.is_some() { all } else { chars };
        if is_base64 {
            let chars = &self.text.chars;
            let is_of_it = |char: &&char| is_of_base64(**char) || **char == '=';
            start -= chars[..start].iter().rev().take_while(is_of_it).count();
            end += chars[end..].iter().take_while(is_of_it).count();
        }
        hidden[self.whole.clone().unwrap_or_else(|| self.text.span(start..end))].fill(true);
        start..end
    }
}

/// Adds a part, unless it is there already.
fn add(parts: &mut Vec<Part>, part: Part) {
    let key = |part: &Part| (part.end, part.length);
    match parts.binary_search_by_key(&key(&part), key) {
        Ok(index) => parts[index].start = parts[index].start.min(part.start),
        Err(index) => parts.insert(index, part),
    }
}

/// An index of short rows of characters, each by a number that is computed from it.
struct Grams {
    /// Whether there may be a row with this number. The answer is nearly always no, and costs one
    /// look.
    filter: Vec<bool>,
    exact: HashMap<u64, Vec<Place>>,
}

impl Default for Grams {
    fn default() -> Self {
        Self { filter: vec![false; 1 << FILTER_BITS], exact: HashMap::new() }
    }
}

impl Grams {
    /// Adds every row of this length that may be read from this place on.
    fn add(
        &mut self,
        readings: &Readings,
        place: Place,
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
    fn places(&self, chars: impl Iterator<Item = char>) -> &[Place] {
        let row = chars.fold(0, with);
        let places = if self.filter[slot(row)] { self.exact.get(&row) } else { None };
        places.map_or(&[], Vec::as_slice)
    }
}

const FILTER_BITS: u32 = 16;

fn with(row: u64, char: char) -> u64 {
    row.rotate_left(12) ^ u64::from(char)
}

fn slot(row: u64) -> usize {
    let mixed = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - FILTER_BITS);
    usize::try_from(mixed).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::needle::Needle;
    use super::*;

    #[test]
    fn a_row_that_a_secret_repeats_is_looked_for_once() {
        let text = Text::clean(&"a".repeat(2000), 2000);
        let searched = Searched::new(&text);
        for secret in ["a".repeat(8), "a".repeat(100_000)] {
            let [plain, ..] = &Needle::forms(&secret)[..] else { panic!("it has forms") };
            let starts = searched.starts(plain).expect("they are few");
            let of_the_text =
                starts.iter().filter(|(place, _)| searched.layers[place.layer].whole.is_none());
            assert_eq!(of_the_text.count(), 2000 - GRAM + 1);
        }
    }
}
