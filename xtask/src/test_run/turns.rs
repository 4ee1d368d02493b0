//! Something that so many may have at once: a job, or a cluster in advance. Who comes first in the
//! order of the run has it first.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What the threads of a run take turns with.
#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Those who wait, by their place in the order.
    waiting: BTreeSet<usize>,
    /// The suite that had what is free now.
    last: Option<String>,
}

/// Having it, until this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    /// The suite that has it.
    suite: Option<String>,
    /// The suite that had it before.
    pub(super) after: Option<String>,
}

impl Turns {
    pub(super) fn new(number: usize) -> Self {
        let state = State { free: number, waiting: BTreeSet::new(), last: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for it. No two may have the same `order` at once.
    pub(super) fn take(&self, order: usize, suite: Option<&str>) -> Turn<'_> {
        let mut state = self.lock();
        state.waiting.insert(order);
        let must_wait =
            |state: &mut State| state.free == 0 || state.waiting.first() != Some(&order);
        state = self.changed.wait_while(state, must_wait).unwrap_or_else(PoisonError::into_inner);
        state.waiting.remove(&order);
        state.free -= 1;
        let after = state.last.take();
        drop(state);
        // There may be one for the next in the order, too.
        self.changed.notify_all();
        Turn { turns: self, suite: suite.map(str::to_owned), after }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        state.free += 1;
        state.last = self.suite.take();
        drop(state);
        self.turns.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_first_in_the_order_is_the_next_and_knows_whom_it_waited_for() {
        let turns = Turns::new(1);
        let (sender, taken) = mpsc::channel();
        let first = turns.take(0, Some("first"));
        std::thread::scope(|scope| {
            for order in [7, 3, 5] {
                let (turns, sender) = (&turns, sender.clone());
                scope.spawn(move || {
                    let turn = turns.take(order, Some("other"));
                    sender.send((order, turn.after.clone())).unwrap();
                });
            }
            while turns.lock().waiting.len() < 3 {
                std::thread::yield_now();
            }
            drop(first);
        });
        let other = || Some("other".to_owned());
        let taken: Vec<_> = taken.try_iter().collect();
        assert_eq!(taken, [(3, Some("first".to_owned())), (5, other()), (7, other())]);
    }

    #[test]
    fn as_many_as_there_are_have_it_at_once() {
        let turns = Turns::new(2);
        let both = [turns.take(1, None), turns.take(0, None)];
        assert_eq!(turns.lock().free, 0);
        drop(both);
        assert_eq!(turns.lock().free, 2);
    }
}
