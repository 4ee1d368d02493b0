//! What came of the run, when and where, and what to look at first.

use super::markup::Markup;
use super::{anchor, badge};
use crate::report::words;
use crate::results::{Outcome, Results, SuiteResult};

/// For the page's tab.
pub(super) fn title(results: &Results) -> String {
    format!("{}: cargo xtask test-all", verdict(results))
}

pub(super) fn write(page: &mut Markup, results: &Results, host: &str) {
    let class = match (bad(results).next(), results.interrupted) {
        (None, None) => "passed",
        _ => "failed",
    };
    page.element("header", &[("class", class)], |page| {
        page.line("p", &[("class", "command")], "cargo xtask test-all");
        page.element("h1", &[], |page| {
            page.sign("sign", if class == "passed" { "✓" } else { "✗" });
            page.text(&verdict(results));
        });
        page.line("p", &[("class", "count")], &results.count().to_string());
        facts(page, results, host);
        reasons(page, results);
    });
}

fn bad(results: &Results) -> impl Iterator<Item = (usize, &SuiteResult)> {
    let suites = results.suites.iter().enumerate();
    suites.filter(|(_, suite)| words::is_bad(&suite.outcome))
}

/// In a few words.
fn verdict(results: &Results) -> String {
    let (all, bad) = (results.suites.len(), bad(results).count());
    let skipped = |suite: &&SuiteResult| matches!(suite.outcome, Outcome::Skipped(_));
    let ran = all - results.suites.iter().filter(skipped).count();
    match (results.interrupted, bad, ran) {
        (Some(_), ..) => "The run was interrupted".to_owned(),
        (None, 0, 0) => "No suite was run".to_owned(),
        (None, 0, 1) => "The suite passed".to_owned(),
        (None, 0, _) => format!("All {} passed", words::number(ran, "suite")),
        (None, 1, _) if all == 1 => "The suite went wrong".to_owned(),
        (None, ..) => format!("{bad} of {} went wrong", words::number(all, "suite")),
    }
}

fn facts(page: &mut Markup, results: &Results, host: &str) {
    let began = words::timestamp(results.began);
    let mut facts = vec![
        ("began", began.replace('T', " ").replace('Z', " UTC")),
        ("took", words::length(results.length)),
        ("jobs", results.jobs.to_string()),
    ];
    if !host.is_empty() {
        facts.push(("on", host.to_owned()));
    }
    facts.extend(results.partition.clone().map(|part| ("part", part)));
    facts.extend(results.interrupted.map(|signal| ("ended by", format!("signal {signal}"))));
    page.element("dl", &[("class", "facts")], |page| {
        for (name, value) in &facts {
            page.element("div", &[], |page| {
                page.line("dt", &[], name);
                page.line("dd", &[], value);
            });
        }
    });
}

/// What to look at: what went wrong, and what passed only when it was tried again.
fn reasons(page: &mut Markup, results: &Results) {
    let again = results
        .suites
        .iter()
        .enumerate()
        .filter(|(_, suite)| suite.outcome == Outcome::Passed && suite.attempts.len() > 1);
    let suites: Vec<_> = bad(results).chain(again).collect();
    if suites.is_empty() {
        return;
    }
    page.element("ul", &[("class", "reasons")], |page| {
        for (index, suite) in suites {
            page.element("li", &[], |page| {
                badge(page, &suite.outcome);
                page.line("a", &[("href", &format!("#{}", anchor(index)))], &suite.name);
                let first = suite.attempts.first().map(|attempt| &attempt.outcome);
                let why = words::reason(&suite.outcome).or_else(|| {
                    let before = words::reason(first?)?;
                    Some(format!("{}; before: {before}", words::tries(suite)?))
                });
                page.line("span", &[("class", "why")], &why.unwrap_or_default());
            });
        }
    });
}
