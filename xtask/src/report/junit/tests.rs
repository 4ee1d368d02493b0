use super::super::sample;
use super::*;

fn xml(results: &Results) -> String {
    let folder = tempfile::tempdir().unwrap();
    sample::write_outputs(folder.path());
    render(results, &Ends::read(results, folder.path())).unwrap()
}

/// A run of one suite.
fn of(outcome: Outcome, count: [u64; 3], tests: &[(&str, Verdict)]) -> Results {
    let mut results = sample::results();
    results.suites.truncate(1);
    let suite = &mut results.suites[0];
    let mut attempt = sample::attempt(0, 1500, outcome.clone(), count);
    attempt.tests = tests.iter().map(|(name, verdict)| sample::test(name, *verdict, 100)).collect();
    suite.attempts = vec![attempt];
    suite.outcome = outcome;
    results
}

/// Of elements: tests, failures, errors, skipped.
fn elements(xml: &str) -> [usize; 4] {
    ["<testcase ", "<failure ", "<error ", "<skipped"].map(|tag| xml.matches(tag).count())
}

#[test]
fn there_are_as_many_elements_as_tests_were_counted() {
    let results = sample::results();
    let (xml, count) = (xml(&results), results.count());
    // The cluster that did not come up is no test.
    let tests = usize::try_from(total(count)).unwrap() + 1;
    assert_eq!(elements(&xml)[0], tests);
    assert_eq!(u64::try_from(elements(&xml)[1]).unwrap(), count.failed);
    assert_eq!(u64::try_from(elements(&xml)[3]).unwrap(), count.skipped);
    let sums = format!("tests=\"{tests}\" skipped=\"4\" failures=\"2\" errors=\"1\"");
    assert!(xml.contains(&sums), "{xml}");
}

#[test]
fn the_count_is_kept_if_a_suite_names_fewer_or_more_tests() {
    let failed = || Outcome::Failed("it failed".into());
    let named = [("a", Verdict::Failed), ("b", Verdict::Failed), ("c", Verdict::Passed)];
    for (results, expected) in [
        (of(failed(), [5, 4, 1], &named), [10, 4, 0, 1]),
        (of(failed(), [0, 1, 0], &named), [1, 1, 0, 0]),
        (of(Outcome::Passed, [512, 0, 0], &[]), [512, 0, 0, 0]),
        (of(Outcome::Passed, [u64::MAX, 0, 0], &[]), [MOST_UNNAMED, 0, 0, 0]),
        (of(Outcome::Passed, [0, 0, 0], &[]), [0, 0, 0, 0]),
    ] {
        assert_eq!(elements(&xml(&results)), expected);
    }
}

#[test]
fn a_suite_that_does_not_count_is_one_test_of_its_name() {
    let xml = xml(&of(Outcome::Passed, [1, 0, 0], &[]));
    assert!(xml.contains(r#"<testcase name="cli" classname="cli" time="1.500"/>"#), "{xml}");
}

#[test]
fn what_went_wrong_beside_the_tests_is_an_error() {
    for outcome in [
        Outcome::Broken("no cluster".into()),
        Outcome::Failed("it left a process behind".into()),
        Outcome::TimedOut(Duration::from_secs(90)),
        Outcome::Interrupted,
    ] {
        let why = words::reason(&outcome).unwrap();
        let xml = xml(&of(outcome, [3, 0, 0], &[("a", Verdict::Passed)]));
        assert_eq!(elements(&xml), [4, 0, 1, 0]);
        assert!(xml.contains(&format!("<error message=\"{why}\"")), "{xml}");
    }
}

#[test]
fn a_suite_that_is_skipped_says_why() {
    let results = sample::results();
    assert!(xml(&results).contains(r#"<skipped message="go is not installed"/>"#));
}

#[test]
fn the_first_failure_has_the_end_of_the_output_without_colours() {
    let xml = xml(&sample::results());
    assert_eq!(xml.matches("AssertionError: Lists differ").count(), 2, "{xml}");
    assert_eq!(xml.matches("The whole output is in output/python.log").count(), 2);
    assert!(!xml.contains('\u{1b}') && !xml.contains("[31m"));
}

#[test]
fn an_attempt_before_the_last_is_told_with_its_test() {
    let failed = vec![sample::test("flaky", Verdict::Failed, 0)];
    let first = Attempt {
        tests: failed,
        ..sample::attempt(0, 900, Outcome::Failed("1 test failed".into()), [1, 1, 0])
    };
    let named =
        [("left out", Verdict::Skipped), ("steady", Verdict::Passed), ("flaky", Verdict::Passed)];
    let mut results = of(Outcome::Passed, [2, 0, 1], &named);
    results.suites[0].attempts.insert(0, first.clone());
    let passed = xml(&results);
    let expected = "<testcase name=\"flaky\" classname=\"cli\" time=\"0.100\">\n            \
                    <flakyFailure";
    assert!(passed.contains(expected), "{passed}");
    assert!(passed.contains(r#"message="attempt 1: 1 test failed""#), "{passed}");

    results.suites[0].attempts[0].tests.clear();
    let unnamed = xml(&results);
    let expected = expected.replace("flaky\"", "steady\"");
    assert!(unnamed.contains(&expected), "{unnamed}");

    let mut results = of(Outcome::Failed("again".into()), [0, 1, 0], &[]);
    results.suites[0].attempts.insert(0, first);
    assert!(xml(&results).contains("<rerunFailure"));
}

#[test]
fn names_and_reasons_of_any_characters_are_valid_xml() {
    let bad = "]]>&<\"'\u{1b}[31m\u{0}\u{b}\u{fffe}\u{ffff}\n\tü";
    let mut results = of(Outcome::Failed(bad.into()), [0, 1, 0], &[(bad, Verdict::Failed)]);
    results.suites[0].name = bad.into();
    let xml = xml(&results);
    let read = Report::deserialize_from_str(&xml).unwrap();
    assert_eq!(read.test_suites[0].test_cases.len(), 1);
    let is_wrong = |c: char| (c.is_control() && c != '\n' && c != '\t') || c >= '\u{fffe}';
    assert!(!xml.contains(is_wrong), "{xml:?}");
}
