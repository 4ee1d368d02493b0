//! What a run of `test-all` was: data that the run fills in, and that every report is made of.
//!
//! All times are counted from the beginning of the run.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

pub(crate) mod count;
pub(crate) mod plain;
pub(crate) mod reader;

use count::Count;

/// A whole run.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    pub(crate) began: SystemTime,
    pub(crate) length: Duration,
    /// How many suites ran at once, at most.
    pub(crate) jobs: usize,
    /// The part of all work that this was, if not the whole: `2/3`.
    pub(crate) partition: Option<String>,
    /// In the order of the plan.
    pub(crate) suites: Vec<SuiteResult>,
    /// The signal that ended the run before its end.
    pub(crate) interrupted: Option<i32>,
}

/// One suite on one profile.
#[derive(Clone, Debug)]
pub(crate) struct SuiteResult {
    /// What it is called everywhere: `python`, or on another profile than the default `python
    /// (many)`.
    pub(crate) name: String,
    /// Its key in suites.yml.
    pub(crate) suite: String,
    /// The profile of services.yml, if it runs on a cluster.
    pub(crate) profile: Option<String>,
    pub(crate) command: Vec<String>,
    /// None if it was not run. Only the last one counts.
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) outcome: Outcome,
}

/// How a suite, or one attempt at it, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// Tests failed, or it ended badly: why, in a sentence without a full stop.
    Failed(String),
    /// It was ended at its time limit.
    TimedOut(Duration),
    /// Nothing is wrong with it: it could not be run, since its cluster did not come up or go down,
    /// or its program could not be started.
    Broken(String),
    /// Why it was not run.
    Skipped(String),
    /// The run was over before it was.
    Interrupted,
}

/// One attempt at a suite.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// What it waited for after the run or the attempt before had begun, and until when.
    pub(crate) waits: Vec<Wait>,
    /// Its cluster, if it was brought up for this attempt.
    pub(crate) stack: Option<StackTimes>,
    /// The reset of the shared cluster before it.
    pub(crate) reset: Option<Span>,
    /// The command; none if it came not that far.
    pub(crate) command: Option<Span>,
    pub(crate) outcome: Outcome,
    pub(crate) count: Count,
    /// Whether one of the failures in it is none that the suite has counted, but the suite itself.
    pub(crate) is_blamed: bool,
    /// Those that the suite has named, in their order.
    pub(crate) tests: Vec<Test>,
    /// What it has printed, relative to the report's folder.
    pub(crate) output: Option<PathBuf>,
    /// The logs of its services by their names, relative to the report's folder: where they were
    /// kept.
    pub(crate) logs: Vec<(String, PathBuf)>,
    /// What else a reader has to know: that it left processes behind, that a service ended.
    pub(crate) notes: Vec<String>,
    /// The name of its stack, if that was left up.
    pub(crate) kept: Option<String>,
}

/// A cluster that one attempt has for itself.
#[derive(Clone, Debug)]
pub(crate) struct StackTimes {
    pub(crate) name: String,
    /// From the first step to the last service that answers.
    pub(crate) up: Span,
    /// Each from when it was spawned until it was ready, in the order in which they are shown.
    pub(crate) services: Vec<(String, Span)>,
    pub(crate) down: Option<Span>,
}

/// Time in which nothing could be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) span: Span,
    /// `its turn`, `its packages`, `a free job`, `the shared cluster`.
    pub(crate) what: String,
    /// The suite whose end ended it.
    pub(crate) ended_by: Option<String>,
}

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) began: Duration,
    pub(crate) ended: Duration,
}

impl Span {
    pub(crate) fn length(self) -> Duration {
        self.ended.saturating_sub(self.began)
    }
}

/// One test of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// If the suite says how long it took.
    pub(crate) length: Option<Duration>,
}

/// Of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    Skipped,
}

impl Outcome {
    /// Whether something is wrong with the suite, or with what it tests.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::TimedOut(_))
    }
}

impl Attempt {
    /// One that has come no further than its beginning.
    pub(crate) fn new(waits: Vec<Wait>) -> Self {
        Self {
            waits,
            stack: None,
            reset: None,
            command: None,
            outcome: Outcome::Interrupted,
            count: Count::default(),
            is_blamed: false,
            tests: Vec::new(),
            output: None,
            logs: Vec::new(),
            notes: Vec::new(),
            kept: None,
        }
    }
}

impl Attempt {
    /// Their names, as far as the suite tells them.
    pub(crate) fn failed_tests(&self) -> impl Iterator<Item = &str> {
        let failed = self.tests.iter().filter(|test| test.verdict == Verdict::Failed);
        failed.map(|test| test.name.as_str())
    }
}

impl Results {
    /// Over all suites.
    pub(crate) fn count(&self) -> Count {
        let mut total = Count::default();
        self.suites.iter().for_each(|suite| total += suite.count());
        total
    }
}

impl SuiteResult {
    /// The attempt that counts.
    pub(crate) fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// A suite that does not count tests is one; so is what was skipped as a whole. One that could
    /// not be run is none.
    pub(crate) fn count(&self) -> Count {
        match (&self.outcome, self.last()) {
            (Outcome::Skipped(_), None) => Count { skipped: 1, ..Count::default() },
            (Outcome::Failed(_), None) => Count { failed: 1, ..Count::default() },
            (_, last) => last.map(|attempt| attempt.count).unwrap_or_default(),
        }
    }
}
