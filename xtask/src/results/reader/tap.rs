//! The Test Anything Protocol: `ok 1 - x`, `not ok 2 - y # SKIP why`, `1..2`. Node and tape add
//! their sums: `# pass 1`.

use std::time::Duration;

use super::{Format, Found};
use crate::results::Verdict;
use crate::results::count::Count;

/// A test with parts, which are indented and come before it, is its parts. One that is still to be
/// done counts as skipped.
#[derive(Default)]
pub(super) struct Tap {
    found: Found,
    /// How the line before was indented that ended a test.
    indent: usize,
    /// Tests that are not parts of others: planned, and done.
    planned: u64,
    done: u64,
    /// What the program itself sums up, if it does.
    sums: Option<Count>,
    has_skipped: bool,
}

impl Format for Tap {
    fn line(&mut self, line: &str) -> bool {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some((name, verdict)) = test(text) {
            if indent == 0 {
                self.done += 1;
            }
            // Behind its parts there is the whole.
            if indent >= self.indent {
                self.found.add(verdict);
                self.found.push(&name, verdict, None);
            }
            self.indent = indent;
            return true;
        }
        if let Some(time) = text.strip_prefix("duration_ms: ") {
            self.time(indent, time);
        }
        if indent > 0 {
            return false;
        }
        if text.starts_with("Bail out!") {
            self.found.add(Verdict::Failed);
            return true;
        }
        if let Some(planned) = text.strip_prefix("1..") {
            let number = planned.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            self.planned += number.unwrap_or(0);
            let nothing = planned.strip_prefix('0').map(str::trim_start);
            let skipped = nothing.and_then(|rest| rest.strip_prefix('#')).map(str::trim_start);
            if skipped.is_some_and(|rest| rest.to_ascii_lowercase().starts_with("skip")) {
                self.found.add(Verdict::Skipped);
                return true;
            }
            // By itself it may be anything.
            return number.is_some() && self.done > 0;
        }
        text.strip_prefix("# ").is_some_and(|sum| self.sum(sum))
    }

    fn end(mut self: Box<Self>) -> Found {
        match self.sums {
            Some(sums) => {
                let skipped =
                    if self.has_skipped { sums.skipped } else { self.found.count.skipped };
                self.found.count = Count { skipped, ..sums };
            }
            None => self.found.count.failed += self.planned.saturating_sub(self.done),
        }
        self.found
    }
}

impl Tap {
    /// How long the test of the line before took; of one with parts nobody asks.
    fn time(&mut self, indent: usize, milliseconds: &str) {
        let last = self.found.tests.last_mut().filter(|test| test.length.is_none());
        if let Some(test) = last.filter(|_| indent == self.indent + 2) {
            let seconds = milliseconds.parse::<f64>().ok().map(|number| number / 1000.0);
            test.length = seconds.and_then(|it| Duration::try_from_secs_f64(it).ok());
        }
    }

    /// `pass 3`.
    fn sum(&mut self, sum: &str) -> bool {
        let Some((word, Ok(number))) =
            sum.split_once(' ').map(|(word, number)| (word, number.trim().parse::<u64>()))
        else {
            return false;
        };
        if !["pass", "fail", "cancelled", "skip", "skipped", "todo"].contains(&word) {
            return false;
        }
        let sums = self.sums.get_or_insert_default();
        match word {
            "pass" => sums.passed += number,
            "fail" | "cancelled" => sums.failed += number,
            _ => {
                sums.skipped += number;
                self.has_skipped = true;
            }
        }
        true
    }
}

/// Of a line `ok 1 - name # SKIP why`.
fn test(text: &str) -> Option<(String, Verdict)> {
    let (failed, rest) = match text.strip_prefix("not ok ") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("ok ")?),
    };
    let numbered = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if numbered.len() == rest.len() || !(numbered.is_empty() || numbered.starts_with(' ')) {
        return None;
    }
    let name = numbered.trim_start().strip_prefix("- ").unwrap_or(numbered.trim_start());
    // A number sign of the name has a backslash.
    let directive = name.match_indices("# ").find(|(at, _)| !name[..*at].ends_with('\\'));
    let word = directive.and_then(|(at, _)| name[at + 2..].split([' ', ':']).next());
    let (name, verdict) = match (word.map(str::to_ascii_lowercase).as_deref(), directive) {
        (Some("skip" | "skipped" | "todo"), Some((at, _))) => {
            (name[..at].trim_end(), Verdict::Skipped)
        }
        _ if failed => (name, Verdict::Failed),
        _ => (name, Verdict::Passed),
    };
    let name = if name.is_empty() { rest } else { name };
    Some((name.replace("\\#", "#"), verdict))
}
