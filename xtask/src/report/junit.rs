//! The report that CI servers read: a `testsuite` for each suite on each profile.
//!
//! They count the `testcase` elements, so there are as many as the suite has counted tests. Those
//! that it has not named have names by their number; one that has named more than it counts, as
//! unittest does for the parts of a test, keeps the first. What went wrong with a suite as a whole,
//! and with no test of it, is an `error` of its own, beyond the count.

use std::path::PathBuf;
use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use super::ends::Ends;
use super::words;
use crate::results::count::Count;
use crate::results::{Attempt, Outcome, Results, Span, SuiteResult, Test, Verdict};

/// So many tests without a name are told, if a suite claims more.
const MOST_UNNAMED: usize = 20_000;

/// Of the output, with the message: some servers show nothing else.
const LINES: usize = 40;

/// # Errors
/// When it cannot be put in XML.
pub(super) fn render(results: &Results, ends: &Ends) -> anyhow::Result<String> {
    let mut report = Report::new("cargo xtask test-all");
    report.set_time(results.length);
    report.timestamp = words::timestamp(results.began).parse().ok();
    for result in &results.suites {
        report.add_test_suite(suite(result, results, ends));
    }
    // Two characters that XML forbids, and quick-junit lets through.
    let mut xml = report.to_string()?.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    if !xml.ends_with('\n') {
        xml.push('\n');
    }
    Ok(xml)
}

fn suite(result: &SuiteResult, results: &Results, ends: &Ends) -> TestSuite {
    let mut suite = TestSuite::new(result.name.as_str());
    let command = result.last().and_then(|attempt| attempt.command);
    if let Some(command) = command {
        suite.set_time(command.length());
        let began = results.began.checked_add(command.began).unwrap_or(results.began);
        suite.timestamp = words::timestamp(began).parse().ok();
    }
    suite.add_property(Property::new("command", result.command.join(" ")));
    if let Some(profile) = &result.profile {
        suite.add_property(Property::new("profile", profile.as_str()));
    }
    suite.add_property(Property::new("attempts", result.attempts.len().to_string()));
    suite.add_test_cases(cases(result, ends));
    suite
}

fn cases(result: &SuiteResult, ends: &Ends) -> Vec<TestCase> {
    let mut count = result.count();
    if result.last().is_some_and(|attempt| attempt.is_blamed) {
        count.failed = count.failed.saturating_sub(1);
    }
    let tests = result.last().map_or(&[][..], |attempt| &attempt.tests);
    let mut cases = Vec::new();
    for (verdict, number) in [
        (Verdict::Failed, count.failed),
        (Verdict::Skipped, count.skipped),
        (Verdict::Passed, count.passed),
    ] {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let named = tests.iter().filter(|test| test.verdict == verdict).take(number);
        cases.extend(named.map(|test| case(result, &test.name, verdict, test.length)));
        let unnamed = number.saturating_sub(cases_of(tests, verdict)).min(MOST_UNNAMED);
        let is_alone = unnamed == 1 && tests.is_empty() && total(count) == 1;
        cases.extend((1..=unnamed).map(|number| {
            let name = match is_alone {
                true => result.name.clone(),
                false => format!("{} test {number} without a name", words::verdict(verdict)),
            };
            let length = result.last().and_then(|it| it.command).map(Span::length);
            case(result, &name, verdict, length.filter(|_| is_alone))
        }));
    }
    if words::is_bad(&result.outcome) && count.failed == 0 {
        cases.insert(0, case_of(result, &result.name, error(result)));
    }
    add_output(&mut cases, result, ends);
    add_reruns(&mut cases, result, ends);
    cases
}

fn cases_of(tests: &[Test], verdict: Verdict) -> usize {
    tests.iter().filter(|test| test.verdict == verdict).count()
}

fn total(count: Count) -> u64 {
    count.passed.saturating_add(count.failed).saturating_add(count.skipped)
}

fn case(result: &SuiteResult, name: &str, verdict: Verdict, length: Option<Duration>) -> TestCase {
    let reason = words::reason(&result.outcome).unwrap_or_default();
    let mut status = match verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Skipped => TestCaseStatus::skipped(),
    };
    if verdict == Verdict::Failed || matches!(result.outcome, Outcome::Skipped(_)) {
        status.set_message(reason);
    }
    let mut case = case_of(result, name, status);
    case.time = length;
    case
}

fn case_of(result: &SuiteResult, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(result.name.as_str());
    case
}

/// Of what went wrong beside the tests.
fn error(result: &SuiteResult) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(words::outcome(&result.outcome));
    status.set_message(words::reason(&result.outcome).unwrap_or_default());
    status
}

/// The first that went wrong has the end of the output, and all say where the whole is.
fn add_output(cases: &mut [TestCase], result: &SuiteResult, ends: &Ends) {
    let output = result.last().and_then(|attempt| attempt.output.as_ref());
    let wrong =
        cases.iter_mut().filter(|case| matches!(case.status, TestCaseStatus::NonSuccess { .. }));
    for (index, case) in wrong.enumerate() {
        let mut text = words::reason(&result.outcome).unwrap_or_default();
        if let Some(output) = output {
            text.push_str(&format!("\nThe whole output is in {}", output.display()));
        }
        if let Some(end) = ends.get(output).filter(|_| index == 0) {
            text.push_str(&format!(" and ends with\n\n{}", end.lines(LINES)));
            case.set_system_out(end.text.as_str());
        }
        case.status.set_description(text);
    }
}

/// Attempts before the last are told with the test that failed in them, or with the first.
fn add_reruns(cases: &mut [TestCase], result: &SuiteResult, ends: &Ends) {
    let Some((_, earlier)) = result.attempts.split_last() else {
        return;
    };
    for (index, attempt) in earlier.iter().enumerate() {
        let failed = |case: &TestCase| {
            let mut failed = attempt.tests.iter().filter(|test| test.verdict == Verdict::Failed);
            failed.any(|test| case.name.as_str() == test.name)
        };
        // Of one that was skipped there are no other attempts.
        let ran = |case: &TestCase| !matches!(case.status, TestCaseStatus::Skipped { .. });
        let at = cases.iter().position(|case| ran(case) && failed(case));
        if let Some(at) = at.or_else(|| cases.iter().position(ran)) {
            cases[at].status.add_rerun(rerun(attempt, index + 1, ends));
        }
    }
}

fn rerun(attempt: &Attempt, number: usize, ends: &Ends) -> TestRerun {
    let kind = match attempt.outcome {
        Outcome::Failed(_) | Outcome::TimedOut(_) => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    };
    let mut rerun = TestRerun::new(kind);
    let reason = words::reason(&attempt.outcome).unwrap_or_default();
    rerun.set_message(format!("attempt {number}: {reason}"));
    rerun.set_type(words::outcome(&attempt.outcome));
    rerun.time = attempt.command.map(Span::length);
    let output: Option<&PathBuf> = attempt.output.as_ref();
    if let Some(end) = ends.get(output) {
        rerun.set_system_out(end.text.as_str());
    }
    rerun
}

#[cfg(test)]
mod tests;
