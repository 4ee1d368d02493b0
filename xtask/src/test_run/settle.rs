//! What came of a suite, from how it ended and what it says of its tests.

use std::process::ExitStatus;
use std::time::Duration;

use crate::results::Outcome;
use crate::results::count::Count;

/// How the command ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    Exited(ExitStatus),
    TimedOut(Duration),
    /// We were asked to end, and have ended it.
    Interrupted,
    /// Its cluster was taken down while it ran, and so it was ended.
    Abandoned,
}

/// The outcome and the tests that count. A suite that does not count its tests is one test itself.
///
/// `is_filtered` says that only some of its tests were asked for, so that there may be none;
/// `ended` names services that ended while it ran.
pub(crate) fn settle(
    ending: Ending,
    counted: Option<Count>,
    is_filtered: bool,
    ended: &[String],
) -> (Outcome, Count) {
    let mut count = counted.unwrap_or_default();
    let status = match ending {
        Ending::Interrupted => return (Outcome::Interrupted, count),
        Ending::Abandoned => {
            let what = "its cluster was taken down while it ran".to_owned();
            return (Outcome::Broken(what), count);
        }
        Ending::TimedOut(limit) => {
            count.failed = count.failed.max(1);
            return (Outcome::TimedOut(limit), count);
        }
        Ending::Exited(status) => status,
    };
    let reason = if count.failed > 0 {
        let plural = if count.failed == 1 { "" } else { "s" };
        Some(format!("{} test{plural} failed", count.failed))
    } else if !status.success() {
        // Said as far as it is known: a test program may have crashed in its middle.
        Some(format!("it ended with {status}"))
    } else if !ended.is_empty() {
        Some(format!("{} of its cluster ended while it ran", ended.join(", ")))
    } else if counted == Some(Count::default()) && !is_filtered {
        Some("it ran no test".to_owned())
    } else {
        None
    };
    match reason {
        Some(reason) => {
            count.failed = count.failed.max(1);
            (Outcome::Failed(reason), count)
        }
        None => {
            count.passed += u64::from(counted.is_none());
            (Outcome::Passed, count)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn count(passed: u64, failed: u64) -> Count {
        Count { passed, failed, skipped: 0 }
    }

    fn exited(code: i32, counted: Option<Count>) -> (Outcome, Count) {
        settle(Ending::Exited(ExitStatus::from_raw(code << 8)), counted, false, &[])
    }

    fn failed(reason: &str) -> Outcome {
        Outcome::Failed(reason.to_owned())
    }

    #[test]
    fn a_suite_that_does_not_count_is_one_test() {
        assert_eq!(exited(0, None), (Outcome::Passed, count(1, 0)));
        assert_eq!(exited(3, None), (failed("it ended with exit status: 3"), count(0, 1)));
    }

    #[test]
    fn its_own_count_counts_and_a_bad_end_is_one_failure_more_than_none() {
        assert_eq!(exited(0, Some(count(7, 0))), (Outcome::Passed, count(7, 0)));
        assert_eq!(exited(1, Some(count(7, 2))), (failed("2 tests failed"), count(7, 2)));
        let bad_end = (failed("it ended with exit status: 9"), count(7, 1));
        assert_eq!(exited(9, Some(count(7, 0))), bad_end);
    }

    #[test]
    fn failed_tests_are_a_failure_whatever_the_exit_code_says() {
        assert_eq!(exited(0, Some(count(7, 1))), (failed("1 test failed"), count(7, 1)));
    }

    #[test]
    fn to_run_no_test_is_a_failure_unless_only_some_were_asked_for() {
        assert_eq!(exited(0, Some(count(0, 0))), (failed("it ran no test"), count(0, 1)));
        let ending = Ending::Exited(ExitStatus::default());
        let filtered = settle(ending, Some(count(0, 0)), true, &[]);
        assert_eq!(filtered, (Outcome::Passed, count(0, 0)));
    }

    #[test]
    fn a_service_that_ended_is_a_failure_of_a_suite_that_did_not_see_it() {
        let ending = Ending::Exited(ExitStatus::default());
        let (outcome, counted) = settle(ending, Some(count(3, 0)), false, &["keep0".into()]);
        assert_eq!(outcome, failed("keep0 of its cluster ended while it ran"));
        assert_eq!(counted, count(3, 1));
    }

    #[test]
    fn what_was_ended_by_us_is_told_from_what_failed() {
        let limit = Duration::from_secs(3);
        let settled = |ending| settle(ending, Some(count(3, 0)), false, &[]);
        assert_eq!(settled(Ending::TimedOut(limit)), (Outcome::TimedOut(limit), count(3, 1)));
        assert_eq!(settled(Ending::Interrupted), (Outcome::Interrupted, count(3, 0)));
        assert!(matches!(settled(Ending::Abandoned).0, Outcome::Broken(_)));
    }
}
