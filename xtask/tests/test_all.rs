//! `test-all` with suites of all kinds: what it runs, counts, says and leaves.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use common::suites::{output, test_all};
use common::{Checkout, redacted};
use serde_json::Value;

#[test]
fn results_are_counted_over_all_suites() {
    let checkout = Checkout::new();
    let suites = "  a: {command: [echo, '3 passed, 0 failed, 1 skipped']}\n  \
                  b: {command: [echo, 'test result: ok. 4 passed; 0 failed; 2 ignored; 0 measured']}\n  \
                  c: {command: ['true']}\n";
    let (done, last) = test_all(&checkout, suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "8 passed, 0 failed, 3 skipped"), "{done:?}");
    let (_, last) = test_all(&checkout, suites, &["--suite", "a"]);
    assert_eq!(last, "3 passed, 0 failed, 1 skipped");
    let (_, last) = test_all(&checkout, suites, &["--skip", "a", "--skip", "b"]);
    assert_eq!(last, "1 passed, 0 failed, 0 skipped");
}

#[test]
fn a_suite_that_fails_ends_badly_or_runs_nothing_is_a_failure() {
    let checkout = Checkout::new();
    for (command, passed, why) in [
        ("[echo, '3 passed, 1 failed']", 3, "1 test failed"),
        ("[sh, -c, 'echo 3 passed, 0 failed; exit 9']", 3, "it ended with exit status: 9"),
        ("[sh, -c, 'kill -9 $$']", 0, "it ended with signal: 9 (SIGKILL)"),
        ("[echo, '0 passed, 0 failed']", 0, "it ran no test"),
    ] {
        let suites = format!(
            "  a: {{command: {command}}}\n  b: {{command: [echo, '1 passed, 0 failed']}}\n"
        );
        let (done, last) = test_all(&checkout, &suites, &[]);
        let expected = format!("{} passed, 1 failed, 0 skipped", passed + 1);
        assert_eq!((done.code, last), (Some(1), expected), "{done:?}");
        assert!(done.stderr.contains(&format!("suite a: FAILED: {why}; ")), "{done:?}");
        assert!(done.stderr.contains("suite b: passed; "), "{done:?}");
        assert!(done.stderr.ends_with("error: failed: a\n"), "{done:?}");
    }
}

#[test]
fn a_suite_whose_needs_are_missing_is_skipped_and_with_strict_a_failure() {
    let checkout = Checkout::new();
    let suites = "  a: {needs: {programs: [no-such-program, cargo >= 900.1]}, command: ['true']}\n";
    let (done, last) = test_all(&checkout, suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "0 passed, 0 failed, 1 skipped"));
    let why = "no-such-program is not installed, cargo is 1.";
    assert!(done.stderr.contains(&format!("suite a: skipped: {why}")), "{done:?}");
    let (done, last) = test_all(&checkout, suites, &["--strict"]);
    assert_eq!((done.code, last.as_str()), (Some(1), "0 passed, 1 failed, 0 skipped"));
    assert!(done.stderr.contains(&format!("suite a: FAILED: {why}")), "{done:?}");
}

#[test]
fn a_suite_has_a_cluster_of_each_profile_that_it_asks_for_and_nothing_is_left() {
    let checkout = Checkout::new();
    let script = "curl --silent --fail --cacert \"$ARVADOS_TEST_CA_CERT\" \
                  --header \"Authorization: Bearer $ARVADOS_API_TOKEN\" \
                  \"https://$ARVADOS_API_HOST/arvados/v1/keep_services\" \
                  | tr , \"\\n\" | grep -c bi6l4-keepdisk";
    let suites = format!(
        "  a:\n    profiles: [default, single]\n    command:\n    - sh\n    - -c\n    - |\n      {script}\n"
    );
    let (done, last) = test_all(&checkout, &suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "2 passed, 0 failed, 0 skipped"), "{done:?}");
    let [two, one] = ["a.txt", "a@single.txt"].map(|file| output(&checkout, file));
    assert!(two > one, "two keepstores, then one: {two:?} {one:?}");
    let left = fs_err::read_dir(checkout.root().join(".services")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".cache"]);
}

