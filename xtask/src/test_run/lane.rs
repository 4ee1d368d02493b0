//! Suites one after the other, each on its cluster: how one is tried, and what is noted of it.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::ground::{Ground, Next};
use super::plan::Item;
use super::progress::Running;
use super::reading;
use super::schedule::Chain;
use super::settle::{self, Ending};
use super::{Run, watch};
use crate::export::Environment;
use crate::failure::Interrupted;
use crate::owned::OwnedStack;
use crate::owned::guest::{Guest, GuestCommand};
use crate::results::{Attempt, Outcome, Span, SuiteResult, Wait};
use crate::stack::State;
use crate::suites::virtual_environment;

/// One worker, with the cluster that it has now.
pub(super) struct Lane<'a> {
    run: &'a Run<'a>,
    ground: Ground<'a>,
    /// The suite that it ran last.
    last: Option<String>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(run: &'a Run<'a>) -> Self {
        Self { run, ground: Ground::new(run), last: None }
    }

    /// Runs the suites of a chain; `done` is told of each.
    pub(super) fn follow(&mut self, chain: &Chain, mut done: impl FnMut(usize, SuiteResult)) {
        let what =
            if chain.shared_profile().is_some() { "the shared cluster" } else { "a free job" };
        let mut waiting_for = "a free job";
        let number = chain.items.len();
        for (index, planned) in chain.items.iter().enumerate() {
            let is_last = index + 1 == number;
            let result = self.suite(&planned.item, waiting_for, is_last);
            waiting_for = what;
            self.last = Some(planned.item.name.clone());
            done(planned.place, result);
        }
    }

    /// A suite, until it passes or has been tried often enough.
    fn suite(&mut self, item: &Item, waiting_for: &str, is_last: bool) -> SuiteResult {
        let mut result = item.result(Outcome::Interrupted);
        let until_now = Span { began: Duration::ZERO, ended: self.run.clock.now() };
        let ended_by = self.last.take();
        let mut waits = vec![Wait { span: until_now, what: waiting_for.to_owned(), ended_by }];
        for number in 1.. {
            let running = self.run.progress.begun(item, number);
            let mut attempt = self.attempt(item, number, std::mem::take(&mut waits), &running);
            let failed = attempt.outcome.is_failure();
            let again = failed && number <= item.suite.retries as usize;
            let next = match (again, is_last) {
                (true, _) => Next::Again,
                (false, true) => Next::Nothing,
                (false, false) => Next::AnotherSuite,
            };
            self.ground.leave(item, number, &mut attempt, next);
            drop(running);
            if again {
                self.run.progress.again(item, number, &attempt, self.run.folder);
            }
            result.outcome = attempt.outcome.clone();
            result.attempts.push(attempt);
            if !again {
                break;
            }
        }
        result
    }

    fn attempt(
        &mut self,
        item: &Item,
        number: usize,
        waits: Vec<Wait>,
        running: &Running,
    ) -> Attempt {
        let mut attempt = Attempt::new(waits);
        match self.try_once(item, number, &mut attempt, running) {
            Ok(()) => {}
            Err(error) if error.is::<Interrupted>() => attempt.outcome = Outcome::Interrupted,
            Err(error) => attempt.outcome = Outcome::Broken(format!("{error:#}")),
        }
        attempt
    }

    fn try_once(
        &mut self,
        item: &Item,
        number: usize,
        attempt: &mut Attempt,
        running: &Running,
    ) -> anyhow::Result<()> {
        let run = self.run;
        run.interrupt.check()?;
        let began = run.clock.now();
        let path = virtual_environment::path_for(&item.suite, run.workspace, run.interrupt)?;
        if path.is_some() {
            let (span, what) = (Span { began, ended: run.clock.now() }, "its packages".to_owned());
            attempt.waits.push(Wait { span, what, ended_by: None });
        }
        let stack = self.ground.prepare(item, number, attempt)?;
        let output = run.folder.output(&item.name, number)?;
        let output_path = run.folder.path().join(&output);
        running.shows(&output_path);
        attempt.output = Some(output);
        let began = run.clock.now();
        let guest = start(item, stack, path, &output_path)?;
        let watched = watch::until_it_ends(run, guest, item)?;
        attempt.command = Some(Span { began, ended: run.clock.now() });
        attempt.notes.extend(watched.left_behind());
        let (ending, ended) = match services_that_ended(stack)? {
            Some(ended) => (watched.ending, ended),
            None => (Ending::Abandoned, Vec::new()),
        };
        let read = reading::read(&output_path)?;
        attempt.tests = read.tests;
        (attempt.outcome, attempt.count) =
            settle::settle(ending, read.count, item.is_filtered, &ended);
        if !ended.is_empty() {
            attempt.notes.push(format!("services that ended while it ran: {}", ended.join(", ")));
        }
        Ok(())
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
fn services_that_ended(stack: &OwnedStack<'_>) -> anyhow::Result<Option<Vec<String>>> {
    if !stack.is_ours() {
        return Ok(None);
    }
    let services = State::load(stack.folder())?.map(|state| state.services).unwrap_or_default();
    let ended = services.into_iter().filter(|service| !service.is_alive());
    Ok(Some(ended.map(|service| service.name).collect()))
}
