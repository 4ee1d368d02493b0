//! A run that has one of everything: for the tests, and for the picture in the README.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::results::count::Count;
use crate::results::{
    Attempt, Outcome, Results, Span, StackTimes, SuiteResult, Test, Verdict, Wait,
};

const FAILURE: &str = include_str!("sample/python.log");
const FIRST_TRY: &str = include_str!("sample/python-many.log");

/// What the suites of [`results`] have printed.
pub(super) fn write_outputs(folder: &Path) {
    for (path, output) in [("output/python.log", FAILURE), ("output/python@many.txt", FIRST_TRY)] {
        let path = folder.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, output).unwrap();
    }
}

/// Of two jobs: suites that passed, failed, were tried again, skipped and could not be run.
pub(super) fn results() -> Results {
    Results {
        began: SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_357_400),
        length: milliseconds(61_480),
        jobs: 2,
        partition: None,
        suites: vec![cli(), git(), go(), enforce(), python(), many(), rust()],
        interrupted: None,
    }
}

fn python() -> SuiteResult {
    let why = "2 tests failed".to_owned();
    let mut attempt = Attempt {
        stack: Some(stack("test-all-4711-2", 30, 44, None)),
        tests: tests("cluster_test.", &["Collections.test_pdh_of_a_manifest_with_spaces"], 64),
        output: Some("output/python.log".into()),
        logs: logs("test-all-4711-2"),
        notes: vec!["keep1 has logged 3 warnings".into()],
        kept: Some("test-all-4711-2".into()),
        ..attempt(80, 24_310, Outcome::Failed(why.clone()), [64, 2, 1])
    };
    attempt.tests.push(test("cluster_test.Keep.test_rendezvous_order", Verdict::Failed, 1204));
    attempt.tests.push(test("cluster_test.Keep.test_arv_mount", Verdict::Skipped, 0));
    suite("python", Some("default"), PYTHON, vec![attempt], Outcome::Failed(why))
}

/// The second try passes.
fn many() -> SuiteResult {
    let why = "1 test failed".to_owned();
    let mut first = Attempt {
        waits: vec![wait(30, 8_250, "a free job", "git")],
        stack: Some(stack("test-all-4711-3", 8_260, 71, Some(18_410))),
        tests: tests("cluster_test.", &["Keep.test_five_replicas"], 66),
        output: Some("output/python@many.txt".into()),
        logs: logs("test-all-4711-3"),
        ..attempt(8_340, 18_400, Outcome::Failed(why), [66, 1, 0])
    };
    first.notes.push("left 1 process behind, which was ended: arv-put (pid 5120)".into());
    let mut second = Attempt {
        stack: Some(stack("test-all-4711-4", 18_470, 68, Some(29_930))),
        tests: tests("cluster_test.", &[], 66),
        output: Some("output/python@many+2.txt".into()),
        ..attempt(18_550, 29_920, Outcome::Passed, [67, 0, 0])
    };
    second.tests.push(test("cluster_test.Keep.test_five_replicas", Verdict::Passed, 298));
    suite("python (many)", Some("many"), PYTHON, vec![first, second], Outcome::Passed)
}

/// Its cluster does not come up.
fn enforce() -> SuiteResult {
    let why = "the cluster did not come up: keep1 has ended (exit status 1) before it was ready";
    let mut attempt = Attempt {
        waits: vec![wait(30, 29_990, "a free job", "python (many)")],
        stack: Some(stack("test-all-4711-5", 30_000, 1_900, Some(32_020))),
        logs: logs("test-all-4711-5"),
        ..attempt(0, 0, Outcome::Broken(why.into()), [0, 0, 0])
    };
    attempt.command = None;
    let ready = |(service, _): &(String, Span)| service != "keep1" && service != "nginx";
    attempt.stack.iter_mut().for_each(|stack| stack.services.retain(ready));
    suite("python (enforce)", Some("enforce"), PYTHON, vec![attempt], Outcome::Broken(why.into()))
}

fn git() -> SuiteResult {
    let attempt = Attempt {
        stack: Some(stack("test-all-4711-1", 20, 41, Some(8_240))),
        tests: tests("", &[], 18),
        output: Some("output/git.log".into()),
        ..attempt(70, 8_220, Outcome::Passed, [18, 0, 0])
    };
    let command = &["sh", "sdk-fixtures/suites/git/test_git.sh"];
    suite("git", Some("default"), command, vec![attempt], Outcome::Passed)
}

