//! The cluster that a worker has now: it is brought up for a suite, reset for the next one where
//! they share it, and taken down.

use anyhow::Context as _;

use super::plan::Item;
use super::{COMMAND, Run};
use crate::failure::Interrupted;
use crate::lifecycle::{Cluster, reset};
use crate::owned::{OwnedStack, Request};
use crate::results::{Attempt, Outcome, Span, StackTimes};
use crate::stack::{Leaves, StackFolder, StackLock};
use crate::suites::Isolation;
use crate::workspace::Workspace;

/// What suites run on.
pub(super) struct Ground<'a> {
    run: &'a Run<'a>,
    stack: Option<OwnedStack<'a>>,
}

/// What comes after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The same suite.
    Again,
    /// One that shares the cluster.
    AnotherSuite,
    Nothing,
}

impl<'a> Ground<'a> {
    pub(super) fn new(run: &'a Run<'a>) -> Self {
        Self { run, stack: None }
    }

    /// A cluster as after `up`: the shared one after a reset, or a new one.
    ///
    /// # Errors
    /// When it does not come up: then its logs are kept.
    pub(super) fn prepare(
        &mut self,
        item: &Item,
        number: usize,
        attempt: &mut Attempt,
    ) -> anyhow::Result<()> {
        if let Some(stack) = &self.stack {
            let began = self.run.clock.now();
            let reset = reset_shared(self.run.workspace, stack);
            attempt.reset = Some(Span { began, ended: self.run.clock.now() });
            if let Err(error) = reset {
                let note = format!("the shared cluster was made anew: {error:#}");
                attempt.notes.push(note);
                self.take_down(attempt);
            }
        }
        if self.stack.is_none() {
            self.stack = Some(self.bring_up(item, number, attempt)?);
        }
        Ok(())
    }

    /// The cluster that was prepared.
    ///
    /// # Errors
    /// When none was.
    pub(super) fn stack(&self) -> anyhow::Result<&OwnedStack<'a>> {
        self.stack.as_ref().context("a suite without a stack")
    }

    fn bring_up(
        &self,
        item: &Item,
        number: usize,
        attempt: &mut Attempt,
    ) -> anyhow::Result<OwnedStack<'a>> {
        let folder = self.run.fresh_folder()?;
        let began = self.run.clock.now();
        let brought_up = self.request(item, folder.clone());
        let up = Span { began, ended: self.run.clock.now() };
        let stack = match brought_up {
            Ok(stack) => stack,
            Err(error) => {
                let kept = self.keep_logs(item, number, &folder, attempt);
                if let Err(error) = kept.and_then(|()| folder.remove()) {
                    attempt.notes.push(not_kept(&error));
                }
                return Err(self.with_logs_where_they_are(error, &folder, attempt));
            }
        };
        if item.profile.is_some() {
            attempt.stack = Some(self.times(&stack, up));
        }
        attempt.notes.extend(stack.up().notes.iter().cloned());
        Ok(stack)
    }

    fn request(&self, item: &Item, folder: StackFolder) -> anyhow::Result<OwnedStack<'a>> {
        let run = self.run;
        let request = Request {
            workspace: run.workspace,
            folder,
            wanted: run.wanted(item.profile.as_deref())?,
            parent: &run.parent,
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

    fn times(&self, stack: &OwnedStack<'_>, up: Span) -> StackTimes {
        let clock = &self.run.clock;
        let services = stack.up().times.iter().map(|it| {
            let ended = it.ready.map_or(up.ended, |ready| clock.at(ready));
            (it.service.clone(), Span { began: clock.at(it.spawned), ended })
        });
        let name = stack.folder().name().to_string();
        StackTimes { name, up, services: services.collect(), down: None }
    }

    /// After an attempt it is left up for whoever wants to look at a failure, handed to the next
    /// suite, or taken down.
    pub(super) fn leave(&mut self, item: &Item, number: usize, attempt: &mut Attempt, next: Next) {
        let Some(stack) = &self.stack else { return };
        let folder = stack.folder().clone();
        if attempt.outcome != Outcome::Passed
            && let Err(error) = self.keep_logs(item, number, &folder, attempt)
        {
            attempt.notes.push(not_kept(&error));
        }
        let is_shared = item.suite.isolation == Isolation::Shared;
        let is_wanted =
            self.run.options.keep && attempt.outcome.is_failure() && item.profile.is_some();
        if is_wanted && next != Next::Again {
            self.leave_up(&folder, attempt);
        } else if !is_shared || next == Next::Nothing {
            self.take_down(attempt);
        }
    }

    fn leave_up(&mut self, folder: &StackFolder, attempt: &mut Attempt) {
        let Some(stack) = self.stack.take() else { return };
        match stack.leave_up() {
            Ok(()) => attempt.kept = Some(folder.name().to_string()),
            Err(error) => attempt.notes.push(format!("{error:#}")),
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

    /// An error names a log where that was before it was kept.
    fn with_logs_where_they_are(
        &self,
        error: anyhow::Error,
        folder: &StackFolder,
        attempt: &Attempt,
    ) -> anyhow::Error {
        let kept = attempt.logs.first().and_then(|(_, log)| log.parent());
        let Some(kept) = kept.filter(|_| !error.is::<Interrupted>()) else { return error };
        let (before, now) = (folder.logs(), self.run.folder.path().join(kept));
        let text = format!("{error:#}");
        anyhow::Error::msg(text.replace(&*before.to_string_lossy(), &now.to_string_lossy()))
    }
}

fn not_kept(error: &anyhow::Error) -> String {
    format!("the logs of its services were not kept: {error:#}")
}

fn reset_shared(workspace: &Workspace, stack: &OwnedStack<'_>) -> anyhow::Result<()> {
    let _lock = StackLock::take(stack.folder(), COMMAND)?;
    anyhow::ensure!(stack.is_ours(), "it was taken down");
    // As it is now: a suite may have restarted a service.
    reset::reset_all(&Cluster::open(workspace, stack.folder())?)
}
