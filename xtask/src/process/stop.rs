//! Ending services: asked politely first, killed at the deadline, and nothing of them left.

use std::collections::{BTreeMap, HashSet};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitPidFlag;

use super::identity::Identity;
use super::members::{self, Signs};
use super::pidfd::PidFd;
use super::poll;

/// How long the kernel may take to end processes that were killed.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// A service to end.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) service: String,
    pub(crate) signs: Signs,
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
    let polite_until = Instant::now() + grace;
    ending.look_again()?;
    ending.ask()?;
    ending.wait_until(polite_until)?;
    let killed = ending.kill()?;
    Ok(killed)
}

/// One process that is to end.
#[derive(Debug)]
struct Running {
    service: usize,
    process: Identity,
    handle: PidFd,
    asked: bool,
}

struct Ending<'a> {
    targets: &'a [Target],
    home: Home<'a>,
    running: BTreeMap<Identity, Running>,
    killed: HashSet<(usize, Identity)>,
}

impl<'a> Ending<'a> {
    fn new(targets: &'a [Target], home: Home<'a>) -> Self {
        Self { targets, home, running: BTreeMap::new(), killed: HashSet::new() }
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
                    let running = Running { service, process, handle, asked: false };
                    self.running.insert(process, running);
                }
            }
        }
        Ok(self.running.len() > before)
    }

    /// Sends SIGTERM: to the leader of each service, or to all its processes when it has ended.
    /// A leader knows best how to end its children.
    fn ask(&mut self) -> anyhow::Result<()> {
        let leader = |service: usize| self.targets[service].signs.leader;
        let led: HashSet<usize> = (0..self.targets.len())
            .filter(|service| {
                leader(*service).is_some_and(|process| self.running.contains_key(&process))
            })
            .collect();
        for running in self.running.values_mut().filter(|running| !running.asked) {
            let is_leader = self.targets[running.service].signs.leader == Some(running.process);
            if is_leader || !led.contains(&running.service) {
                running.handle.signal(Signal::SIGTERM)?;
                running.asked = true;
            }
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
