//! How reports put outcomes and times.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use crate::results::{Outcome, SuiteResult, Verdict};

/// For programs, and for a reader.
pub(crate) fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "failed",
        Outcome::TimedOut(_) => "timed out",
        Outcome::Broken(_) => "broken",
        Outcome::Skipped(_) => "skipped",
        Outcome::Interrupted => "interrupted",
    }
}

/// Why it is so, unless it has passed.
pub(crate) fn reason(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Passed => None,
        Outcome::Failed(why) | Outcome::Broken(why) | Outcome::Skipped(why) => Some(why.clone()),
        Outcome::TimedOut(limit) => Some(format!("ended at its time limit of {}", length(*limit))),
        Outcome::Interrupted => Some("the run was over before it was".to_owned()),
    }
}

/// Whether somebody has to look at it.
pub(super) fn is_bad(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Passed | Outcome::Skipped(_))
}

/// If one was not enough: `at attempt 2`.
pub(super) fn tries(suite: &SuiteResult) -> Option<String> {
    let number = suite.attempts.len();
    (number > 1).then(|| format!("at attempt {number}"))
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Skipped => "skipped",
    }
}

/// `38 ms`, `1.24 s`, `12.4 s`, `2 min 5 s`, `1 h 3 min`.
pub(crate) fn length(length: Duration) -> String {
    let milliseconds = length.as_millis();
    let seconds = (milliseconds + 500) / 1000;
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..9_995 => format!("{:.2} s", length.as_secs_f64()),
        9_995..59_950 => format!("{:.1} s", length.as_secs_f64()),
        59_950..3_599_500 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `2026-03-01T09:30:00Z`.
pub(super) fn timestamp(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at);
    let (hour, minute, second) = at.to_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", at.date())
}

/// `1 suite`, `2 suites`.
pub(super) fn number(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_three_digits_or_two_units() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_236, "1.24 s"),
            (9_996, "10.0 s"),
            (12_440, "12.4 s"),
            (59_949, "59.9 s"),
            (59_950, "1 min 0 s"),
            (125_400, "2 min 5 s"),
            (3_599_600, "1 h 0 min"),
            (3_780_000, "1 h 3 min"),
        ] {
            assert_eq!(length(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn a_time_is_utc_to_the_second() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_772_357_400_750);
        assert_eq!(timestamp(at), "2026-03-01T09:30:00Z");
    }
}
