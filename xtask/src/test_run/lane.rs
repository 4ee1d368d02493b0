//! Suites one after the other, each on its cluster: how one is tried, and what is noted of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::ground::{Ground, Next};
use super::plan::Item;
use super::reading;
use super::schedule::Chain;
use super::settle::{self, Ending};
use super::turns::Turn;
use super::{Run, watch};
use crate::export::Environment;
use crate::failure::Interrupted;
use crate::lifecycle::Cluster;
use crate::lifecycle::health::{self, Health};
use crate::owned::OwnedStack;
use crate::owned::guest::{Guest, GuestCommand};
use crate::results::{Attempt, Outcome, Span, SuiteResult, Wait};
use crate::suites::virtual_environment;

/// One worker, with the cluster that it has now.
pub(super) struct Lane<'a> {
    run: &'a Run<'a>,
    ground: Ground<'a>,
    /// The place of its chain in the order of the run.
    order: usize,
    /// Held while it prepares a cluster, and until that is used.
    ahead: Option<Turn<'a>>,
    /// Held while a suite runs.
    job: Option<Turn<'a>>,
    /// The suite that it ran last.
    last: Option<String>,
}

/// It is too late to begin a suite.
#[derive(Debug, thiserror::Error)]
#[error("another suite has failed before it was begun")]
struct NotBegun;

impl<'a> Lane<'a> {
    pub(super) fn new(run: &'a Run<'a>) -> Self {
        Self { run, ground: Ground::new(run), order: 0, ahead: None, job: None, last: None }
    }

    /// Runs the suites of a chain; `done` is told of each. While other suites run, `ahead` is what
    /// allows it to prepare the cluster of the first.
    pub(super) fn follow(
        &mut self,
        chain: &Chain,
        ahead: Turn<'a>,
        mut done: impl FnMut(usize, SuiteResult),
    ) {
        self.order = chain.order;
        self.ahead = Some(ahead);
        for (index, planned) in chain.items.iter().enumerate() {
            let what = if index == 0 { "its turn" } else { "the shared cluster" };
            let is_last = index + 1 == chain.items.len();
            let result = self.suite(&planned.item, what, is_last);
            self.last = Some(planned.item.name.clone());
            done(planned.place, result);
        }
        self.ahead = None;
    }

    /// A suite, until it passes or has been tried often enough.
    fn suite(&mut self, item: &Item, what: &str, is_last: bool) -> SuiteResult {
        let mut result = item.result(Outcome::Interrupted);
        let ended_by = self.last.take();
        let mut waits = vec![self.waited_since(Duration::ZERO, what, ended_by)];
        for number in 1.. {
            let mut attempt = self.attempt(item, number, std::mem::take(&mut waits));
            let failed = attempt.outcome.is_failure();
            let again = failed && number <= item.suite.retries as usize;
            if !again && attempt.outcome != Outcome::Passed {
                self.run.stop_if_fail_fast();
            }
            self.job = None;
            let next = match (again, is_last) {
                (true, _) => Next::Again,
                (false, true) => Next::Nothing,
                (false, false) => Next::AnotherSuite,
            };
            self.ground.leave(item, number, &mut attempt, next);
            if again {
                self.run.progress.again(item, number, &attempt, self.run.folder);
            }
            result.outcome = attempt.outcome.clone();
            let over = [Outcome::Interrupted, Outcome::Skipped(NotBegun.to_string())];
            if attempt.command.is_some() || !over.contains(&attempt.outcome) {
                result.attempts.push(attempt);
            }
            if !again {
                break;
            }
        }
        result
    }

    fn waited_since(&self, began: Duration, what: &str, ended_by: Option<String>) -> Wait {
        let span = Span { began, ended: self.run.clock.now() };
        Wait { span, what: what.to_owned(), ended_by }
    }

    fn attempt(&mut self, item: &Item, number: usize, waits: Vec<Wait>) -> Attempt {
        let mut attempt = Attempt::new(waits);
        let tried = AssertUnwindSafe(|| self.try_once(item, number, &mut attempt));
        // A fault of ours is no reason to lose what other suites have done.
        let tried = catch_unwind(tried).unwrap_or_else(|_| {
            Err(anyhow::Error::msg("xtask itself has failed, as it says on standard error"))
        });
        attempt.outcome = match tried {
            Ok(outcome) => outcome,
            Err(error) if error.is::<Interrupted>() => Outcome::Interrupted,
            Err(error) if error.is::<NotBegun>() => Outcome::Skipped(NotBegun.to_string()),
            Err(error) => Outcome::Broken(format!("{error:#}")),
        };
        attempt
    }

