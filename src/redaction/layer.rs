//! One text that the shown text may be read as, and the search of it for a needle.

use std::ops::Range;

use super::encoded::{Decoded, FEWEST_BYTES, decoded, is_of_base64};
use super::needle::{Needle, unified};
use super::spelling::SpelledTexts;
use super::text::{Text, fold, visible};

/// How many encodings by groups of characters may be nested.
const LAYERS: usize = 3;

/// One text that the shown text may be read as.
pub(super) struct Layer {
    readings: SpelledTexts,
    text: Text,
    /// The part of the shown text that this was decoded from. It is hidden as a whole.
    whole: Option<Range<usize>>,
}

impl Layer {
    /// The layers of a text: the text itself, and everything that it may be read as.
    pub(super) fn all(text: &Text) -> Vec<Self> {
        let mut layers = Vec::new();
        unfold(&mut layers, text.clone(), None, LAYERS);
        layers
    }

    /// How the characters of this layer may be read.
    pub(super) fn readings(&self) -> &SpelledTexts {
        &self.readings
    }

    /// Whether this text was decoded from a part of the shown text.
    pub(super) fn is_decoded(&self) -> bool {
        self.whole.is_some()
    }

    /// Hides the needle. `starts` are the positions where a part of it may begin, in the text and
    /// in the needle.
    pub(super) fn hide(&self, needle: &Needle, starts: &[(usize, usize)], hidden: &mut [bool]) {
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
        let mut parts: Vec<Vec<LayerPart>> = vec![vec![]; self.readings.len() + 1];
        for &(start, end) in starts {
            add(&mut parts[start], LayerPart { end, length: 0, start });
        }
        let mut marked = 0..0;
        // There may be an invisible character at the end, too.
        for place in 0..=self.readings.len() {
            let mut index = 0;
            while let Some(&LayerPart { end: at, length, start }) = parts[place].get(index) {
                index += 1;
                let Some(&char) = needle.chars.get(at) else { continue };
                self.ends(place, char, needle.is_base64, &mut |end| {
                    // A longer match needs no longer part: each of its rows has a start of its own.
                    if length + 1 == needle.run {
                        if start < marked.start || end > marked.end {
                            marked = self.mark(start..end, needle.is_base64, hidden);
                        }
                    } else {
                        add(&mut parts[end], LayerPart { end: at + 1, length: length + 1, start });
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

/// Adds a text as a layer, the text without its escapes as another, and everything that is encoded
/// in either.
fn unfold(layers: &mut Vec<Layer>, text: Text, whole: Option<&Range<usize>>, more: usize) {
    let readings = SpelledTexts::of(&text);
    let unescaped = readings.unescaped(&text).map(|text| (SpelledTexts::of(&text), text));
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
struct LayerPart {
    /// The end of the part in the needle.
    end: usize,
    length: usize,
    /// Where the part begins in the text.
    start: usize,
}

/// Adds a part, unless it is there already.
fn add(parts: &mut Vec<LayerPart>, part: LayerPart) {
    let key = |part: &LayerPart| (part.end, part.length);
    match parts.binary_search_by_key(&key(&part), key) {
        Ok(index) => parts[index].start = parts[index].start.min(part.start),
        Err(index) => parts.insert(index, part),
    }
}
