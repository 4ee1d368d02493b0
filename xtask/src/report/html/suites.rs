//! What each suite has to say, those that went wrong first.

use std::path::Path;

use super::markup::{Markup, address};
use super::{anchor, badge, cluster};
use crate::report::ends::Ends;
use crate::report::words;
use crate::results::count::Count;
use crate::results::{Attempt, Outcome, Results, SuiteResult, Test, Verdict};

/// So many names of tests are shown; all of them are in the other reports.
const MOST_NAMES: usize = 200;

/// How many of the slowest tests are shown.
const SLOWEST: usize = 10;

pub(super) fn write(page: &mut Markup, results: &Results, ends: &Ends) {
    let (bad, good): (Vec<_>, Vec<_>) =
        results.suites.iter().enumerate().partition(|(_, suite)| words::is_bad(&suite.outcome));
    if !bad.is_empty() {
        page.element("section", &[("aria-labelledby", "wrong")], |page| {
            page.line("h2", &[("id", "wrong")], "What went wrong");
            for (index, suite) in &bad {
                let id = anchor(*index);
                page.element("article", &[("id", &id), ("class", "card")], |page| {
                    page.element("h3", &[], |page| heading(page, suite));
                    body(page, suite, ends);
                });
            }
        });
    }
    if !good.is_empty() {
        page.element("section", &[("aria-labelledby", "others")], |page| {
            let title = if bad.is_empty() { "Suites" } else { "The other suites" };
            page.line("h2", &[("id", "others")], title);
            for (index, suite) in &good {
                let id = anchor(*index);
                page.element("details", &[("id", &id), ("class", "card")], |page| {
                    page.element("summary", &[], |page| heading(page, suite));
                    body(page, suite, ends);
                });
            }
        });
    }
    slowest(page, results);
}

fn heading(page: &mut Markup, suite: &SuiteResult) {
    badge(page, &suite.outcome);
    page.line("span", &[("class", "title")], &suite.name);
    let mut said = Vec::new();
    match (suite.attempts.len(), suite.count()) {
        (0, _) => said.extend(words::reason(&suite.outcome)),
        (_, count) => said.extend((count != Count::default()).then(|| count.to_string())),
    }
    said.extend(words::tries(suite));
    page.line("span", &[("class", "why")], &said.join(", "));
}

fn body(page: &mut Markup, suite: &SuiteResult, ends: &Ends) {
    page.element("p", &[("class", "run")], |page| {
        page.line("code", &[], &suite.command.join(" "));
        if let Some(profile) = &suite.profile {
            page.text(" on a cluster of profile ");
            page.line("code", &[], profile);
        }
    });
    let number = suite.attempts.len();
    for (index, attempt) in suite.attempts.iter().enumerate() {
        let is_last = index + 1 == number;
        if number > 1 {
            page.element("h4", &[], |page| {
                page.text(&format!("Attempt {} of {number} ", index + 1));
                badge(page, &attempt.outcome);
            });
        }
        // How the last one ended is how the suite did.
        let outcome = if is_last { &suite.outcome } else { &attempt.outcome };
        reason(page, words::reason(outcome));
        one(page, suite, attempt, ends);
    }
}

fn reason(page: &mut Markup, reason: Option<String>) {
    if let Some(reason) = reason {
        page.line("p", &[("class", "reason")], &reason);
    }
}

fn one(page: &mut Markup, suite: &SuiteResult, attempt: &Attempt, ends: &Ends) {
    names(page, &attempt.tests, Verdict::Failed, "Failed");
    output(page, suite, attempt, ends);
    if !attempt.notes.is_empty() {
        page.element("ul", &[("class", "notes")], |page| {
            attempt.notes.iter().for_each(|note| page.line("li", &[], note));
        });
    }
    if let Some(kept) = &attempt.kept {
        page.element("div", &[("class", "kept")], |page| {
            page.text("Its cluster is still up. Try something on it, and take it down:");
            let stack = quoted(kept);
            let commands = format!(
                "cargo xtask services exec --stack {stack} -- {}\ncargo xtask services down \
                 --stack {stack}",
                suite.command.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(" ")
            );
            page.line("pre", &[], &commands);
        });
    }
    files(page, attempt);
    names(page, &attempt.tests, Verdict::Skipped, "Skipped");
    if let Some(stack) = &attempt.stack {
        cluster::write(page, stack, matches!(attempt.outcome, Outcome::Broken(_)));
    }
}

/// For a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn names(page: &mut Markup, tests: &[Test], verdict: Verdict, title: &str) {
    let named: Vec<&Test> = tests.iter().filter(|test| test.verdict == verdict).collect();
    if named.is_empty() {
        return;
    }
    page.line("h4", &[], &format!("{title}: {}", words::number(named.len(), "test")));
    page.element("ul", &[("class", "tests")], |page| {
        for test in named.iter().take(MOST_NAMES) {
            page.element("li", &[], |page| {
                page.line("code", &[], &test.name);
                if let Some(length) = test.length {
                    page.line("span", &[("class", "why")], &words::length(length));
                }
            });
        }
        if let Some(more) = named.len().checked_sub(MOST_NAMES).filter(|more| *more > 0) {
            page.line("li", &[], &format!("and {more} more, which are in report.json"));
        }
    });
}

fn output(page: &mut Markup, suite: &SuiteResult, attempt: &Attempt, ends: &Ends) {
    let Some(end) = ends.get(attempt.output.as_ref()) else {
        return;
    };
    let title = if end.is_cut { "The end of its output" } else { "Its output" };
    page.line("h4", &[], title);
    let label = format!("{title}: {}", suite.name);
    // Drawn from the end on, which is where a failure is told.
    let window =
        [("class", "output"), ("tabindex", "0"), ("role", "region"), ("aria-label", &*label)];
    page.element("div", &window, |page| page.line("pre", &[], &end.text));
}

/// The whole output, and what the services have logged.
fn files(page: &mut Markup, attempt: &Attempt) {
    if attempt.output.is_none() && attempt.logs.is_empty() {
        return;
    }
    page.element("p", &[("class", "files")], |page| {
        if let Some(output) = &attempt.output {
            link(page, output, "the whole output");
        }
        if !attempt.logs.is_empty() {
            page.line("span", &[("class", "why")], "logs:");
        }
        attempt.logs.iter().for_each(|(service, log)| link(page, log, service));
    });
}

fn link(page: &mut Markup, path: &Path, text: &str) {
    page.line("a", &[("href", &address(path))], text);
    page.text(" ");
}

fn slowest(page: &mut Markup, results: &Results) {
    let mut tests: Vec<(&str, &Test)> = results
        .suites
        .iter()
        .flat_map(|suite| suite.last().map(|attempt| (suite, attempt)))
        .flat_map(|(suite, attempt)| attempt.tests.iter().map(|test| (suite.name.as_str(), test)))
        .filter(|(_, test)| test.length.is_some())
        .collect();
    if tests.is_empty() {
        return;
    }
    tests.sort_by_key(|(_, test)| std::cmp::Reverse(test.length));
    page.element("section", &[("aria-labelledby", "slowest")], |page| {
        page.line("h2", &[("id", "slowest")], "The slowest tests");
        page.element("ol", &[("class", "card tests slowest")], |page| {
            for (suite, test) in tests.iter().take(SLOWEST) {
                page.element("li", &[], |page| {
                    let length = test.length.map(words::length).unwrap_or_default();
                    page.line("span", &[("class", "number")], &length);
                    page.line("code", &[], &test.name);
                    page.line("span", &[("class", "why")], suite);
                });
            }
        });
    });
}
