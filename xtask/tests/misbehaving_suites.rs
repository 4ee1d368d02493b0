//! Suites that do what no suite should: each is reported as what it is, and others do not notice.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use common::suites::{output, test_all};
use common::{Checkout, Done};

/// Beside it, in every run here.
const WELL_BEHAVED: &str = "  good: {command: [echo, '5 passed, 0 failed']}\n";

/// Runs it beside one that behaves, which has to pass; the numbers without that one's are `last`.
#[track_caller]
fn beside_a_good_one(checkout: &Checkout, suite: &str, code: i32, last: &str) -> Done {
    let (done, total) = test_all(checkout, &format!("{suite}{WELL_BEHAVED}"), &["--jobs", "2"]);
    assert!(done.stderr.contains("suite good: passed; 5 passed, 0 failed"), "{done:?}");
    let passed: u64 = total.split(' ').next().unwrap().parse().unwrap();
    let others = total.split_once(' ').unwrap().1;
    assert_eq!((done.code, format!("{} {others}", passed - 5).as_str()), (Some(code), last));
    assert_eq!(checkout.processes(), [0; 0], "{done:?}");
    done
}

#[test]
fn of_one_that_fails_the_whole_output_is_shown_with_the_end_of_its_services_logs() {
    let checkout = Checkout::new();
    let suite = "  bad: {command: [sh, -c, 'seq 3000; echo end >&2; exit 4']}\n";
    let done = beside_a_good_one(&checkout, suite, 1, "0 passed, 1 failed, 0 skipped");
    let (_, shown) = done.stderr.split_once("---- the output of suite bad ----\n").unwrap();
    let (shown, rest) = shown.split_once("---- the end of the output of suite bad ----\n").unwrap();
    assert_eq!(shown.lines().count(), 3001);
    assert!(shown.starts_with("1\n2\n") && shown.ends_with("3000\nend\n"));
    assert!(rest.contains("api: the end of its log, "), "{rest}");
    assert!(rest.contains("suite bad: FAILED: it ended with exit status: 4; "), "{rest}");
    assert!(!done.stderr.contains("the output of suite good"));
}

#[test]
fn what_is_shown_of_one_ends_with_a_line_of_its_own_whatever_it_ended_with() {
    let checkout = Checkout::new();
    let suite = "  bad: {command: [sh, -c, 'printf 1; exit 4']}\n";
    let done = beside_a_good_one(&checkout, suite, 1, "0 passed, 1 failed, 0 skipped");
    let shown =
        "---- the output of suite bad ----\n1\n---- the end of the output of suite bad ----\n";
    assert!(done.stderr.contains(shown), "{done:?}");
}

#[test]
fn one_that_hangs_is_ended_at_its_time_limit() {
    let checkout = Checkout::new();
    let suite = "  bad: {timeout: 1, command: [sh, -c, 'echo 2 passed, 0 failed; sleep 600']}\n";
    let done = beside_a_good_one(&checkout, suite, 1, "2 passed, 1 failed, 0 skipped");
    let line =
        "suite bad: TIMED OUT: ended at its time limit of 1.00 s; 2 passed, 1 failed, 0 skipped";
    assert!(done.stderr.contains(line), "{done:?}");
}

#[test]
fn what_one_leaves_in_the_background_is_named_and_ended() {
    let checkout = Checkout::new();
    // One in its session, one in a session of its own, and both with its output open.
    let script = "sleep 600 & setsid sleep 601 & echo $! >pid; echo 1 passed, 0 failed";
    let suite = format!("  bad: {{command: [sh, -c, '{script}']}}\n");
    let done = beside_a_good_one(&checkout, &suite, 0, "1 passed, 0 failed, 0 skipped");
    let line = done.stderr.lines().find(|line| line.contains("it left processes behind: "));
    assert_eq!(line.unwrap().matches("sleep (pid ").count(), 2, "{done:?}");
    let pid = fs_err::read_to_string(checkout.root().join("pid")).unwrap();
    assert!(!common::runs(pid.trim().parse().unwrap()));
}

