//! How many tests passed, failed and were skipped, from what a suite prints.

use std::fmt;
use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl Count {
    /// Of one line: cargo's `test result: …` for each test program, or a closing line of our own
    /// form.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let (parts, skipped) = match line.strip_prefix("test result: ") {
            Some(result) => (result.split_once(". ")?.1.split("; "), "ignored"),
            None => (line.split("; "), "skipped"),
        };
        let parts: Vec<&str> = parts.flat_map(|part| part.split(", ")).collect();
        let number = |what: &str| {
            let part = parts.iter().find_map(|part| part.trim().strip_suffix(what))?;
            part.trim().parse().ok()
        };
        Some(Self {
            passed: number("passed")?,
            failed: number("failed")?,
            skipped: number(skipped).unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<(u64, u64, u64)> {
        Count::of_line(line).map(|count| (count.passed, count.failed, count.skipped))
    }

    #[test]
    fn cargos_line_and_our_own_are_counted() {
        let cargo = "test result: ok. 44 passed; 1 failed; 2 ignored; 0 measured; 9 filtered out";
        assert_eq!(of(cargo), Some((44, 1, 2)));
        assert_eq!(of("3 passed, 0 failed, 4 skipped"), Some((3, 0, 4)));
        assert_eq!(of("3 passed, 1 failed"), Some((3, 1, 0)));
    }

    #[test]
    fn a_line_that_only_talks_of_tests_is_not() {
        for line in ["", "ok 1 - 3 passed", "passed, failed", "test foo ... ok", "1 passed"] {
            assert_eq!(of(line), None, "{line:?}");
        }
    }
}
