//! This member's place in its fleet.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::rotation::MemberId;
use crate::store::Beat;

/// The signs of life of one member.
#[derive(Debug)]
pub(super) struct Membership {
    me: MemberId,
    /// When the next beat is due; none while one is under way.
    beat_at: Option<Timestamp>,
    /// What the latest beat said.
    said: Option<Beat>,
    /// What is stored was read once: nothing is fetched before that.
    has_read: bool,
}

impl Membership {
    /// The time between two beats if nothing changes: two of them may be lost.
    const INTERVAL: Duration = Duration::from_secs(5);

    /// Of a member that says at once that it lives.
    pub(super) fn new(me: MemberId) -> Self {
        Self { me, beat_at: Some(Timestamp::default()), said: None, has_read: false }
    }

    pub(super) fn me(&self) -> MemberId {
        self.me
    }

    /// What is stored was read.
    pub(super) fn read(&mut self) {
        self.has_read = true;
    }

    pub(super) fn has_read(&self) -> bool {
        self.has_read
    }

    /// When the next beat is due; none while one is under way.
    pub(super) fn beat_at(&self) -> Option<Timestamp> {
        self.beat_at
    }

    /// Whether this is to be said now: it is time, or it is new.
    pub(super) fn is_to_say(&self, beat: &Beat, now: Timestamp) -> bool {
        let is_new = self.said.as_ref() != Some(beat);
        self.beat_at.is_some_and(|at| at <= now || is_new)
    }

    /// It is being said.
    pub(super) fn say(&mut self, beat: Beat) {
        (self.beat_at, self.said) = (None, Some(beat));
    }

    /// It was heard at that time.
    pub(super) fn heard(&mut self, now: Timestamp) {
        self.beat_at = Some(now + Self::INTERVAL);
    }

    /// Nobody may have heard it; it is said again then.
    pub(super) fn repeat(&mut self, at: Timestamp) {
        self.beat_at = Some(at);
    }
}