#[test]
fn one_that_prints_a_hundred_megabytes_is_read_to_its_end() {
    let checkout = Checkout::new();
    let script =
        "yes one line like so many others | head -c 100000000; echo; echo 3 passed, 0 failed";
    let suite = format!("  bad: {{command: [sh, -c, '{script}']}}\n");
    let done = beside_a_good_one(&checkout, &suite, 0, "3 passed, 0 failed, 0 skipped");
    assert!(done.stderr.len() < 10_000);
    let path = checkout.root().join("target/test-all/output/bad.txt");
    assert!(fs_err::metadata(path).unwrap().len() > 100_000_000);
}

#[test]
fn one_that_closes_its_output_goes_on() {
    let checkout = Checkout::new();
    let script = "echo 3 passed, 0 failed; exec >&- 2>&-; touch went-on";
    let suite = format!("  bad: {{command: [sh, -c, '{script}']}}\n");
    beside_a_good_one(&checkout, &suite, 0, "3 passed, 0 failed, 0 skipped");
    assert!(checkout.root().join("went-on").exists());
}

#[test]
fn one_that_kills_a_service_of_its_cluster_fails_even_if_it_does_not_notice() {
    let checkout = Checkout::new();
    let script = "kill -9 $(cat .services/$XTASK_STACK/keep0.pid); echo 3 passed, 0 failed";
    let suite = format!("  bad: {{command: [sh, -c, '{script}']}}\n");
    let done = beside_a_good_one(&checkout, &suite, 1, "3 passed, 1 failed, 0 skipped");
    let line = "suite bad: FAILED: keep0 of its cluster ended while it ran; ";
    assert!(done.stderr.contains(line), "{done:?}");
}

#[test]
fn one_may_restart_and_take_down_services_by_our_commands() {
    let checkout = Checkout::new();
    let own = env!("CARGO_BIN_EXE_xtask");
    let script = format!(
        "kill -9 $(cat .services/$XTASK_STACK/keep0.pid); \
         \"{own}\" services up --stack $XTASK_STACK && \
         \"{own}\" services restart --stack $XTASK_STACK && \
         \"{own}\" services down --stack $XTASK_STACK keep1"
    );
    let root = checkout.root();
    let suite = format!(
        "  bad: {{command: [sh, -c, '{script}'], env: {{XTASK_ROOT: '{}'}}}}\n",
        root.display()
    );
    beside_a_good_one(&checkout, &suite, 0, "1 passed, 0 failed, 0 skipped");
}

#[test]
fn one_whose_cluster_is_taken_down_under_it_could_not_be_run() {
    let checkout = Checkout::new();
    let own = env!("CARGO_BIN_EXE_xtask");
    let script =
        format!("XTASK_ROOT=\"$PWD\" \"{own}\" services down --stack $XTASK_STACK; sleep 600");
    let suite = format!("  bad: {{command: [sh, -c, '{script}']}}\n");
    let done = beside_a_good_one(&checkout, &suite, 3, "0 passed, 0 failed, 0 skipped");
    let line = "suite bad: COULD NOT BE RUN: its cluster was taken down while it ran; ";
    assert!(done.stderr.contains(line), "{done:?}");
    assert!(done.stderr.ends_with("error: could not be run: bad\n"), "{done:?}");
}

