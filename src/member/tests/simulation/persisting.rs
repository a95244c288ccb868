//! What becomes of writes to places.

use super::outside::{Happening, Outside};
use super::places::Mood;
use super::provider::Key;
use crate::credential::Credential;
use crate::member::tests::peripherals::{
    Delay, Delivery, PersistPlaces, PlaceWrite, Process, WriteEnd,
};
use crate::rotation::PersistOutcome;
use crate::source::EntryPlace;

impl PersistPlaces for Outside {
    fn begins(&mut self, _: &Process, write: &PlaceWrite) -> Option<WriteEnd> {
        self.counts.sink_writes += 1;
        let is_faulty = self.random.percent(self.regime.sink_faults);
        let outcome = match self.places[write.place.index].mood {
            Mood::Hanging => {
                let is_known = |known: &PlaceWrite| {
                    known.place == write.place && known.credential.is_same_as(&write.credential)
                };
                assert!(!self.hung.iter().any(is_known), "a place is written twice at a time");
                self.counts.hung_writes += 1;
                self.hung.push(write.clone());
                return None;
            }
            Mood::ReadOnly => PersistOutcome::Impossible,
            Mood::Failing => PersistOutcome::Failed,
            Mood::Well if is_faulty => PersistOutcome::Failed,
            Mood::Well => PersistOutcome::Done,
        };
        if outcome == PersistOutcome::Failed {
            self.counts.failed_writes += 1;
        }
        let at = Delay::After(self.random.millis(1000));
        Some(WriteEnd { at, outcome, message: None })
    }

    // A write is not given up: functions of the users' take no notice.

    fn ends(&mut self, process: &Process, write: &PlaceWrite, outcome: PersistOutcome) {
        let PlaceWrite { place, credential, .. } = write;
        self.counts.late_writes += u64::from(
            outcome == PersistOutcome::Done
                && process.member.record().is_some_and(|it| it.to_persist() != credential.id()),
        );
        if outcome == PersistOutcome::Done {
            self.history.written_at = self.now;
            let written = &mut self.places[place.index];
            written.content = vec![Key::of(credential)];
            if written.is_environment {
                written.variables = Some(Key::of(credential));
            }
        }
        self.note(format_args!("sink {} {:?}: {outcome:?}", place.index, Key::of(credential)));
    }

    fn tries(&mut self, place: EntryPlace) -> Option<bool> {
        Some(self.places[place.index].mood == Mood::Well)
    }

    fn replaces_variables(&mut self, place: EntryPlace, credential: &Credential) {
        let place = &mut self.places[place.index];
        assert!(place.is_environment, "only variables are replaced");
        place.variables = Some(Key::of(credential));
    }
}

impl Outside {
    /// A place is in another mood: what hangs there comes to an end, most of it.
    pub(super) fn change_mood(&mut self, place: usize, mood: Mood) {
        self.places[place].mood = mood;
        self.history.written_at = self.now;
        let hung = std::mem::take(&mut self.hung);
        let (here, others) = hung.into_iter().partition(|write| write.place.index == place);
        self.hung = others;
        for write in here {
            let outcome = match self.random.below(10) {
                0..7 if mood == Mood::Well => PersistOutcome::Done,
                0..9 => PersistOutcome::Failed,
                _ => {
                    self.hung.push(write);
                    continue;
                }
            };
            let takes = self.random.millis(3000);
            let delivery = Delivery::Written(write, outcome, None);
            self.later(takes, Happening::Delivery(self.process, delivery));
        }
    }
}
