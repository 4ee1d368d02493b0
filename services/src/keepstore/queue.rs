//! Requests that wait to be worked off, one after the other, behind the requester's back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// A list of requests and what its worker does with it.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    waiting: VecDeque<T>,
    has_worker: bool,
    in_progress: usize,
}

impl<T> Queue<T> {
    /// Nothing waits.
    pub(super) fn new() -> Self {
        let state = State { waiting: VecDeque::new(), has_worker: false, in_progress: 0 };
        Self { state: Mutex::new(state) }
    }

    /// Puts `requests` in the place of those that wait: each list says all that is wanted.
    ///
    /// Returns whether the caller has to start a worker, which takes from [`Self::next`].
    pub(super) fn replace(&self, requests: Vec<T>) -> bool {
        let mut state = self.lock();
        state.waiting = requests.into();
        let start = !state.has_worker && !state.waiting.is_empty();
        state.has_worker |= start;
        start
    }

    /// The worker's next request; it is done with the one before. With `None` it has to end.
    pub(super) fn next(&self) -> Option<T> {
        let mut state = self.lock();
        let next = state.waiting.pop_front();
        state.in_progress = usize::from(next.is_some());
        state.has_worker = next.is_some();
        next
    }

    /// What `/status.json` tells of it.
    pub(super) fn status(&self) -> Value {
        let state = self.lock();
        json!({ "InProgress": state.in_progress, "Queued": state.waiting.len() })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts<T>(queue: &Queue<T>) -> [u64; 2] {
        let status = queue.status();
        ["InProgress", "Queued"].map(|name| status[name].as_u64().unwrap())
    }

    #[test]
    fn a_new_list_replaces_what_waits_and_one_worker_does_all() {
        let queue = Queue::new();
        assert!(!queue.replace(vec![]));
        assert!(queue.replace(vec![1, 2, 3]));
        assert_eq!(counts(&queue), [0, 3]);
        assert_eq!(queue.next(), Some(1));
        assert_eq!(counts(&queue), [1, 2]);
        assert!(!queue.replace(vec![4]));
        assert_eq!(counts(&queue), [1, 1]);
        assert_eq!(queue.next(), Some(4));
        assert_eq!(queue.next(), None);
        assert_eq!(counts(&queue), [0, 0]);
        assert!(queue.replace(vec![5]));
    }
}
