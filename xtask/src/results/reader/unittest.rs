//! Python's unittest: `test_a (module.Class.test_a) ... ok` if it is told to name them, and
//! `Ran 9 tests in 0.001s` with `FAILED (failures=3, skipped=1)`.

use super::{Format, Found};
use crate::results::Verdict;
use crate::results::count::Count;

/// An expected failure has passed, and an unexpected success failed.
#[derive(Default)]
pub(super) struct Unittest {
    found: Found,
    /// A test that began, and whose verdict has to come after what it prints.
    begun: Option<String>,
    /// Of the summary that is to come.
    passed: u64,
    ran: Option<u64>,
    /// After a line of equals signs, which is before what has failed.
    ruled: bool,
}

impl Format for Unittest {
    fn line(&mut self, line: &str) -> bool {
        if let Some(ran) = line.strip_prefix("Ran ") {
            self.ran = ran.split_once(" test").and_then(|(number, _)| number.parse().ok());
        } else if let Some(count) = self.ran.and_then(|ran| count(line, ran, self.passed)) {
            self.found.count += count;
            (self.ran, self.passed) = (None, 0);
            return true;
        } else if self.ruled {
            let failed = line.split_once(": ").and_then(|(_, name)| full_name(name));
            failed.into_iter().for_each(|name| self.found.push_failed(&name));
        } else if let Some((name, said)) = line.rsplit_once(" ... ") {
            // Where a test is described, that is what stands there, and its name in the line before.
            self.begun = full_name(name.trim_start()).or(self.begun.take());
            self.end_test(said);
        } else if let Some(name) = full_name(line.strip_suffix(" ...").unwrap_or(line)) {
            self.begun = Some(name);
        } else {
            self.end_test(line);
        }
        self.ruled = line.len() == 70 && line.bytes().all(|byte| byte == b'=');
        false
    }

    fn end(self: Box<Self>) -> Found {
        self.found
    }
}

impl Unittest {
    /// Of the test that has begun, if this is a verdict.
    fn end_test(&mut self, said: &str) {
        let verdict = match said {
            "ok" | "expected failure" => Verdict::Passed,
            "FAIL" | "ERROR" | "unexpected success" => Verdict::Failed,
            _ if said.starts_with("skipped ") => Verdict::Skipped,
            _ => return,
        };
        if let Some(name) = self.begun.take() {
            self.passed += u64::from(verdict == Verdict::Passed);
            self.found.push(&name, verdict, None);
        }
    }
}

/// Of `test_a (module.Class.test_a) (i=0)`, of which older Pythons leave out the second `test_a`:
/// `module.Class.test_a (i=0)`.
fn full_name(text: &str) -> Option<String> {
    let (name, rest) = text.split_once(" (")?;
    let (class, part) = rest.split_once(')')?;
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    if name.is_empty() || !is_name(name) || !class.contains('.') || !is_name(class) {
        return None;
    }
    let is_whole = class.rsplit('.').next() == Some(name);
    Some(if is_whole { format!("{class}{part}") } else { format!("{class}.{name}{part}") })
}

/// `OK (skipped=1)`, `FAILED (failures=1, errors=1)`, of so many tests that ran, of which at least
/// so many passed.
///
/// How many passed, unittest does not say, and failures are not tests: each part of a test may be
/// one, and what prepares a class of tests.
fn count(line: &str, ran: u64, passed: u64) -> Option<Count> {
    let (word, parts) = line.split_once(" (").unwrap_or((line, ""));
    if !["OK", "FAILED", "NO TESTS RAN"].contains(&word) {
        return None;
    }
    let mut count = Count::default();
    for part in parts.trim_end_matches(')').split(", ") {
        let (what, number) = part.split_once('=').unwrap_or((part, ""));
        let number: u64 = number.parse().unwrap_or(0);
        match what {
            "failures" | "errors" | "unexpected successes" => count.failed += number,
            "skipped" => count.skipped += number,
            _ => {}
        }
    }
    count.passed = ran.saturating_sub(count.failed + count.skipped).max(passed);
    Some(count)
}
