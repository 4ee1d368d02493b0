//! The page for people: one file, which needs nothing from anywhere and runs no script.

mod cluster;
mod head;
mod markup;
mod phases;
mod scale;
mod suites;
mod timeline;

use super::ends::Ends;
use super::{chain, words};
use crate::results::{Outcome, Results};
use markup::Markup;

const STYLE: &str = include_str!("style.css");

/// Of a run on a machine.
pub(super) fn render(results: &Results, ends: &Ends, host: &str) -> String {
    let mut page = Markup::default();
    page.html("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.html("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.html("<meta name=\"color-scheme\" content=\"light dark\">\n");
    page.line("title", &[], &head::title(results));
    page.html("\n<style>\n");
    page.html(STYLE);
    page.html("</style>\n</head>\n<body>\n<main>\n");
    head::write(&mut page, results, host);
    timeline::write(&mut page, results);
    critical(&mut page, results);
    suites::write(&mut page, results, ends);
    page.html(
        "<footer>For programs: <a href=\"./report.json\">report.json</a> and <a \
         href=\"./junit.xml\">junit.xml</a>.</footer>\n</main>\n</body>\n</html>\n",
    );
    page.finish()
}

/// What the length of the run comes from, in words.
fn critical(page: &mut Markup, results: &Results) {
    let links = chain::critical(results);
    if links.is_empty() {
        return;
    }
    page.element("section", &[("aria-labelledby", "chain")], |page| {
        page.line("h2", &[("id", "chain")], "What the run waited for");
        page.line("p", &[("class", "why")], "One after the other, these make up its length:");
        page.element("ol", &[("class", "chain")], |page| {
            for link in &links {
                page.element("li", &[], |page| {
                    page.line("b", &[], &link.suite.name);
                    page.text(&format!(
                        " took {}, from {} to {}",
                        words::length(link.span.length()),
                        words::length(link.span.began),
                        words::length(link.span.ended)
                    ));
                    let what = link.waited_for.map(|what| format!(", after waiting for {what}"));
                    page.text(&what.unwrap_or_default());
                });
            }
        });
    });
}

/// The mark and the class of an outcome.
fn sign(outcome: &Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Passed => ("✓", "passed"),
        Outcome::Failed(_) => ("✗", "failed"),
        Outcome::TimedOut(_) => ("◷", "failed"),
        Outcome::Broken(_) => ("!", "broken"),
        Outcome::Skipped(_) => ("–", "skipped"),
        Outcome::Interrupted => ("◼", "broken"),
    }
}

/// An outcome as a mark and a word.
fn badge(page: &mut Markup, outcome: &Outcome) {
    let (sign, class) = sign(outcome);
    page.element("span", &[("class", &format!("badge {class}"))], |page| {
        page.sign("sign", sign);
        page.text(words::outcome(outcome));
    });
}

/// Where the page tells of a suite.
fn anchor(index: usize) -> String {
    format!("suite-{}", index + 1)
}

#[cfg(test)]
mod tests;
