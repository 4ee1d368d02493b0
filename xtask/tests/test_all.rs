//! `test-all` with suites of all kinds: what it counts, says and leaves.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use common::{Checkout, Done};

/// Runs `test-all` on these suites; the result, and standard output's last line.
fn test_all(checkout: &Checkout, suites: &str, arguments: &[&str]) -> (Done, String) {
    let path = checkout.root().join("xtask/suites.yml");
    fs_err::write(path, format!("suites:\n{suites}")).unwrap();
    let done = checkout.run(&[&["test-all"], arguments].concat());
    let last = done.stdout.lines().last().unwrap_or_default().to_owned();
    (done, last)
}

#[test]
fn results_are_counted_over_all_suites() {
    let checkout = Checkout::new();
    let suites = "  a: {command: [echo, '3 passed, 0 failed, 1 skipped']}\n  \
                  b: {command: [echo, 'test result: ok. 4 passed; 0 failed; 2 ignored; 0 measured']}\n";
    let (done, last) = test_all(&checkout, suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "7 passed, 0 failed, 3 skipped"), "{done:?}");
    let (_, last) = test_all(&checkout, suites, &["--suite", "a"]);
    assert_eq!(last, "3 passed, 0 failed, 1 skipped");
}

#[test]
fn a_suite_that_fails_ends_badly_or_runs_nothing_is_a_failure() {
    let checkout = Checkout::new();
    for (command, last_line) in [
        ("[echo, '3 passed, 1 failed']", "3 passed, 1 failed, 0 skipped"),
        ("[sh, -c, 'echo 3 passed, 0 failed; exit 9']", "3 passed, 1 failed, 0 skipped"),
        ("['true']", "0 passed, 1 failed, 0 skipped"),
        ("[/no/such/program]", "0 passed, 1 failed, 0 skipped"),
    ] {
        let suites = format!(
            "  a: {{command: {command}}}\n  b: {{command: [echo, '1 passed, 0 failed']}}\n"
        );
        let (done, last) = test_all(&checkout, &suites, &["--suite", "a"]);
        assert_eq!((done.code, last.as_str()), (Some(1), last_line), "{done:?}");
        let (_, last) = test_all(&checkout, &suites, &[]);
        assert!(last.starts_with(if last_line.starts_with('3') { "4" } else { "1" }), "{last}");
    }
}

#[test]
fn a_suite_whose_needs_are_missing_is_skipped_and_with_strict_a_failure() {
    let checkout = Checkout::new();
    let suites = "  a: {needs: [no-such-program], command: ['true']}\n";
    let (done, last) = test_all(&checkout, suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "0 passed, 0 failed, 1 skipped"));
    assert!(
        done.stderr.contains("suite a is skipped: no-such-program is not installed"),
        "{done:?}"
    );
    let (done, last) = test_all(&checkout, suites, &["--strict"]);
    assert_eq!((done.code, last.as_str()), (Some(1), "0 passed, 1 failed, 0 skipped"));
}

#[test]
fn a_suite_has_a_cluster_of_the_profile_that_it_asks_for_and_nothing_is_left() {
    let checkout = Checkout::new();
    let script = "curl --silent --fail --cacert \"$ARVADOS_TEST_CA_CERT\" \
                  --header \"Authorization: Bearer $ARVADOS_API_TOKEN\" \
                  \"https://$ARVADOS_API_HOST/arvados/v1/keep_services\" \
                  | tr , \"\\n\" | grep -c bi6l4-keepdisk; echo 1 passed, 0 failed";
    let suites = format!(
        "  a:\n    clusters: [default, single]\n    command:\n    - sh\n    - -c\n    - |\n      {script}\n"
    );
    let (done, last) = test_all(&checkout, &suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "2 passed, 0 failed, 0 skipped"), "{done:?}");
    let counts: Vec<&str> = done.stderr.lines().filter(|line| line.len() == 1).collect();
    assert_eq!(counts.len(), 2, "{done:?}");
    assert!(counts[0] > counts[1], "two keepstores, then one: {done:?}");
    let left = fs_err::read_dir(checkout.root().join(".services")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".cache"]);
}

#[test]
fn what_a_suite_leaves_in_the_background_is_ended() {
    let checkout = Checkout::new();
    // It holds the pipe of the suite's output, too: nobody may wait for its end.
    let suites =
        "  a: {command: [sh, -c, 'sleep 600 & echo background $!; echo 1 passed, 0 failed']}\n";
    let (done, last) = test_all(&checkout, suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "1 passed, 0 failed, 0 skipped"), "{done:?}");
    let pid = done.stderr.lines().find_map(|line| line.strip_prefix("background ")).unwrap();
    common::wait_until_gone(pid.parse().unwrap());
}

#[test]
fn a_mistake_in_suites_yml_is_refused_with_its_place() {
    let checkout = Checkout::new();
    let (done, _) = test_all(&checkout, "  a: {comand: ['true']}\n", &[]);
    assert_eq!(done.code, Some(2));
    assert!(
        done.stderr
            .contains("suites.yml:2:7: suites.a: unknown key `comand`; did you mean command?"),
        "{done:?}"
    );
    let (done, _) = test_all(&checkout, "  rust: {command: ['true']}\n", &["--suite", "rst"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("unknown suite rst; did you mean rust?"), "{done:?}");
}

#[test]
fn the_logs_of_a_suite_that_failed_stay_when_others_pass() {
    let checkout = Checkout::new();
    let suites = "  a: {clusters: [default], command: [echo, '1 passed, 1 failed']}\n  \
                  b: {clusters: [default], command: [echo, '1 passed, 0 failed']}\n";
    let (done, last) = test_all(&checkout, suites, &[]);
    assert_eq!(last, "2 passed, 1 failed, 0 skipped", "{done:?}");
    let line = "the logs of the cluster are in ";
    let logs = done.stderr.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    assert!(std::path::Path::new(logs).join("api.log").exists(), "{done:?}");
}