#[test]
fn suites_that_share_a_cluster_find_it_reset() {
    let checkout = Checkout::new();
    let script = "echo \"$XTASK_STACK\"; curl --silent --fail --cacert \"$ARVADOS_TEST_CA_CERT\" \
                  --header \"Authorization: Bearer $ARVADOS_API_TOKEN\" --data '{}' \
                  \"https://$ARVADOS_API_HOST/arvados/v1/collections\" >/dev/null || exit; \
                  curl --silent --fail --cacert \"$ARVADOS_TEST_CA_CERT\" \
                  --header \"Authorization: Bearer $ARVADOS_API_TOKEN\" \
                  \"https://$ARVADOS_API_HOST/arvados/v1/collections?limit=0\" \
                  | grep -o '\"items_available\":[0-9]*'";
    let suite = |name: &str| {
        format!(
            "  {name}:\n    isolation: shared\n    command:\n    - sh\n    - -c\n    - |\n      {script}\n"
        )
    };
    let (done, last) = test_all(&checkout, &[suite("a"), suite("b")].concat(), &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "2 passed, 0 failed, 0 skipped"), "{done:?}");
    // The same stack, and what the first has made is gone.
    assert_eq!(output(&checkout, "a.txt"), output(&checkout, "b.txt"));
    assert!(output(&checkout, "a.txt").contains("items_available"));
}