/// On a cluster that it shares with others.
fn cli() -> SuiteResult {
    let attempt = Attempt {
        waits: vec![
            wait(30, 32_040, "a free job", "python (enforce)"),
            Wait { span: span(32_040, 33_500), what: "the shared cluster".into(), ended_by: None },
        ],
        reset: Some(span(33_500, 33_960)),
        tests: tests("", &[], 23),
        output: Some("output/cli.log".into()),
        ..attempt(33_980, 48_100, Outcome::Passed, [23, 0, 2])
    };
    let command = &["sh", "-c", "sdk/cli/test.sh && echo \"done\""];
    suite("cli", Some("default"), command, vec![attempt], Outcome::Passed)
}

fn rust() -> SuiteResult {
    let attempt = Attempt {
        waits: vec![wait(30, 24_400, "a free job", "python")],
        tests: tests("xtask ", &[], 412),
        output: Some("output/rust.log".into()),
        ..attempt(24_410, 61_450, Outcome::Passed, [412, 0, 0])
    };
    let command = &["cargo", "nextest", "run", "--workspace"];
    suite("rust", None, command, vec![attempt], Outcome::Passed)
}

fn go() -> SuiteResult {
    let why = Outcome::Skipped("go is not installed".into());
    suite("go-sdk", Some("default"), &["go", "test", "./sdk/go/..."], Vec::new(), why)
}

const PYTHON: &[&str] = &["python", "sdk-fixtures/suites/python/run.py"];

fn suite(
    name: &str,
    profile: Option<&str>,
    command: &[&str],
    attempts: Vec<Attempt>,
    outcome: Outcome,
) -> SuiteResult {
    SuiteResult {
        name: name.into(),
        suite: name.split(' ').next().unwrap().into(),
        profile: profile.map(str::to_owned),
        command: command.iter().map(|&part| part.to_owned()).collect(),
        attempts,
        outcome,
    }
}

/// Of nothing but a command.
pub(super) fn attempt(began: u64, ended: u64, outcome: Outcome, count: [u64; 3]) -> Attempt {
    let [passed, failed, skipped] = count;
    Attempt {
        command: Some(span(began, ended)),
        outcome,
        count: Count { passed, failed, skipped },
        ..Attempt::new(Vec::new())
    }
}

/// The failed ones, and so many that passed.
fn tests(prefix: &str, failed: &[&str], passed: usize) -> Vec<Test> {
    let failed = failed.iter().map(|name| test(&format!("{prefix}{name}"), Verdict::Failed, 312));
    let passed = (1..=passed).map(|number| {
        let length =
            30 + u64::try_from(number * 7919 % 1009).unwrap() * (1 + prefix.len() as u64 / 9);
        test(&format!("{prefix}Behaviour.test_{number:03}"), Verdict::Passed, length)
    });
    failed.chain(passed).collect()
}

pub(super) fn test(name: &str, verdict: Verdict, length: u64) -> Test {
    Test { name: name.into(), verdict, length: (length > 0).then(|| milliseconds(length)) }
}

fn stack(name: &str, began: u64, up: u64, down: Option<u64>) -> StackTimes {
    let service = |name: &str, from: u64, to: u64| {
        (name.to_owned(), span(began + up * from / 100, began + up * to / 100))
    };
    StackTimes {
        name: name.into(),
        up: span(began, began + up),
        services: vec![
            service("api", 6, 71),
            service("keep0", 8, 38),
            service("keep1", 9, 41),
            service("keepproxy", 72, 96),
            service("arv-git-httpd", 11, 33),
            service("nginx", 73, 100),
        ],
        down: down.map(|began| span(began, began + 40)),
    }
}

fn logs(stack: &str) -> Vec<(String, PathBuf)> {
    let log = |name: &str| (name.to_owned(), format!("logs/{stack}/{name}.log").into());
    ["api", "keep0", "keep1", "keepproxy", "arv-git-httpd", "nginx"].map(log).into()
}

fn wait(began: u64, ended: u64, what: &str, ended_by: &str) -> Wait {
    Wait { span: span(began, ended), what: what.into(), ended_by: Some(ended_by.into()) }
}

fn span(began: u64, ended: u64) -> Span {
    Span { began: milliseconds(began), ended: milliseconds(ended) }
}

fn milliseconds(number: u64) -> Duration {
    Duration::from_millis(number)
}
