//! Running checks side by side.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Check, Content, Outcome};

/// What came of a check, and how long it took.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) check: &'static Check,
    pub(crate) outcome: Outcome,
    pub(crate) time: Duration,
}

/// Runs all of `checks`; each result is told as soon as it and all before it are there.
pub(crate) fn all(checks: &[&'static Check], content: &Content, tell: impl FnMut(Done)) {
    side_by_side(checks, |check| one(check, content), tell);
}

/// Does `work` on all of `items`, as many at once as there are processors; each result is told as
/// soon as it and all before it are there.
pub(super) fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut tell: impl FnMut(R),
) {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    let workers = thread::available_parallelism().map_or(2, NonZero::get).min(items.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some(number) = take(next, items.len()) {
                    // The one who tells listens to the end.
                    let _ = sender.send((number, work(&items[number])));
                }
            });
        }
        drop(sender);
        let mut waiting: Vec<Option<R>> = items.iter().map(|_| None).collect();
        let mut told = 0;
        for (number, result) in results {
            waiting[number] = Some(result);
            while let Some(result) = waiting.get_mut(told).and_then(Option::take) {
                tell(result);
                told += 1;
            }
        }
    });
}

/// The next one to do, if there is one left.
fn take(next: &AtomicUsize, length: usize) -> Option<usize> {
    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < length)
}

fn one(check: &'static Check, content: &Content) -> Done {
    let start = Instant::now();
    let outcome = match Outcome::of((check.run)(content)) {
        Outcome::Failed(faults) => {
            Outcome::Failed(faults.iter().map(|fault| content.relative(fault)).collect())
        }
        outcome => outcome,
    };
    Done { check, outcome, time: start.elapsed() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn results_come_in_order_whichever_is_done_first() {
        let (sender, receiver) = mpsc::channel();
        let receiver = Mutex::new(receiver);
        let mut told = Vec::new();
        let work = |number: &u8| {
            // Where two are done at once, the first ends only when the second has.
            if *number == 0 && thread::available_parallelism().is_ok_and(|it| it.get() > 1) {
                receiver.lock().unwrap().recv().unwrap();
            }
            sender.send(()).unwrap();
            *number
        };
        side_by_side(&[0, 1, 2], work, |number| told.push(number));
        assert_eq!(told, [0, 1, 2]);
    }

    #[test]
    fn places_are_told_relative_to_what_was_checked() {
        static CHECK: Check = Check {
            name: "it",
            concerns: |_| true,
            needs: &[],
            run: |content| Ok(vec![format!("{}/x.rs:1: wrong", content.folder().display())]),
            advice: "",
            mend: None,
            is_extra: false,
        };
        let content = Content::of_work_tree(Path::new("/nowhere"));
        let done = one(&CHECK, &content);
        assert_eq!(done.outcome, Outcome::Failed(vec!["x.rs:1: wrong".into()]));
    }
}