#[test]
fn a_suite_runs_where_and_with_what_it_says() {
    let checkout = Checkout::new();
    fs_err::create_dir(checkout.root().join("my sdk")).unwrap();
    let suites = "  a:\n    folder: my sdk\n    env: {COLOUR: blue}\n    isolation: none\n    \
                  command: [sh, -c, 'pwd; echo \"$COLOUR ${ARVADOS_API_HOST-no cluster}\"']\n  \
                  b:\n    needs: {services: [keepstore]}\n    \
                  command: [sh, -c, 'cd \"$ROOT/.services/$XTASK_STACK\"; echo *.pid']\n";
    let root = checkout.root();
    let suites = format!("{suites}    env: {{ROOT: '{}'}}\n", root.display());
    let (done, _) = test_all(&checkout, &suites, &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let expected = format!("{}/my sdk\nblue no cluster\n", root.display());
    assert_eq!(output(&checkout, "a.txt"), expected);
    // With what a keepstore needs.
    assert_eq!(output(&checkout, "b.txt"), "api.pid keep0.pid keep1.pid\n");
}

#[test]
fn suites_run_side_by_side_up_to_the_number_of_jobs() {
    let checkout = Checkout::new();
    let fifo = checkout.root().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Each waits for the other.
    let both = "  a: {command: [sh, -c, 'echo >fifo']}\n  b: {command: [sh, -c, 'cat fifo']}\n";
    let (done, _) = test_all(&checkout, both, &["--jobs", "2"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    // Neither is there while the other is.
    let alone = "command: [sh, -c, 'mkdir busy && sleep 0.3 && rmdir busy']";
    let alone = format!("  a: {{{alone}}}\n  b: {{{alone}}}\n");
    let (done, _) = test_all(&checkout, &alone, &["--jobs", "1"]);
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn a_suite_is_run_again_as_often_as_it_says() {
    let checkout = Checkout::new();
    let script = "echo \"$XTASK_STACK\" >>stacks; test $(wc -l <stacks) -gt 1";
    let suites = format!("  a: {{retries: 2, command: [sh, -c, '{script}']}}\n");
    let (done, last) = test_all(&checkout, &suites, &[]);
    assert_eq!((done.code, last.as_str()), (Some(0), "1 passed, 0 failed, 0 skipped"), "{done:?}");
    let again = "suite a: attempt 1 FAILED: it ended with exit status: 1; it is run again";
    assert!(done.stderr.contains(again), "{done:?}");
    let stacks = fs_err::read_to_string(checkout.root().join("stacks")).unwrap();
    let stacks: Vec<&str> = stacks.lines().collect();
    assert_eq!(stacks.len(), 2);
    assert_ne!(stacks[0], stacks[1], "a cluster that nobody has touched");
    let (done, _) = test_all(&checkout, "  a: {retries: 1, command: ['false']}\n", &[]);
    assert_eq!(done.code, Some(1));
}

#[test]
fn after_a_failure_nothing_else_is_begun_if_so_asked() {
    let checkout = Checkout::new();
    let suites = "  a: {command: ['false']}\n  b: {command: ['false']}\n";
    let (done, last) = test_all(&checkout, suites, &["--jobs", "1", "--fail-fast"]);
    assert_eq!((done.code, last.as_str()), (Some(1), "0 passed, 1 failed, 1 skipped"), "{done:?}");
    let (_, last) = test_all(&checkout, suites, &["--jobs", "1"]);
    assert_eq!(last, "0 passed, 2 failed, 0 skipped");
}

#[test]
fn arguments_are_for_the_one_suite_that_was_chosen() {
    let checkout = Checkout::new();
    let suites = "  a: {command: [echo, hello]}\n  b: {command: ['true']}\n";
    let (done, _) = test_all(&checkout, suites, &["--suite", "a", "--", "--there", "x y"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(output(&checkout, "a.txt"), "hello --there x y\n");
    let (done, _) = test_all(&checkout, suites, &["--", "x"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("for one suite: name it with --suite"), "{done:?}");
}

#[test]
fn the_cluster_of_a_suite_that_failed_stays_up_if_so_asked() {
    let checkout = Checkout::new();
    let suites = "  a: {command: [sh, -c, 'sleep 600 & exit 1']}\n  b: {command: ['true']}\n";
    let (done, _) = test_all(&checkout, suites, &["--keep"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let stack = done.stderr.split_once("services exec --stack ").unwrap().1;
    let stack = stack.split_whitespace().next().unwrap();
    let exec = ["exec", "--stack", stack, "--", "sh", "-c", "echo $XTASK_STACK"];
    assert_eq!(checkout.services(&exec).ok().stdout.trim(), stack);
    let list = checkout.services(&["list"]).ok().stdout;
    assert_eq!(list.lines().count(), 2, "that one, and no other: {list}");
    assert_eq!(checkout.guardians(), [0; 0]);
    checkout.services(&["down", "--stack", stack]).ok();
}

#[test]
fn parts_of_a_run_are_together_the_whole() {
    let checkout = Checkout::new();
    let suites = "  a: {command: ['true'], profiles: [default, single]}\n  b: {command: ['true']}\n  \
                  c: {command: [sh, -c, 'exit 7'], shards: {command: [echo, '{{shard}} of {{shards}}']}}\n";
    let mut passed = 0;
    for (part, number) in [("1/2", 3), ("2/2", 2)] {
        let (done, last) = test_all(&checkout, suites, &["--partition", part]);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(last, format!("{number} passed, 0 failed, 0 skipped"));
        assert_eq!(output(&checkout, "c.txt"), format!("{}\n", part.replace('/', " of ")));
        passed += number;
    }
    assert_eq!(passed, 5);
    let (done, _) = test_all(&checkout, suites, &["--partition", "3/2"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("use K/N, with K from 1 to N"), "{done:?}");
}

#[test]
fn what_would_be_run_is_listed_for_programs() {
    let checkout = Checkout::new();
    let suites = "  a: {command: [go, test], profiles: [default, many]}\n  \
                  b: {command: [x], isolation: none, needs: {programs: [no-such-program]}}\n";
    let (done, _) = test_all(&checkout, suites, &["--list", "--format", "json"]);
    let list: Value = serde_json::from_str(&done.ok().stdout).unwrap();
    let field = |name: &str| -> Vec<Value> {
        list.as_array().unwrap().iter().map(|item| item[name].clone()).collect()
    };
    assert_eq!(field("name"), ["a", "a (many)", "b"]);
    assert_eq!(field("suite"), ["a", "a", "b"]);
    assert_eq!(field("isolation"), ["stack", "stack", "none"]);
    assert_eq!(field("profile"), [Value::from("default"), Value::from("many"), Value::Null]);
    assert_eq!(list[0]["command"], serde_json::json!(["go", "test"]));
    assert_eq!(list[2]["missing"], serde_json::json!(["no-such-program is not installed"]));
    let (done, _) = test_all(&checkout, suites, &["--list"]);
    insta::assert_snapshot!(redacted(&done.ok().stdout, &checkout));
}

#[test]
fn the_examples_of_the_documentation_are_suites() {
    let checkout = Checkout::new();
    let documentation = include_str!("../../docs/suites.md");
    let blocks = documentation.split("```yaml\n").skip(1);
    let mut examples: Vec<String> =
        blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect();
    assert_eq!(examples.len(), 5);
    let readme = include_str!("../../README.md");
    let example = readme.lines().skip_while(|line| *line != "    my-python:");
    let example: Vec<&str> = example.take_while(|line| !line.is_empty()).collect();
    assert!(example.len() > 4, "{example:?}");
    examples.push(example.join("\n"));
    for folder in ["my/python", "my/go", "my/web"] {
        fs_err::create_dir_all(checkout.root().join(folder)).unwrap();
    }
    fs_err::write(checkout.root().join("my/python/requirements.txt"), "").unwrap();
    for example in examples {
        let indented: String = example.lines().map(|line| format!("    {line}\n")).collect();
        let (done, _) = test_all(&checkout, &indented, &["--list"]);
        assert!(done.ok().stdout.starts_with("my-"), "{example}");
    }
}

#[test]
fn the_report_is_written_where_it_is_wanted_and_belongs_to_one_run() {
    let checkout = Checkout::new();
    let report = checkout.root().join("my report");
    let report = report.to_str().unwrap();
    let suites = "  a: {command: [sh, -c, 'echo said; exit 1']}\n";
    let (done, _) = test_all(&checkout, suites, &["--report", report]);
    assert!(done.stderr.contains(&format!("report: {report}/index.html")), "{done:?}");
    let said = fs_err::read_to_string(checkout.root().join("my report/output/a.txt")).unwrap();
    assert_eq!(said, "said\n");
    assert!(checkout.root().join("my report/logs/a/api.log").exists());
    // Whatever else is in a folder is somebody's.
    fs_err::create_dir_all(checkout.root().join("mine/logs")).unwrap();
    let mine = checkout.root().join("mine");
    let (done, _) = test_all(&checkout, suites, &["--report", mine.to_str().unwrap()]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains(" is not empty, and no report of an earlier run"), "{done:?}");
    assert!(mine.join("logs").exists());
    // A run inside a run has another folder, or is refused the same one.
    let own = env!("CARGO_BIN_EXE_xtask");
    let inner = |arguments: &str| {
        format!(
            "  a: {{isolation: none, command: [sh, -c, '\"{own}\" test-all --suite b {arguments}'], \
                 env: {{XTASK_ROOT: '{}'}}}}\n  b: {{command: ['true']}}\n",
            checkout.root().display()
        )
    };
    let (done, _) = test_all(&checkout, &inner(""), &["--suite", "a"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(output(&checkout, "a.txt").contains("/target/test-all-"), "{done:?}");
    let (done, _) = test_all(&checkout, &inner("--report target/test-all"), &["--suite", "a"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(output(&checkout, "a.txt").contains("is the report of a run that goes on"));
}

#[test]
fn a_mistake_in_suites_yml_is_refused_with_its_place() {
    let checkout = Checkout::new();
    for (suites, arguments, mistake) in [
        (
            "  a: {comand: ['true']}\n",
            ["--suite", "a"],
            "suites.yml:2:7: suites.a: unknown key `comand`; did you mean command?",
        ),
        (
            "  a:\n    command: [a]\n  b:\n    command: []\n",
            ["--suite", "a"],
            "suites.yml:4: suite b has an empty command",
        ),
        (
            "  a: {command: [a], profiles: [mny]}\n",
            ["--suite", "a"],
            "suites.yml:2: suite a: unknown profile mny; did you mean many?",
        ),
        (
            "  a: {command: [a], folder: nowhere}\n",
            ["--suite", "a"],
            "suites.yml:2: suite a: there is no folder ",
        ),
        (
            "  a: {command: [a], requirements: nowhere.txt}\n",
            ["--suite", "a"],
            "suites.yml:2: suite a: there is no file ",
        ),
        (
            "  \"a b\": {command: [a]}\n",
            ["--suite", "a"],
            "suites.yml:2: suite a b: its name is a file's too: use up to 64 letters",
        ),
        (
            &format!("  {}: {{command: [a]}}\n", "x".repeat(65)),
            ["--suite", "a"],
            "x: its name is a file's too: use up to 64 letters",
        ),
        (
            "  a: {command: [a]}\n  b: {command: [b]}\n  a: {command: [c]}\n",
            ["--suite", "a"],
            "duplicate entry with key \"a\"",
        ),
        ("  a: {command: [a]}\n", ["--skip", "a"], "there is no suite to run"),
        (
            "  a: {command: [a], needs: {services: [keepstor]}}\n",
            ["--suite", "a"],
            "suites.yml:2: suite a: unknown service keepstor",
        ),
        (
            "  rust: {command: ['true']}\n",
            ["--suite", "rst"],
            "unknown suite rst; did you mean rust?",
        ),
        (
            "  rust: {command: ['true']}\n",
            ["--skip", "rst"],
            "unknown suite rst; did you mean rust?",
        ),
    ] {
        let (done, last) = test_all(&checkout, suites, &arguments);
        assert_eq!((done.code, last.as_str()), (Some(2), ""), "{done:?}");
        assert!(done.stderr.contains(mistake), "{done:?}");
    }
}
