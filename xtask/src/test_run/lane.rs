//! Suites one after the other, each on its cluster: how one is tried, and what is noted of it.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::Run;
use super::plan::Item;
use super::progress::Running;
use super::reading;
use super::schedule::Chain;
use super::settle::{self, Ending};
use crate::export::Environment;
use crate::failure::Interrupted;
use crate::lifecycle::{Cluster, reset};
use crate::owned::guest::{Guest, GuestCommand};
use crate::owned::{OwnedStack, Request};
use crate::process::poll;
use crate::results::{Attempt, Outcome, Span, StackTimes, SuiteResult, Wait};
use crate::stack::{Leaves, StackFolder, StackLock, State};
use crate::suites::{Isolation, virtual_environment};
use crate::workspace::Workspace;

/// Who we are, for others that have to wait for us.
const COMMAND: &str = "cargo xtask test-all";

/// How long a suite may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// One worker, with the cluster that it has now.
pub(super) struct Lane<'a> {
    run: &'a Run<'a>,
    stack: Option<OwnedStack<'a>>,
    /// The suite that it ran last.
    last: Option<String>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(run: &'a Run<'a>) -> Self {
        Self { run, stack: None, last: None }
    }

    /// Runs the suites of a chain; `done` is told of each.
    pub(super) fn follow(&mut self, chain: &Chain, mut done: impl FnMut(usize, SuiteResult)) {
        let what = if chain.shared_profile().is_some() { "the shared cluster" } else { "a job" };
        let mut waiting_for = "a job";
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
            let failed = matches!(attempt.outcome, Outcome::Failed(_) | Outcome::TimedOut(_));
            let again = failed && number <= item.suite.retries as usize;
            self.leave(item, number, &mut attempt, is_last, again);
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
        self.run.interrupt.check()?;
        let began = self.run.clock.now();
        let path = virtual_environment::path_for(&item.suite, self.run.workspace)?;
        if path.is_some() {
            attempt.prepared = Some(Span { began, ended: self.run.clock.now() });
        }
        self.have_stack(item, number, attempt)?;
        let Some(stack) = &self.stack else { anyhow::bail!("a suite without a stack") };
        let mut environment = match item.profile {
            Some(_) => variables(stack)?,
            None => Vec::new(),
        };
        environment.extend(path.map(|path| ("PATH".to_owned(), path)));
        environment.extend(item.suite.env.clone());
        let output = self.run.folder.output(&item.name, number)?;
        let output_path = self.run.folder.path().join(&output);
        running.shows(&output_path);
        attempt.output = Some(output);
        let Some((program, arguments)) = item.command.split_first() else {
            anyhow::bail!("a suite without a command")
        };
        let program = item.program(program);
        let began = self.run.clock.now();
        let guest = Guest::start(
            stack,
            &GuestCommand {
                program: &program,
                arguments,
                environment: &environment,
                folder: &item.folder,
                output: &output_path,
            },
        )?;
        let ending = self.watch(guest, item, attempt)?;
        attempt.command = Some(Span { began, ended: self.run.clock.now() });
        let ended = services_that_ended(stack)?;
        let ending = ended.as_ref().map_or(Ending::Abandoned, |_| ending);
        let read = reading::read(&output_path)?;
        attempt.tests = read.tests;
        let ended = ended.unwrap_or_default();
        (attempt.outcome, attempt.count) =
            settle::settle(ending, read.count, item.is_filtered, &ended);
        if !ended.is_empty() {
            attempt.notes.push(format!("services that ended while it ran: {}", ended.join(", ")));
        }
        Ok(())
    }

    /// Waits for the end of the command, and ends what is left of it.
    fn watch(
        &self,
        mut guest: Guest<'_>,
        item: &Item,
        attempt: &mut Attempt,
    ) -> anyhow::Result<Ending> {
        let limit = Duration::from_secs(item.suite.timeout);
        let deadline = Instant::now() + limit;
        let ready = poll::until_readable(&[&guest, self.run.interrupt], Some(deadline))?;
        let ending = if ready.contains(&0) {
            let status = guest.wait()?;
            // Perhaps by a command that it runs itself to take its cluster down.
            drop(StackLock::take_if_exists(guest.folder(), COMMAND)?);
            let left = guest.left_behind()?;
            if !left.is_empty() {
                attempt.notes.push(format!("it left processes behind: {}", left.join(", ")));
            }
            Ending::Exited(status)
        } else if let Err(Interrupted(signal)) = self.run.interrupt.check() {
            self.ask_to_end(&guest, Signal::try_from(signal).unwrap_or(Signal::SIGTERM))?;
            Ending::Interrupted
        } else {
            self.ask_to_end(&guest, Signal::SIGTERM)?;
            Ending::TimedOut(limit)
        };
        guest.end()?;
        Ok(ending)
    }

    /// Gives it time to end by itself, unless we are told to hurry.
    fn ask_to_end(&self, guest: &Guest<'_>, signal: Signal) -> anyhow::Result<()> {
        guest.signal(signal)?;
        let deadline = Instant::now() + GRACE;
        poll::until_readable(&[guest, self.run.hurry], Some(deadline))?;
        Ok(())
    }

    /// A cluster as after `up`: the shared one after a reset, or a new one.
    fn have_stack(
        &mut self,
        item: &Item,
        number: usize,
        attempt: &mut Attempt,
    ) -> anyhow::Result<()> {
        if let Some(stack) = &self.stack {
            let began = self.run.clock.now();
            let reset = reset_shared(self.run.workspace, stack);
            attempt.reset = Some(Span { began, ended: self.run.clock.now() });
            match reset {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let note = format!("the shared cluster was made anew: {error:#}");
                    attempt.notes.push(note);
                    self.take_down(attempt);
                }
            }
        }
        let folder = self.run.fresh_folder()?;
        let began = self.run.clock.now();
        let brought_up = self.bring_up(item, folder.clone());
        let up = Span { began, ended: self.run.clock.now() };
        let stack = match brought_up {
            Ok(stack) => stack,
            Err(error) => {
                let kept = self.keep_logs(item, number, &folder, attempt);
                let kept = kept.and_then(|()| folder.remove());
                if let Err(error) = kept {
                    attempt
                        .notes
                        .push(format!("the logs of its services were not kept: {error:#}"));
                }
                return Err(error);
            }
        };
        if item.profile.is_some() {
            let clock = &self.run.clock;
            let services = stack.up().times.iter().map(|it| {
                let span = Span {
                    began: clock.at(it.spawned),
                    ended: it.ready.map_or(up.ended, |ready| clock.at(ready)),
                };
                (it.service.clone(), span)
            });
            let (name, services) = (folder.name().to_string(), services.collect());
            attempt.stack = Some(StackTimes { name, up, services, down: None });
        }
        attempt.notes.extend(stack.up().notes.iter().cloned());
        self.stack = Some(stack);
        Ok(())
    }

    fn bring_up(&self, item: &Item, folder: StackFolder) -> anyhow::Result<OwnedStack<'a>> {
        let run = self.run;
        let request = Request {
            workspace: run.workspace,
            folder,
            wanted: run.wanted(item.profile.as_deref())?,
            selection: &[],
            services_binary: run.services_binary.to_owned(),
            leaves: Leaves::Nothing,
            interrupt: run.interrupt,
            command: COMMAND,
        };
        match item.suite.isolation {
            Isolation::None => OwnedStack::without_services(request),
            Isolation::Shared => OwnedStack::bring_up(request),
            Isolation::Stack => {
                let selection = run.selection(&item.suite_name);
                OwnedStack::bring_up(Request { selection, ..request })
            }
        }
    }

    /// What is done with the cluster after an attempt: it is left up for whoever wants to look at a
    /// failure, handed to the next suite, or taken down.
    fn leave(
        &mut self,
        item: &Item,
        number: usize,
        attempt: &mut Attempt,
        is_last: bool,
        again: bool,
    ) {
        let Some(stack) = &self.stack else { return };
        let folder = stack.folder().clone();
        let passed = attempt.outcome == Outcome::Passed;
        let failed = matches!(attempt.outcome, Outcome::Failed(_) | Outcome::TimedOut(_));
        if !passed && let Err(error) = self.keep_logs(item, number, &folder, attempt) {
            attempt.notes.push(format!("the logs of its services were not kept: {error:#}"));
        }
        let is_shared = item.suite.isolation == Isolation::Shared;
        if failed && !again && self.run.keep && item.profile.is_some() {
            if let Some(stack) = self.stack.take() {
                match stack.leave_up() {
                    Ok(()) => attempt.kept = Some(folder.name().to_string()),
                    Err(error) => attempt.notes.push(format!("{error:#}")),
                }
            }
        } else if !is_shared || (is_last && !again) {
            self.take_down(attempt);
        }
    }

    fn take_down(&mut self, attempt: &mut Attempt) {
        let Some(stack) = self.stack.take() else { return };
        let began = self.run.clock.now();
        if let Err(error) = stack.end() {
            let what = format!("its cluster could not be taken down: {error:#}");
            if attempt.outcome == Outcome::Passed {
                attempt.outcome = Outcome::Broken(what);
            } else {
                attempt.notes.push(what);
            }
        }
        if let Some(stack) = &mut attempt.stack {
            stack.down = Some(Span { began, ended: self.run.clock.now() });
        }
    }

    fn keep_logs(
        &self,
        item: &Item,
        number: usize,
        folder: &StackFolder,
        attempt: &mut Attempt,
    ) -> anyhow::Result<()> {
        attempt.logs = self.run.folder.keep_logs(&item.name, number, &folder.logs())?;
        Ok(())
    }
}

fn variables(stack: &OwnedStack<'_>) -> anyhow::Result<Vec<(String, String)>> {
    let environment = Environment::of_stack(&stack.cluster(), "admin")?;
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(environment.variables().map(owned).collect())
}

fn reset_shared(workspace: &Workspace, stack: &OwnedStack<'_>) -> anyhow::Result<()> {
    let _lock = StackLock::take(stack.folder(), COMMAND)?;
    anyhow::ensure!(stack.is_ours(), "it was taken down");
    // As it is now: a suite may have restarted a service.
    reset::reset_all(&Cluster::open(workspace, stack.folder())?)
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
