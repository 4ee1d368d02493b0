//! What a person is told of checks.

use std::fmt::Write as _;

use super::run::Done;
use super::{Content, Outcome};

/// How many passed, failed and were skipped.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: usize,
    pub(crate) failed: usize,
    skipped: usize,
}

impl Tally {
    pub(crate) fn count(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Failed(_) | Outcome::Missing(_) => &mut self.failed,
            Outcome::Skipped(_) => &mut self.skipped,
        } += 1;
    }

    /// The result, in one line.
    pub(crate) fn line(&self) -> String {
        let Self { passed, failed, skipped } = self;
        let noun = if *passed == 1 { "check" } else { "checks" };
        format!("{passed} {noun} passed, {failed} failed, {skipped} skipped")
    }
}

/// What is said of one check; nothing before a commit, where there is nothing to do.
pub(crate) fn of(done: &Done, content: &Content) -> Option<String> {
    let Done { check, outcome, time } = done;
    let is_news = match outcome {
        Outcome::Passed => false,
        Outcome::Failed(_) | Outcome::Missing(_) => true,
        Outcome::Skipped(_) => !check.is_extra,
    };
    if content.is_staged() && !is_news {
        return None;
    }
    let line = |what: &str| format!("{:<12}  {what:<7}", check.name);
    Some(match outcome {
        Outcome::Passed => format!("{}  {}", line("ok"), seconds(time.as_secs_f64())),
        Outcome::Skipped(reason) => format!("{}  {reason}", line("skipped")),
        Outcome::Missing(reason) => format!("{}  {reason}", line("FAILED")),
        Outcome::Failed(faults) => {
            let mut text = format!("{}  {}", line("FAILED"), seconds(time.as_secs_f64()));
            for fault in faults {
                let _ = write!(text, "\n{fault}");
            }
            let _ = write!(text, "\nto mend it: {}", check.advice);
            if check.mend.is_some() {
                text.push_str("; `cargo xtask lint --fix` does what it can");
            }
            text
        }
    })
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}
