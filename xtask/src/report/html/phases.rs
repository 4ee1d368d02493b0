//! What an attempt at a suite consists of, in the order of time.

use crate::report::words;
use crate::results::{Attempt, Outcome, Span};

/// One part of it.
pub(super) struct Phase {
    /// How it is drawn.
    pub(super) class: &'static str,
    pub(super) what: String,
    pub(super) span: Span,
}

pub(super) fn of(attempt: &Attempt) -> Vec<Phase> {
    let phase = |class, what: &str, span| Phase { class, what: what.to_owned(), span };
    let waits = attempt.waits.iter().map(|wait| {
        let until = wait.ended_by.as_ref().map(|name| format!(", until {name} had ended"));
        let what = format!("waited for {}{}", wait.what, until.unwrap_or_default());
        Phase { class: "wait", what, span: wait.span }
    });
    let stack = attempt.stack.as_ref();
    let mut phases: Vec<Phase> = waits.collect();
    phases.extend(stack.map(|stack| phase("up", "cluster up", stack.up)));
    phases.extend(attempt.reset.map(|span| phase("reset", "cluster reset", span)));
    phases.extend(attempt.command.map(|span| {
        let class = match attempt.outcome {
            Outcome::Passed | Outcome::Skipped(_) => "command passed",
            _ => "command failed",
        };
        phase(class, &format!("command, {}", words::outcome(&attempt.outcome)), span)
    }));
    phases
        .extend(stack.and_then(|stack| stack.down).map(|span| phase("down", "cluster down", span)));
    phases.sort_by_key(|phase| phase.span.began);
    phases
}
