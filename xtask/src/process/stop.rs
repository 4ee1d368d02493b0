//! Ending services: asked politely first, killed at the deadline, and nothing of them left.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitPidFlag;

use super::identity::Identity;
use super::members::{self, Signs};
use super::pidfd::PidFd;
use super::poll;
use super::run::Running;
use crate::output::say;
use crate::services::launch::Stop;

/// How long the kernel may take to end processes that were killed.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// A service to end.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) service: String,
    pub(crate) signs: Signs,
    pub(crate) stop: Stop,
    /// Where its command for that is run.
    pub(crate) folder: PathBuf,
}

/// A process that did not end when asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Killed {
    pub(crate) service: String,
    pub(crate) process: Identity,
}

/// Where the targets live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home<'a> {
    /// The stack's folder.
    pub(crate) folder: &'a Path,
    /// No process of the stack started earlier, in clock ticks.
    pub(crate) since: u64,
}

/// Ends all processes of all `targets` together and returns when they are gone. The result names
/// those that had to be killed.
///
/// # Errors
/// When a process cannot be signalled, or not even SIGKILL ends it.
pub(crate) fn stop(
    targets: &[Target],
    home: Home<'_>,
    grace: Duration,
) -> anyhow::Result<Vec<Killed>> {
    let mut ending = Ending::new(targets, home);
    let now = Instant::now();
    ending.look_again()?;
    let commands = ending.start_commands();
    ending.ask()?;
    // A command may take half of the time that its service has.
    ending.finish_commands(commands, now + grace / 2)?;
    ending.ask()?;
    ending.wait_until(now + grace)?;
    let killed = ending.kill()?;
    Ok(killed)
}

/// One process that is to end.
#[derive(Debug)]
struct Member {
    service: usize,
    process: Identity,
    handle: PidFd,
    asked: bool,
}

struct Ending<'a> {
    targets: &'a [Target],
    home: Home<'a>,
    running: BTreeMap<Identity, Member>,
    killed: HashSet<(usize, Identity)>,
    /// Services that a command is asking to end, which are not to be disturbed meanwhile.
    commanded: HashSet<usize>,
}

impl<'a> Ending<'a> {
    fn new(targets: &'a [Target], home: Home<'a>) -> Self {
        let (running, killed, commanded) = Default::default();
        Self { targets, home, running, killed, commanded }
    }

    /// Adds what belongs to the targets now; true if that is anything new.
    ///
    /// # Errors
    /// When a process cannot be watched.
    fn look_again(&mut self) -> anyhow::Result<bool> {
        let signs: Vec<Signs> = self.targets.iter().map(|target| target.signs.clone()).collect();
        let found = members::find(&signs, self.home.folder, self.home.since);
        let before = self.running.len();
        for (service, processes) in found.into_iter().enumerate() {
            for process in processes {
                if self.running.contains_key(&process) {
                    continue;
                }
                let handle = PidFd::open(process);
                if let Some(handle) = handle.with_context(|| format!("cannot watch {process}"))? {
                    let member = Member { service, process, handle, asked: false };
                    self.running.insert(process, member);
                }
            }
        }
        Ok(self.running.len() > before)
    }

    /// Starts the commands by which services that still run are to be ended. One that does not
    /// start is said, and its service asked by a signal.
    fn start_commands(&mut self) -> Vec<Running> {
        let mut started = Vec::new();
        for (service, target) in self.targets.iter().enumerate() {
            let runs = self.running.values().any(|member| member.service == service);
            let Some(command) = target.stop.command.as_ref().filter(|_| runs) else { continue };
            let start = || -> anyhow::Result<Running> {
                let nowhere = File::options().write(true).open("/dev/null")?;
                Running::start(command, &target.folder, nowhere)
            };
            match start() {
                Ok(running) => {
                    started.push(running);
                    self.commanded.insert(service);
                }
                Err(error) => say(&format!("{}: {error:#}", target.service)),
            }
        }
        started
    }

    /// Waits until all commands have ended, at most until `deadline`. Whatever they achieved, what
    /// still runs is asked by a signal then.
    fn finish_commands(&mut self, commands: Vec<Running>, deadline: Instant) -> anyhow::Result<()> {
        for command in commands {
            command.finish(deadline)?;
        }
        self.commanded.clear();
        Ok(())
    }

    /// Signals the leader of each service, or all its processes when that has ended. A leader
    /// knows best how to end its children.
    fn ask(&mut self) -> anyhow::Result<()> {
        let leader = |service: usize| {
            let signs = &self.targets[service].signs;
            let running = |process: &Identity| self.running.contains_key(process);
            [signs.leader, signs.daemon].into_iter().flatten().find(running)
        };
        let leaders: Vec<Option<Identity>> = (0..self.targets.len()).map(leader).collect();
        for member in self.running.values_mut() {
            if member.asked || self.commanded.contains(&member.service) {
                continue;
            }
            let signal = match leaders[member.service] {
                None => Signal::SIGTERM,
                Some(leader) if leader == member.process => {
                    self.targets[member.service].stop.signal
                }
                Some(_) => continue,
            };
            member.handle.signal(signal)?;
            member.asked = true;
        }
        Ok(())
    }

    /// Waits until all are gone, or the deadline; orphans are asked as soon as their leader ends.
    fn wait_until(&mut self, deadline: Instant) -> anyhow::Result<()> {
        loop {
            while !self.running.is_empty() {
                if !self.reap(deadline)? {
                    return Ok(());
                }
                self.ask()?;
            }
            // A process may have been started while the others ended.
            if !self.look_again()? {
                return Ok(());
            }
            self.ask()?;
        }
    }

    /// Waits until at least one has ended; false if none has by the deadline.
    fn reap(&mut self, deadline: Instant) -> anyhow::Result<bool> {
        let handles: Vec<&dyn AsFd> =
            self.running.values().map(|running| &running.handle as &dyn AsFd).collect();
        let ended = poll::until_readable(&handles, Some(deadline))?;
        let processes: Vec<Identity> = self.running.keys().copied().collect();
        for index in &ended {
            self.running.remove(&processes[*index]);
            // If it is a child of ours, it stays in the table until it is waited for; of another's
            // child the kernel tells nothing, which is as well.
            let pid = nix::unistd::Pid::from_raw(processes[*index].pid);
            let _not_ours = nix::sys::wait::waitpid(pid, Some(WaitPidFlag::WNOHANG));
        }
        Ok(!ended.is_empty())
    }

    /// Kills what is left, again and again: a dying process may have just forked.
    fn kill(mut self) -> anyhow::Result<Vec<Killed>> {
        let deadline = Instant::now() + KILL_PATIENCE;
        while !self.running.is_empty() {
            for running in self.running.values() {
                running.handle.signal(Signal::SIGKILL)?;
                self.killed.insert((running.service, running.process));
            }
            if !self.reap(deadline)? {
                let left: Vec<String> = self.running.keys().map(ToString::to_string).collect();
                anyhow::bail!("not even SIGKILL has ended {}", left.join(", "));
            }
            self.look_again()?;
        }
        let name = |service: usize| self.targets[service].service.clone();
        let mut killed: Vec<Killed> = self
            .killed
            .iter()
            .map(|(service, process)| Killed { service: name(*service), process: *process })
            .collect();
        killed.sort_by(|a, b| (&a.service, a.process).cmp(&(&b.service, b.process)));
        Ok(killed)
    }
}
