//! The order in which the work of several managers is done.
//!
//! Managers take turns, however much each of them has queued. Of one manager's work, that which
//! somebody waits for comes first.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::manager::ManagerId;

/// Whether somebody waits for a piece of work, such as the caller of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Urgency {
    Awaited,
    Unawaited,
}

/// Names a piece of work, queued or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ticket {
    pub(super) owner: ManagerId,
    urgency: Urgency,
    number: u64,
}

/// Work that has not begun.
#[derive(Debug)]
pub(super) struct Queue<T> {
    lines: HashMap<ManagerId, BTreeMap<(Urgency, u64), T>>,
    /// The managers that have work, each once, in the order of their turns.
    turns: VecDeque<ManagerId>,
    last: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { lines: HashMap::new(), turns: VecDeque::new(), last: 0 }
    }
}

impl<T> Queue<T> {
    pub(super) fn push(&mut self, owner: ManagerId, urgency: Urgency, work: T) -> Ticket {
        self.last += 1;
        let ticket = Ticket { owner, urgency, number: self.last };
        let line = self.lines.entry(owner).or_default();
        if line.is_empty() {
            self.turns.push_back(owner);
        }
        line.insert((urgency, ticket.number), work);
        ticket
    }

    /// Whether work is queued of a manager that `may` have some done.
    pub(super) fn has_next(&self, may: impl Fn(ManagerId) -> bool) -> bool {
        self.turns.iter().any(|owner| may(*owner))
    }

    /// The next piece of work, of a manager that `may` have some done.
    pub(super) fn pop(&mut self, may: impl Fn(ManagerId) -> bool) -> Option<(Ticket, T)> {
        let turn = self.turns.iter().position(|owner| may(*owner))?;
        let owner = self.turns.remove(turn)?;
        let line = self.lines.get_mut(&owner)?;
        let ((urgency, number), work) = line.pop_first()?;
        if line.is_empty() {
            self.lines.remove(&owner);
        } else {
            self.turns.push_back(owner);
        }
        Some((Ticket { owner, urgency, number }, work))
    }

    /// Takes a piece of work out of the queue that nobody wants any more. There is none if it has
    /// begun or ended.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let line = self.lines.get_mut(&ticket.owner)?;
        let work = line.remove(&(ticket.urgency, ticket.number))?;
        if line.is_empty() {
            self.lines.remove(&ticket.owner);
            self.turns.retain(|owner| *owner != ticket.owner);
        }
        Some(work)
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.turns.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut queue: Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop(|_| true).map(|(_, work)| work)).collect()
    }

    #[test]
    fn managers_take_turns_however_much_one_of_them_has_queued() {
        let mut queue = Queue::default();
        for work in ["a1", "a2", "a3", "a4"] {
            queue.push(1, Urgency::Unawaited, work);
        }
        queue.push(2, Urgency::Unawaited, "b1");
        queue.push(3, Urgency::Unawaited, "c1");
        queue.push(2, Urgency::Unawaited, "b2");
        assert_eq!(all(queue), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn who_has_just_been_served_comes_after_who_waits() {
        let mut queue = Queue::default();
        queue.push(1, Urgency::Unawaited, "a1");
        queue.push(2, Urgency::Unawaited, "b1");
        assert_eq!(queue.pop(|_| true).map(|(_, work)| work), Some("a1"));
        queue.push(1, Urgency::Awaited, "a2");
        assert_eq!(all(queue), ["b1", "a2"]);
    }

    #[test]
    fn what_somebody_waits_for_comes_first_of_its_manager_and_takes_no_turn_of_another() {
        let mut queue = Queue::default();
        queue.push(1, Urgency::Unawaited, "a1");
        queue.push(2, Urgency::Unawaited, "b1");
        queue.push(1, Urgency::Awaited, "a2");
        queue.push(1, Urgency::Awaited, "a3");
        assert_eq!(all(queue), ["a2", "b1", "a3", "a1"]);
    }

    #[test]
    fn what_is_removed_is_not_done_and_leaves_no_turn_behind() {
        let mut queue = Queue::default();
        let gone = [queue.push(1, Urgency::Unawaited, "a1"), queue.push(1, Urgency::Awaited, "a2")];
        queue.push(2, Urgency::Unawaited, "b1");
        for ticket in gone {
            assert!(queue.remove(ticket).is_some());
            assert!(queue.remove(ticket).is_none(), "only once");
        }
        assert!(!queue.has_next(|owner| owner == 1));
        queue.push(1, Urgency::Unawaited, "a3");
        assert_eq!(all(queue), ["b1", "a3"]);
    }

    #[test]
    fn who_may_have_nothing_done_keeps_nobody_waiting() {
        let mut queue = Queue::default();
        queue.push(1, Urgency::Awaited, "a1");
        queue.push(2, Urgency::Unawaited, "b1");
        assert_eq!(queue.pop(|owner| owner != 1).map(|(_, work)| work), Some("b1"));
        assert!(!queue.has_next(|owner| owner != 1));
        assert_eq!(queue.pop(|owner| owner != 1).map(|(_, work)| work), None);
        assert_eq!(all(queue), ["a1"]);
    }
}