#[test]
fn that_a_cluster_does_not_come_up_or_a_program_is_missing_is_no_failure_of_a_test() {
    let checkout = Checkout::new();
    let fake = common::fake_service();
    let broken = format!(
        "  broken:\n    services: {{oops: {{command: ['{}'], env: {{FAKE_BEHAVIOUR: exit}}, \
         ports: [oops]}}}}\n",
        fake.display()
    );
    checkout.configure("profiles:\n", &format!("profiles:\n{broken}"));
    let suite = "  bad: {profiles: [broken], command: ['true']}\n";
    let done = beside_a_good_one(&checkout, suite, 3, "0 passed, 0 failed, 0 skipped");
    assert!(done.stderr.contains("suite bad (broken): COULD NOT BE RUN: oops"), "{done:?}");
    let log = checkout.root().join("target/test-all/logs/bad@broken/oops.log");
    assert!(log.exists(), "{done:?}");
    assert!(done.stderr.contains(&format!("its log, {}", log.display())), "{done:?}");
    assert!(!done.stderr.contains("/.services/"), "that one is gone: {done:?}");
    let suite = "  bad: {command: [/no/such/program]}\n";
    let done = beside_a_good_one(&checkout, suite, 3, "0 passed, 0 failed, 0 skipped");
    let line = "suite bad: COULD NOT BE RUN: cannot start /no/such/program: No such file";
    assert!(done.stderr.contains(line), "{done:?}");
}

#[test]
fn what_has_failed_and_what_could_not_be_run_are_both_told() {
    let checkout = Checkout::new();
    let suites = "  a: {command: [/no/such/program]}\n  b: {command: ['false']}\n";
    let (done, last) = test_all(&checkout, suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(1), "0 passed, 1 failed, 0 skipped"), "{done:?}");
    assert!(done.stderr.ends_with("error: failed: b; could not be run: a\n"), "{done:?}");
}

#[test]
fn what_one_claims_is_added_up_as_far_as_numbers_go() {
    let checkout = Checkout::new();
    let most = u64::MAX;
    let suite = format!("{{command: [echo, '{most} passed, 0 failed, 0 skipped']}}");
    let suites = format!("  a: {suite}\n  b: {suite}\n");
    let (done, last) = test_all(&checkout, &suites, &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(last, format!("{most} passed, 0 failed, 0 skipped"));
}

#[test]
fn suites_whose_names_are_alike_have_outputs_of_their_own() {
    let checkout = Checkout::new();
    let suites = "  a: {profiles: [single], retries: 1, command: [sh, -c, 'echo a; exit 1']}\n  \
                  a-single: {isolation: none, command: [echo, 'a-single']}\n  \
                  a.2: {isolation: none, command: [echo, 'a.2']}\n";
    let (done, _) = test_all(&checkout, suites, &[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    for (file, text) in
        [("a@single", "a"), ("a@single+2", "a"), ("a-single", "a-single"), ("a.2", "a.2")]
    {
        assert_eq!(output(&checkout, &format!("{file}.txt")), format!("{text}\n"), "{file}");
    }
}

#[test]
fn a_shared_cluster_that_a_suite_has_broken_is_made_anew_for_the_next() {
    let checkout = Checkout::new();
    let script = "echo $XTASK_STACK; kill -9 $(cat .services/$XTASK_STACK/keep0.pid)";
    let suites = format!(
        "  a: {{isolation: shared, command: [sh, -c, '{script}']}}\n  \
         b: {{isolation: shared, command: [sh, -c, 'echo $XTASK_STACK']}}\n"
    );
    let (done, last) = test_all(&checkout, &suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(1), "1 passed, 1 failed, 0 skipped"), "{done:?}");
    assert!(done.stderr.contains("suite b: the shared cluster was made anew: keep0"), "{done:?}");
    assert_ne!(output(&checkout, "a.txt"), output(&checkout, "b.txt"));
}

#[test]
fn one_that_removes_the_report_does_not_keep_the_next_from_running() {
    let checkout = Checkout::new();
    // In this order, since they share a cluster.
    let suites = "  a: {isolation: shared, command: [rm, -r, target]}\n  \
                  b: {isolation: shared, command: [echo, '3 passed, 0 failed']}\n";
    let (done, last) = test_all(&checkout, suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(3), "3 passed, 0 failed, 0 skipped"), "{done:?}");
    assert!(done.stderr.contains("suite a: COULD NOT BE RUN: failed to open file "), "{done:?}");
    assert_eq!(output(&checkout, "b.txt"), "3 passed, 0 failed\n");
    assert!(checkout.root().join("target/test-all/index.html").exists());
}
