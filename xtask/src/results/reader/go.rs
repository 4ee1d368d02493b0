//! `go test`: `--- PASS: TestX (0.00s)`, and for each package a line of `ok`, its path and the time,
//! with tabs between them.

use std::time::Duration;

use super::{Format, Found, seconds};
use crate::results::Verdict;

/// Without `-v` it names only the tests that fail: then a package that passed is one test. Parts of
/// a test are tests as well.
#[derive(Default)]
pub(super) struct Go {
    found: Found,
    /// Tests of the package, and how many of them failed.
    tests: u64,
    failed: u64,
}

impl Format for Go {
    fn line(&mut self, line: &str) -> bool {
        if let Some(test) = line.trim_start().strip_prefix("--- ") {
            self.test(test);
        }
        let mut columns = line.split('\t');
        let verdict = match columns.next() {
            Some("ok  ") => Verdict::Passed,
            Some("FAIL") => Verdict::Failed,
            _ => return false,
        };
        // At the end of all there is a FAIL by itself.
        let Some(package) = columns.next() else {
            return false;
        };
        let rest = columns.next().unwrap_or_default();
        if !rest.contains("[no tests to run]") {
            self.end_package(package, verdict, seconds(rest));
        }
        true
    }

    fn end(self: Box<Self>) -> Found {
        self.found
    }
}

impl Go {
    /// `PASS: TestX/part (0.00s)`.
    fn test(&mut self, test: &str) {
        let Some((word, rest)) = test.split_once(": ") else {
            return;
        };
        let verdict = match word {
            "PASS" => Verdict::Passed,
            "FAIL" => Verdict::Failed,
            "SKIP" => Verdict::Skipped,
            _ => return,
        };
        let (name, time) = rest.split_once(" (").unwrap_or((rest, ""));
        self.found.add(verdict);
        self.found.push(name, verdict, time.strip_suffix(')').and_then(seconds));
        self.tests += 1;
        self.failed += u64::from(verdict == Verdict::Failed);
    }

    /// One that fails though none of its tests has was not built, or ended early.
    fn end_package(&mut self, package: &str, verdict: Verdict, length: Option<Duration>) {
        if self.tests == 0 || (verdict == Verdict::Failed && self.failed == 0) {
            // `path [build failed]`
            let name = package.split(' ').next().unwrap_or(package);
            self.found.add(verdict);
            self.found.push(name, verdict, length);
        }
        (self.tests, self.failed) = (0, 0);
    }
}
