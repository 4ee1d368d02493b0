use std::path::{Path, PathBuf};

use super::super::sample;
use super::*;
use crate::results::{Attempt, SuiteResult, Verdict};

fn page(results: &Results) -> String {
    let folder = tempfile::tempdir().unwrap();
    sample::write_outputs(folder.path());
    render(results, &Ends::read(results, folder.path()), "build-7")
}

/// A run of nothing but one attempt that failed.
fn failed(attempt: impl FnOnce(&mut SuiteResult, &mut Attempt)) -> Results {
    let mut results = sample::results();
    results.suites.retain(|suite| suite.name == "python");
    let suite = &mut results.suites[0];
    let mut only = suite.attempts.remove(0);
    attempt(suite, &mut only);
    suite.attempts.push(only);
    results
}

fn position(page: &str, text: &str) -> usize {
    page.find(text).unwrap_or_else(|| panic!("{text:?} is not in {page}"))
}

#[test]
fn the_result_comes_first_then_the_times_and_what_failed_before_the_rest() {
    let page = page(&sample::results());
    let order = [
        "2 of 7 suites went wrong</h1>",
        "584 passed, 2 failed, 4 skipped",
        "<dd>1 min 1 s</dd>",
        "Time line",
        "What the run waited for",
        "What went wrong",
        "cluster_test.Keep.test_rendezvous_order",
        "AssertionError: Lists differ",
        "The other suites",
        "The slowest tests",
    ];
    assert!(order.map(|text| position(&page, text)).is_sorted());
}

#[test]
fn a_failure_leads_to_its_output_its_logs_and_its_cluster() {
    let page = page(&sample::results());
    for text in [
        r#"<a href="./output/python.log">the whole output</a>"#,
        r#"<a href="./logs/test-all-4711-2/keep0.log">keep0</a>"#,
        "cargo xtask services exec --stack test-all-4711-2 -- python sdk-fixtures/suites/python/run.py",
        "<li>keep1 has logged 3 warnings</li>",
        "at attempt 2; before: 1 test failed",
        "go is not installed",
    ] {
        position(&page, text);
    }
}

#[test]
fn all_that_is_drawn_is_told_in_a_table_too() {
    let page = page(&sample::results());
    let table = &page[position(&page, "The time line as a table")..];
    for text in [
        "<td>waited for a free job, until git had ended</td>",
        "<td>cluster up</td>",
        "<td>cluster reset</td>",
        "<td>command, failed</td>",
        "<th scope=\"row\">python (many), attempt 2</th>",
    ] {
        position(table, text);
    }
}

#[test]
fn every_outcome_has_a_word_and_a_sign() {
    for (outcome, word) in [
        (Outcome::TimedOut(std::time::Duration::from_secs(90)), "time limit of 1 min 30 s"),
        (Outcome::Interrupted, "the run was over before it was"),
        (Outcome::Broken("no cluster".into()), "no cluster"),
        (Outcome::Passed, "The suite passed"),
    ] {
        let page = page(&failed(|suite, _| suite.outcome = outcome.clone()));
        position(&page, word);
        position(&page, &format!("</span>{}</span>", words::outcome(&outcome)));
    }
}

#[test]
fn a_run_without_suites_or_with_an_end_by_a_signal_has_a_page() {
    let mut results = sample::results();
    results.interrupted = Some(2);
    position(&page(&results), "The run was interrupted");
    results.interrupted = None;
    results.suites.clear();
    position(&page(&results), "No suite was run");
}

#[test]
fn nothing_that_a_suite_says_becomes_a_part_of_the_page() {
    let bad = "</pre></code><script>alert(1)</script><img src=x onerror=\"alert(1)\">'&\u{202e}";
    let results = failed(|suite, attempt| {
        suite.name = bad.into();
        suite.command = vec![bad.into()];
        suite.profile = Some(bad.into());
        suite.outcome = Outcome::Failed(bad.into());
        attempt.tests =
            vec![sample::test(bad, Verdict::Failed, 1), sample::test(bad, Verdict::Skipped, 1)];
        attempt.notes = vec![bad.into()];
        attempt.kept = Some(bad.into());
        attempt.logs = vec![(bad.into(), PathBuf::from(bad))];
        let stack = attempt.stack.as_mut().unwrap();
        stack.name = bad.into();
        stack.services[0].0 = bad.into();
        for wait in &mut attempt.waits {
            wait.what = bad.into();
        }
    });
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir(folder.path().join("output")).unwrap();
    fs_err::write(folder.path().join("output/python.log"), bad).unwrap();
    let page = render(&results, &Ends::read(&results, folder.path()), bad);
    let escaped = "&lt;/pre&gt;&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
    assert!(page.matches(escaped).count() > 12);
    for raw in ["<script", "<img", "onerror=\"", "\u{202e}"] {
        assert!(!page.contains(raw), "{raw:?} is in {page}");
    }
}

#[test]
fn the_page_needs_nothing_from_anywhere() {
    let page = page(&sample::results());
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link", "<script"] {
        assert!(!page.contains(outside), "{outside:?} is in {page}");
    }
}

#[test]
fn ten_thousand_failures_and_a_long_output_make_no_long_page() {
    let results = failed(|_, attempt| {
        let name = |number| format!("module.Class.test_that_fails_in_some_way_{number}");
        attempt.tests =
            (0..10_000).map(|number| sample::test(&name(number), Verdict::Failed, 1)).collect();
    });
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir(folder.path().join("output")).unwrap();
    fs_err::write(folder.path().join("output/python.log"), "<line>\n".repeat(1_000_000)).unwrap();
    let page = render(&results, &Ends::read(&results, folder.path()), "");
    assert!(page.len() < 250_000, "{}", page.len());
    position(&page, "and 9800 more, which are in report.json");
    position(&page, "The end of its output");
}

/// What a link in a page says is what its file is called.
#[test]
fn links_lead_to_files_with_any_name() {
    let page = page(&failed(|_, attempt| attempt.output = Some(Path::new("a b#?.log").into())));
    position(&page, r#"<a href="./a%20b%23%3F.log">the whole output</a>"#);
}
