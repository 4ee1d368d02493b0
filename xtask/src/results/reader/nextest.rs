//! `cargo nextest`: `PASS [   0.012s] (1/5) binary a::b`, and `Summary [   0.139s] 5 tests run: …`.

use super::{Format, Found, number_of, seconds};
use crate::results::count::Count;
use crate::results::{Test, Verdict};

/// How wide the column of words is.
const WORD: usize = 12;

/// Of a test that was tried again, the last try counts.
#[derive(Default)]
pub(super) struct Nextest {
    found: Found,
    /// After a summary, which is followed by a list of tests that were named before.
    closed: bool,
}

impl Format for Nextest {
    fn line(&mut self, line: &str) -> bool {
        let Some((word, rest)) = line.split_once(" [") else {
            self.closed &= !line.starts_with("    Starting ");
            return false;
        };
        let Some((time, rest)) = rest.split_once("] ") else {
            return false;
        };
        // It is aligned to the right; what a test prints is indented further.
        if word.chars().count() != WORD && !word.starts_with("TRY ") {
            return false;
        }
        let word = word.trim_start();
        if word == "Summary" {
            let count = count(rest);
            self.found.count += count.unwrap_or_default();
            self.closed |= count.is_some();
            return count.is_some();
        }
        if let Some(verdict) = verdict(word).filter(|_| !self.closed) {
            self.test(word, verdict, Test { name: name(rest), verdict, length: seconds(time) });
        }
        false
    }

    fn end(self: Box<Self>) -> Found {
        self.found
    }
}

impl Nextest {
    fn test(&mut self, word: &str, verdict: Verdict, test: Test) {
        let again = word.starts_with("TRY ") && !word.starts_with("TRY 1 ");
        let earlier = self.found.tests.iter_mut().rfind(|it| again && it.name == test.name);
        match earlier {
            Some(earlier) => *earlier = test,
            None => self.found.push(&test.name, verdict, test.length),
        }
    }
}

/// Of `PASS`, `TRY 2 FAIL`, `SIGSEGV`, …
fn verdict(word: &str) -> Option<Verdict> {
    let word = word.strip_prefix("TRY ").map_or(word, |tried| tried.trim_start_matches(is_digit));
    match word.trim_start() {
        "PASS" | "LEAK" | "TIMEOUT-PASS" | "TMPASS" => Some(Verdict::Passed),
        // An X is one that could not be started.
        "FAIL" | "XFAIL" | "TIMEOUT" | "TMT" | "ABORT" | "LEAK-FAIL" | "LKFAIL" | "FAIL + LEAK"
        | "FL+LK" => Some(Verdict::Failed),
        signal if signal.starts_with("SIG") => Some(Verdict::Failed),
        "SKIP" => Some(Verdict::Skipped),
        _ => None,
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || c == ' '
}

/// Without how far the run is, `( 1/50)`, which older versions do not print.
fn name(rest: &str) -> String {
    let counted = rest.strip_prefix('(').and_then(|rest| rest.split_once(") "));
    counted.map_or(rest, |(_, name)| name).trim().to_owned()
}

/// `2/5 tests run: 5 passed (1 flaky, 1 slow), 1 failed, 1 timed out, 0 skipped`.
fn count(summary: &str) -> Option<Count> {
    let (_, results) = summary.split_once(" run: ")?;
    let mut count = Count::default();
    for part in results.split(", ") {
        // What is in brackets is a part of the number before it, or a piece of that.
        let part = part.split_once(" (").map_or(part, |(number, _)| number);
        let number = |word| number_of(part, word).unwrap_or(0);
        count.passed += number(" passed");
        count.failed += number(" failed") + number(" exec failed") + number(" timed out");
        count.skipped += number(" skipped");
    }
    Some(count)
}
