//! Finds secrets in a text, and in everything that the text may be read as.

use std::collections::HashSet;

use super::encoded::is_of_base64;
use super::grams::{GramPlace, Grams};
use super::layer::Layer;
use super::needle::{ALPHABET, Needle, RUN, unified};
use super::text::{Text, fold, visible};

/// Each run of [`RUN`] characters contains a row of this length that begins at a multiple of
/// [`STEP`].
const GRAM: usize = 5;
const STEP: usize = RUN - GRAM + 1;

/// At how many places a needle may begin. With more, nothing of the text is shown: the search would
/// take seconds, and more memory than there is. A server can make a token that has so many.
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

impl Searched {
    pub(super) fn new(text: &Text) -> Self {
        let layers = Layer::all(text);
        let mut grams = Grams::default();
        let mut groups = Grams::default();
        for (layer, readings) in layers.iter().map(Layer::readings).enumerate() {
            for place in 0..readings.len() {
                let place = GramPlace { layer, place };
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
    fn starts(&self, needle: &Needle) -> Option<Vec<(GramPlace, usize)>> {
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
                let anywhere = self.everywhere(|layer| is_short || !layer.is_decoded());
                starts.extend(anywhere.map(|place| (place, start)));
            }
            if starts.len() > MOST_STARTS {
                return None;
            }
        }
        Some(starts)
    }

    fn everywhere(&self, is_meant: impl Fn(&Layer) -> bool) -> impl Iterator<Item = GramPlace> {
        let layers = self.layers.iter().enumerate().filter(move |(_, layer)| is_meant(layer));
        layers.flat_map(|(layer, it)| {
            (0..it.readings().len()).map(move |place| GramPlace { layer, place })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_a_secret_repeats_is_looked_for_once() {
        let text = Text::clean(&"a".repeat(2000), 2000);
        let searched = Searched::new(&text);
        for secret in ["a".repeat(8), "a".repeat(100_000)] {
            let [plain, ..] = &Needle::forms(&secret)[..] else { panic!("it has forms") };
            let starts = searched.starts(plain).expect("they are few");
            let of_the_text =
                starts.iter().filter(|(place, _)| !searched.layers[place.layer].is_decoded());
            assert_eq!(of_the_text.count(), 2000 - GRAM + 1);
        }
    }
}