    fn try_once(
        &mut self,
        item: &Item,
        number: usize,
        attempt: &mut Attempt,
    ) -> anyhow::Result<Outcome> {
        let run = self.run;
        run.interrupt.check()?;
        let began = run.clock.now();
        let path = virtual_environment::path_for(&item.suite, run.workspace, run.interrupt)?;
        if path.is_some() {
            attempt.waits.push(self.waited_since(began, "its packages", None));
        }
        self.ground.prepare(item, number, attempt)?;
        self.take_job(item, attempt)?;
        let stack = self.ground.stack()?;
        let output = run.folder.output(&item.name, number)?;
        let output_path = run.folder.path().join(&output);
        attempt.output = Some(output);
        let _running = run.progress.begun(item, number, &output_path);
        let began = run.clock.now();
        let guest = start(item, stack, path, &output_path)?;
        let watched = watch::until_it_ends(run, guest, item)?;
        attempt.command = Some(Span { began, ended: run.clock.now() });
        attempt.notes.extend(watched.left_behind());
        // Unless a failure is to keep it from running, the next suite need not wait for what is
        // found out about this one.
        if !run.options.fail_fast {
            self.job = None;
        }
        let (ending, ended) = match services_that_ended(run, stack)? {
            Some(ended) => (watched.ending, ended),
            None => (Ending::Abandoned, Vec::new()),
        };
        let read = reading::read(&output_path)?;
        attempt.tests = read.tests;
        let (outcome, count) = settle::settle(ending, read.count, item.is_filtered, &ended);
        attempt.count = count;
        attempt.is_blamed = read.count.is_some_and(|counted| counted.failed < count.failed);
        if !ended.is_empty() {
            attempt.notes.push(format!("services that ended while it ran: {}", ended.join(", ")));
        }
        Ok(run.folder.lack_of_room().map_or(outcome, Outcome::Broken))
    }

    /// Waits until fewer suites run than may run at once.
    fn take_job(&mut self, item: &Item, attempt: &mut Attempt) -> anyhow::Result<()> {
        let began = self.run.clock.now();
        let job = self.run.jobs.take(self.order, Some(&item.name));
        attempt.waits.push(self.waited_since(began, "a free job", job.after.clone()));
        self.job = Some(job);
        // The next cluster can be prepared.
        self.ahead = None;
        self.run.interrupt.check()?;
        match self.run.is_stopped() {
            true => Err(NotBegun.into()),
            false => Ok(()),
        }
    }
}

/// Starts its command on the stack.
fn start<'a>(
    item: &Item,
    stack: &'a OwnedStack<'a>,
    path: Option<String>,
    output: &Path,
) -> anyhow::Result<Guest<'a>> {
    let mut environment = match item.profile {
        Some(_) => variables(stack)?,
        None => Vec::new(),
    };
    environment.extend(path.map(|path| ("PATH".to_owned(), path)));
    environment.extend(item.suite.env.clone());
    let (program, arguments) = item.command.split_first().context("a suite without a command")?;
    let program = &item.program(program);
    let (environment, folder) = (&environment, &item.folder);
    Guest::start(stack, &GuestCommand { program, arguments, environment, folder, output })
}

fn variables(stack: &OwnedStack<'_>) -> anyhow::Result<Vec<(String, String)>> {
    let environment = Environment::of_stack(&stack.cluster(), "admin")?;
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(environment.variables().map(owned).collect())
}

/// Those that are not there any more, though nobody has stopped them by a command; `None` if the
/// whole cluster was taken down.
fn services_that_ended(
    run: &Run<'_>,
    stack: &OwnedStack<'_>,
) -> anyhow::Result<Option<Vec<String>>> {
    if !stack.is_ours() {
        return Ok(None);
    }
    let cluster = Cluster::open(run.workspace, stack.folder())?;
    // Each is asked: one that was killed just now may still be there, but does not answer.
    let healths = health::check_until(&cluster, Some(run.interrupt))?;
    let services = cluster.state.services.iter().zip(healths);
    let ended = services.filter(|(_, health)| *health == Health::Ended);
    Ok(Some(ended.map(|(service, _)| service.name.clone()).collect()))
}
