//! Why a run took as long as it did: what ended last, what that had waited for, and so on.

use std::time::Duration;

use crate::results::{Attempt, Results, Span, SuiteResult};

/// A suite, while the run was waiting for it and nothing else.
#[derive(Debug)]
pub(super) struct Link<'a> {
    pub(super) suite: &'a SuiteResult,
    pub(super) span: Span,
    /// What it had waited for before, unless it is the first.
    pub(super) waited_for: Option<&'a str>,
}

/// In the order of time: each link's suite could go on when the one before had ended.
pub(super) fn critical(results: &Results) -> Vec<Link<'_>> {
    let last = results.suites.iter().filter_map(|suite| Some((suite, ended(suite)?)));
    let mut next = last.max_by_key(|(_, ended)| *ended);
    let mut links = Vec::new();
    while let Some((suite, ended)) = next {
        let waits = suite.attempts.iter().flat_map(|attempt| &attempt.waits);
        let before = waits.filter(|wait| {
            wait.ended_by.is_some()
                && wait.span.ended < ended
                && wait.span.length() > Duration::ZERO
        });
        let wait = before.max_by_key(|wait| wait.span.ended);
        let began = wait.map_or(began(suite), |wait| wait.span.ended);
        let waited_for = wait.map(|wait| wait.what.as_str());
        links.push(Link { suite, span: Span { began, ended }, waited_for });
        // What ended a wait was over by then, so that times only ever get less.
        next = wait.and_then(|wait| {
            let name = wait.ended_by.as_ref()?;
            let suite = results.suites.iter().find(|suite| suite.name == *name)?;
            Some((suite, wait.span.ended))
        });
    }
    links.reverse();
    links
}

/// What an attempt did, in the order of time.
pub(super) fn spans(attempt: &Attempt) -> impl Iterator<Item = Span> {
    let waits = attempt.waits.iter().map(|wait| wait.span);
    let stack = attempt.stack.as_ref();
    waits
        .chain(stack.map(|stack| stack.up))
        .chain(attempt.reset)
        .chain(attempt.command)
        .chain(stack.and_then(|stack| stack.down))
}

fn ended(suite: &SuiteResult) -> Option<Duration> {
    suite.attempts.iter().flat_map(spans).map(|span| span.ended).max()
}

/// What it waited for without anybody's doing is a part of it.
fn began(suite: &SuiteResult) -> Duration {
    suite.attempts.iter().flat_map(spans).map(|span| span.began).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn it_leads_from_what_ended_last_to_what_waited_for_nobody() {
        let results = sample::results();
        let links = critical(&results);
        let names: Vec<&str> = links.iter().map(|link| link.suite.name.as_str()).collect();
        assert_eq!(names, ["python", "rust"]);
        assert_eq!(links[0].span.ended, links[1].span.began);
        assert_eq!((links[0].waited_for, links[1].waited_for), (None, Some("a free job")));
    }

    #[test]
    fn waits_that_lead_in_a_circle_or_nowhere_come_to_an_end() {
        let mut results = sample::results();
        for suite in &mut results.suites {
            let name = suite.name.clone();
            for wait in suite.attempts.iter_mut().flat_map(|attempt| &mut attempt.waits) {
                wait.ended_by = Some(name.clone());
            }
        }
        assert!(critical(&results).iter().all(|link| link.suite.name == "rust"));
        results.suites.clear();
        assert!(critical(&results).is_empty());
    }
}
