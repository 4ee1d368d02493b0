//! When each suite waited, had its cluster coming up, ran and went down.

use std::time::Duration;

use super::markup::Markup;
use super::scale::Scale;
use super::{anchor, badge, phases};
use crate::report::{chain, words};
use crate::results::{Attempt, Results, Span, SuiteResult};

const LEGEND: [(&str, &str); 6] = [
    ("wait", "waiting"),
    ("up", "cluster up"),
    ("reset", "cluster reset"),
    ("command passed", "command, passed"),
    ("command failed", "command, failed"),
    ("down", "cluster down"),
];

pub(super) fn write(page: &mut Markup, results: &Results) {
    if results.suites.is_empty() {
        return;
    }
    let scale = Scale::of(Span { began: Duration::ZERO, ended: results.length });
    page.element("section", &[("aria-labelledby", "time")], |page| {
        page.line("h2", &[("id", "time")], "Time line");
        page.element("div", &[("class", "card timeline")], |page| {
            axis(page, scale);
            for (index, suite) in in_order_of_time(results) {
                row(page, scale, index, suite);
            }
            legend(page);
        });
        as_text(page, results);
    });
}

/// As they began; those that never did come last.
fn in_order_of_time(results: &Results) -> Vec<(usize, &SuiteResult)> {
    let mut suites: Vec<_> = results.suites.iter().enumerate().collect();
    let began = |suite: &SuiteResult| {
        let attempts = suite.attempts.iter();
        let ran = attempts.clone().flat_map(|attempt| attempt.command.or(up(attempt)));
        ran.chain(attempts.flat_map(chain::spans)).map(|span| span.began).next()
    };
    suites.sort_by_key(|(_, suite)| began(suite).unwrap_or(Duration::MAX));
    suites
}

fn up(attempt: &Attempt) -> Option<Span> {
    attempt.stack.as_ref().map(|stack| stack.up)
}

/// Only for the eye: the table below says the same.
fn axis(page: &mut Markup, scale: Scale) {
    page.element("div", &[("class", "row axis"), ("aria-hidden", "true")], |page| {
        page.line("div", &[("class", "name")], "");
        page.element("div", &[("class", "attempt")], |page| {
            page.element("div", &[("class", "track")], |page| {
                scale.marks().into_iter().for_each(|mark| write_mark(page, scale, mark));
            });
        });
    });
}

/// Its text is in the middle of it, but not beyond the ends.
fn write_mark(page: &mut Markup, scale: Scale, mark: Duration) {
    let at = scale.percent(mark);
    let class = match at {
        ..1.0 => "mark first",
        95.0.. => "mark last",
        _ => "mark",
    };
    let style = format!("left:{at:.3}%");
    page.line("span", &[("class", class), ("style", &style)], &mark_text(mark));
}

fn mark_text(mark: Duration) -> String {
    let seconds = mark.as_secs();
    match (mark.subsec_millis(), seconds) {
        (0, 0) => "0".to_owned(),
        (0, 1..60) => format!("{seconds} s"),
        (0, _) if seconds >= 3600 => {
            format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        (0, _) => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ if seconds == 0 => format!("{} ms", mark.as_millis()),
        _ => format!("{} s", mark.as_secs_f64()),
    }
}

fn row(page: &mut Markup, scale: Scale, index: usize, suite: &SuiteResult) {
    let grid = format!("--grid-step:{:.3}%", scale.percent(scale.step()));
    page.element("div", &[("class", "row")], |page| {
        page.element("div", &[("class", "name")], |page| {
            badge(page, &suite.outcome);
            page.line("a", &[("href", &format!("#{}", anchor(index)))], &suite.name);
        });
        page.element("div", &[("class", "attempts")], |page| {
            if suite.attempts.is_empty() {
                let reason = words::reason(&suite.outcome).unwrap_or_default();
                page.line("span", &[("class", "why")], &reason);
            }
            for attempt in &suite.attempts {
                page.element("div", &[("class", "attempt")], |page| {
                    let track = [("class", "track"), ("style", &*grid), ("aria-hidden", "true")];
                    page.element("div", &track, |page| bars(page, scale, attempt));
                    let took = took(attempt).map(words::length).unwrap_or_default();
                    page.line("span", &[("class", "number")], &took);
                });
            }
        });
    });
}

/// Without what it waited for.
fn took(attempt: &Attempt) -> Option<Duration> {
    let phases = phases::of(attempt);
    let own = || phases.iter().filter(|phase| phase.class != "wait").map(|phase| phase.span);
    let began = own().map(|span| span.began).min()?;
    Some(own().map(|span| span.ended).max()?.saturating_sub(began))
}

fn bars(page: &mut Markup, scale: Scale, attempt: &Attempt) {
    for phase in phases::of(attempt) {
        let title = format!("{}: {}", phase.what, words::length(phase.span.length()));
        let class = format!("bar {}", phase.class);
        let style = scale.style(phase.span);
        page.line("span", &[("class", &class), ("style", &style), ("title", &title)], "");
    }
}

fn legend(page: &mut Markup) {
    page.element("ul", &[("class", "legend"), ("aria-hidden", "true")], |page| {
        for (class, what) in LEGEND {
            page.element("li", &[], |page| {
                page.line("span", &[("class", &format!("bar {class}"))], "");
                page.text(what);
            });
        }
    });
}

fn as_text(page: &mut Markup, results: &Results) {
    page.element("details", &[], |page| {
        page.line("summary", &[], "The time line as a table");
        page.element("div", &[("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "The time line as a table")], |page| {
            page.element("table", &[], |page| {
                page.html("<thead><tr><th scope=\"col\">suite</th><th scope=\"col\">what</th><th scope=\"col\" class=\"number\">from</th><th scope=\"col\" class=\"number\">for</th></tr></thead>\n");
                page.element("tbody", &[], |page| {
                    for (_, suite) in in_order_of_time(results) {
                        rows(page, suite);
                    }
                });
            });
        });
    });
}

fn rows(page: &mut Markup, suite: &SuiteResult) {
    let several = suite.attempts.len() > 1;
    for (index, attempt) in suite.attempts.iter().enumerate() {
        let name = match several {
            true => format!("{}, attempt {}", suite.name, index + 1),
            false => suite.name.clone(),
        };
        for phase in phases::of(attempt) {
            page.element("tr", &[], |page| {
                page.line("th", &[("scope", "row")], &name);
                page.line("td", &[], &phase.what);
                page.line("td", &[("class", "number")], &words::length(phase.span.began));
                page.line("td", &[("class", "number")], &words::length(phase.span.length()));
            });
        }
    }
}
