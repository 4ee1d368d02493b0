//! The processes of services on their way to their end, and what they start on that way.

use std::collections::{BTreeMap, HashSet};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitPidFlag;

use super::{Home, Killed, Target};
use crate::output::say;
use crate::process::identity::Identity;
use crate::process::members::{self, Signs};
use crate::process::pidfd::PidFd;
use crate::process::poll;
use crate::process::run::Running;

/// How long the kernel may take to end processes that were killed.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// How often we look for what ending processes have started. What loses every sign is found only
/// as long as the process that started it lives.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long a lock may be held by nobody that we can find.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// One process that is to end.
#[derive(Debug)]
struct Member {
    service: usize,
    process: Identity,
    handle: PidFd,
    asked: bool,
    /// Whether it was stopped, and starts nothing more.
    frozen: bool,
}

/// Services on their way to their end.
pub(super) struct Ending<'a> {
    targets: &'a [Target],
    home: Home<'a>,
    running: BTreeMap<Identity, Member>,
    killed: HashSet<(usize, Identity)>,
    /// Services that a command is asking to end, which are not to be disturbed meanwhile.
    commanded: HashSet<usize>,
}

impl<'a> Ending<'a> {
    pub(super) fn new(targets: &'a [Target], home: Home<'a>) -> Self {
        let (running, killed, commanded) = Default::default();
        Self { targets, home, running, killed, commanded }
    }

    /// Adds what belongs to the targets now; true if that is anything new, even if it has ended
    /// since.
    ///
    /// # Errors
    /// When a process cannot be watched.
    fn look_again(&mut self) -> anyhow::Result<bool> {
        let targets = self.targets.iter().enumerate();
        let signs = targets.map(|(service, target)| {
            let known = self.running.values().filter(|member| member.service == service);
            let known = known.map(|member| member.process).collect();
            Signs { known, ..target.signs.clone() }
        });
        let signs: Vec<Signs> = signs.collect();
        let found = members::find(&signs, self.home.folder, self.home.since);
        let mut anything = false;
        for (service, processes) in found.into_iter().enumerate() {
            for process in processes {
                if self.running.contains_key(&process) {
                    continue;
                }
                anything = true;
                let handle = PidFd::open(process);
                if let Some(handle) = handle.with_context(|| format!("cannot watch {process}"))? {
                    let (asked, frozen) = (false, false);
                    let member = Member { service, process, handle, asked, frozen };
                    self.running.insert(process, member);
                }
            }
        }
        Ok(anything)
    }

    /// Looks when nothing that we know of runs, at first or any more; true if there is more. A look
    /// can miss a process that forks and ends at once, but as long as somebody holds a lock there is
    /// more.
    ///
    /// # Errors
    /// When whoever holds a lock cannot be found.
    pub(super) fn look_for_more(&mut self) -> anyhow::Result<bool> {
        let deadline = Instant::now() + LOCK_PATIENCE;
        while !self.look_again()? {
            let held = |target: &'a Target| Some((&target.service, target.held_lock()?));
            let Some((service, lock)) = self.targets.iter().find_map(held) else {
                return Ok(false);
            };
            anyhow::ensure!(
                Instant::now() < deadline,
                "{}: a process that we cannot see, perhaps another user's, holds {}",
                service,
                lock.display()
            );
            std::thread::yield_now();
        }
        Ok(true)
    }

    /// Starts the commands by which services that still run are to be ended. One that does not
    /// start is said, and its service asked by a signal.
    pub(super) fn start_commands(&mut self) -> Vec<(usize, Running)> {
        let mut started = Vec::new();
        for (service, target) in self.targets.iter().enumerate() {
            let runs = self.running.values().any(|member| member.service == service);
            let Some(task) = target.stop.command.as_ref().filter(|_| runs) else { continue };
            match task.start() {
                Ok(running) => {
                    started.push((service, running));
                    self.commanded.insert(service);
                }
                Err(error) => say(&format!("{}: {error:#}", target.service)),
            }
        }
        started
    }

    /// Waits until all commands have ended, at most until `deadline`. One that fails is said;
    /// whatever they achieved, what still runs is asked by a signal then.
    pub(super) fn finish_commands(
        &mut self,
        commands: Vec<(usize, Running)>,
        deadline: Instant,
    ) -> anyhow::Result<()> {
        if commands.is_empty() {
            return Ok(());
        }
        for (service, command) in commands {
            if let Err(error) = command.finish(deadline) {
                say(&format!("{}: {error:#}", self.targets[service].service));
            }
        }
        self.commanded.clear();
        self.look_again().map(drop)
    }

    /// Signals the leader of each service, or all its processes when that has ended. A leader
    /// knows best how to end its children.
    pub(super) fn ask(&mut self) -> anyhow::Result<()> {
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
            // One that is stopped hears of it only when it goes on.
            member.handle.signal(Signal::SIGCONT)?;
            member.asked = true;
        }
        Ok(())
    }

    /// Waits until all are gone; false if the deadline comes first. Orphans are asked as soon as
    /// their leader ends.
    pub(super) fn wait_until(&mut self, deadline: Instant) -> anyhow::Result<bool> {
        loop {
            self.ask()?;
            if self.running.is_empty() && !self.look_for_more()? {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            if !self.reap(deadline.min(Instant::now() + LOOK_INTERVAL))? {
                self.look_again()?;
            }
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

    /// Kills what is left, and says what that was.
    pub(super) fn kill(mut self) -> anyhow::Result<Vec<Killed>> {
        let deadline = Instant::now() + KILL_PATIENCE;
        loop {
            self.freeze(deadline)?;
            for member in self.running.values() {
                member.handle.signal(Signal::SIGKILL)?;
                self.killed.insert((member.service, member.process));
            }
            while !self.running.is_empty() {
                anyhow::ensure!(self.reap(deadline)?, "not even SIGKILL has ended {}", self.left());
            }
            if !self.look_for_more()? {
                return Ok(self.killed_by_name());
            }
        }
    }

    /// Stops all, until a look finds nothing new: who is killed while another one starts may leave
    /// an orphan without any sign.
    fn freeze(&mut self, deadline: Instant) -> anyhow::Result<()> {
        loop {
            let in_time = Instant::now() < deadline;
            anyhow::ensure!(in_time, "more is started all the time: {}", self.left());
            for member in self.running.values_mut().filter(|member| !member.frozen) {
                member.handle.signal(Signal::SIGSTOP)?;
                member.frozen = true;
            }
            if !self.look_again()? {
                return Ok(());
            }
        }
    }

    fn left(&self) -> String {
        let left: Vec<String> = self.running.keys().map(ToString::to_string).collect();
        left.join(", ")
    }

    fn killed_by_name(&self) -> Vec<Killed> {
        let name = |service: usize| self.targets[service].service.clone();
        let mut killed: Vec<Killed> = self
            .killed
            .iter()
            .map(|(service, process)| Killed { service: name(*service), process: *process })
            .collect();
        killed.sort_by(|a, b| (&a.service, a.process).cmp(&(&b.service, b.process)));
        killed
    }
}
