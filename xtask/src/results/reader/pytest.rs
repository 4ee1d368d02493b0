//! pytest: `tests/x.py::test PASSED [ 10%]` if it is told to name them, and
//! `== 3 failed, 5 passed, 1 error in 0.30s ==`.

use super::{Format, Found, seconds};
use crate::results::Verdict;
use crate::results::count::Count;

/// An expected failure has passed; an error before or after a test is a failure of its own.
#[derive(Default)]
pub(super) struct Pytest(Found);

impl Format for Pytest {
    fn line(&mut self, line: &str) -> bool {
        if let Some(count) = count(line) {
            self.0.count += count;
            return true;
        }
        if let Some((name, verdict)) = worker(line).or_else(|| test(line)) {
            self.0.push(name, verdict, None);
        } else if let Some(name) = listed(line) {
            self.0.push_failed(name);
        }
        false
    }

    fn end(self: Box<Self>) -> Found {
        self.0
    }
}

fn verdict(word: &str) -> Option<Verdict> {
    match word {
        "PASSED" | "XFAIL" | "XPASS" => Some(Verdict::Passed),
        "FAILED" | "ERROR" => Some(Verdict::Failed),
        "SKIPPED" => Some(Verdict::Skipped),
        _ => None,
    }
}

/// `tests/x.py::test_b[a c] SKIPPED (why) [ 10%]`.
fn test(line: &str) -> Option<(&str, Verdict)> {
    let (file, _) = line.split_once("::").filter(|(file, _)| !file.contains(' '))?;
    let said = line.strip_suffix("%]").and_then(|it| it.rsplit_once('[')).map_or(line, |it| it.0);
    // A name may have spaces, and so may the reason: the last verdict is it.
    let (at, verdict) = said
        .rmatch_indices(' ')
        .map(|(at, _)| (at, said[at + 1..].split(' ').next().unwrap_or_default()))
        .find_map(|(at, word)| Some((at, verdict(word)?)))?;
    (at > file.len()).then(|| (&said[..at], verdict))
}

/// `[gw0] [ 10%] PASSED tests/x.py::test`, of tests that run side by side.
fn worker(line: &str) -> Option<(&str, Verdict)> {
    let (_, said) = line.strip_prefix("[gw")?.split_once("%] ")?;
    let (word, name) = said.split_once(' ')?;
    Some((name, verdict(word)?))
}

/// `FAILED tests/x.py::test - assert 1 == 2`, of the list in the end.
fn listed(line: &str) -> Option<&str> {
    let test = line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR "))?;
    let name = test.split(" - ").next()?;
    name.contains("::").then_some(name)
}

/// With `-q` there are no equals signs around it.
fn count(line: &str) -> Option<Count> {
    let line = line.trim_matches('=').trim();
    let (results, time) = line.rsplit_once(" in ")?;
    // Of a long run it is in hours and minutes too.
    seconds(time.split(' ').next()?.strip_suffix('s')?)?;
    let mut count = Count::default();
    if results == "no tests ran" || results.starts_with("no tests collected") {
        return Some(count);
    }
    let mut is_known = false;
    for part in results.split(", ") {
        let (number, word) = part.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match word {
            "passed" | "xfailed" | "xpassed" => count.passed += number,
            "failed" | "error" | "errors" => count.failed += number,
            "skipped" => count.skipped += number,
            "deselected" => {}
            // `2 warnings`, `1 rerun`, and what plugins add.
            _ => continue,
        }
        is_known = true;
    }
    is_known.then_some(count)
}
