//! What mocha, jest and `node --test` print for people: tests with marks, below the headings of
//! their groups.

use std::time::Duration;

use super::{Format, Found};
use crate::results::Verdict;
use crate::results::count::Count;

/// Between the headings and the name of a test, as jest writes it.
const SEPARATOR: &str = " › ";

/// One that is still to be done counts as skipped.
#[derive(Default)]
pub(super) struct Tree {
    found: Found,
    /// The headings above the line, and how they are indented.
    headings: Vec<(usize, String)>,
    /// After a summary, which may be followed by the failures again.
    closed: bool,
}

impl Format for Tree {
    fn line(&mut self, line: &str) -> bool {
        if let Some(count) = sums(line) {
            self.found.count += count;
            self.closed = true;
            return true;
        }
        let text = line.trim_start();
        if text.is_empty() {
            return false;
        }
        let indent = line.len() - text.len();
        if let Some(failed) = line.strip_prefix("  ● ").filter(|it| it.contains(SEPARATOR)) {
            self.found.push_failed(failed);
        } else if let Some((name, verdict)) = test(text) {
            self.test(indent, name, verdict);
        } else {
            self.heading(indent, text);
        }
        false
    }

    fn end(self: Box<Self>) -> Found {
        self.found
    }
}

impl Tree {
    fn test(&mut self, indent: usize, text: &str, verdict: Verdict) {
        self.closed &= verdict == Verdict::Failed;
        if self.closed {
            return;
        }
        let (name, length) = without_time(text);
        self.headings.retain(|(outer, _)| *outer <= indent);
        // Node closes a group with a mark of its own.
        if self.headings.pop_if(|(outer, _)| *outer == indent).is_some_and(|it| it.1 == name) {
            return;
        }
        let headings = self.headings.iter().map(|(_, heading)| heading.as_str());
        let names: Vec<&str> = headings.chain([name]).collect();
        self.found.push(&names.join(SEPARATOR), verdict, length);
    }

    /// What is not indented is what a test prints, but for node's groups.
    fn heading(&mut self, indent: usize, text: &str) {
        let group = text.strip_prefix("▶ ");
        if indent > 0 || group.is_some() {
            self.headings.retain(|(outer, _)| *outer < indent);
            self.headings.push((indent, without_time(group.unwrap_or(text)).0.to_owned()));
        }
    }
}

/// Of a line without its indentation.
fn test(text: &str) -> Option<(&str, Verdict)> {
    let (mark, name) = text.split_once(' ')?;
    match mark {
        "✔" | "✓" | "√" => {
            let (name, note) = name.rsplit_once(" # ").unwrap_or((name, ""));
            let todo = note.split(' ').next() == Some("TODO");
            Some((name, if todo { Verdict::Skipped } else { Verdict::Passed }))
        }
        "✖" | "✕" | "×" => Some((name, Verdict::Failed)),
        "﹣" => Some((name.rsplit_once(" # ").map_or(name, |(name, _)| name), Verdict::Skipped)),
        "-" => Some((name, Verdict::Skipped)),
        "○" => Some((name.strip_prefix("skipped ").unwrap_or(name), Verdict::Skipped)),
        "✎" => Some((name.strip_prefix("todo ").unwrap_or(name), Verdict::Skipped)),
        // Mocha numbers its failures.
        _ => {
            let number = mark.strip_suffix(')')?;
            number.parse::<u32>().ok().map(|_| (name, Verdict::Failed))
        }
    }
}

/// `name (12 ms)`, `name (0.78ms)`, `name (1.2 s)`.
fn without_time(text: &str) -> (&str, Option<Duration>) {
    let parts = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    let time = parts.and_then(|(name, time)| {
        let (number, unit) = match time.strip_suffix("ms") {
            Some(number) => (number, 0.001),
            None => (time.strip_suffix('s')?, 1.0),
        };
        let seconds = number.trim_end().parse::<f64>().ok()? * unit;
        Some((name, Duration::try_from_secs_f64(seconds).ok()?))
    });
    time.map_or((text, None), |(name, length)| (name, Some(length)))
}

/// Of mocha's `3 passing (130ms)`, `2 failing`; jest's `Tests:  2 failed, 1 todo, 5 total`; node's
/// `ℹ pass 3`.
fn sums(line: &str) -> Option<Count> {
    let mut count = Count::default();
    if let Some(tests) = line.strip_prefix("Tests:  ") {
        for part in tests.split(", ") {
            let (number, word) = part.trim().split_once(' ')?;
            add(&mut count, word, number.parse().ok()?);
        }
        return Some(count);
    }
    let (number, word) = match line.strip_prefix("ℹ ") {
        Some(sum) => sum.split_once(' ').map(|(word, number)| (number, word))?,
        None => without_time(line.strip_prefix("  ")?).0.split_once(' ')?,
    };
    let number = number.parse().ok()?;
    add(&mut count, word, number).then_some(count)
}

/// Whether there is such a number.
fn add(count: &mut Count, word: &str, number: u64) -> bool {
    *match word {
        "passing" | "passed" | "pass" => &mut count.passed,
        "failing" | "failed" | "fail" | "cancelled" => &mut count.failed,
        "pending" | "skipped" | "todo" => &mut count.skipped,
        _ => return false,
    } += number;
    true
}
