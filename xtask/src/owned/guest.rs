//! A command for which a stack is up: it is part of the stack, and goes down with it.
//!
//! It is marked and known as a service is, so that nothing of it is left, whoever has to end it.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::OwnedStack;
use crate::process::identity::Identity;
use crate::process::marker::Marker;
use crate::process::pidfd::PidFd;
use crate::process::spawn::{Spawn, Started};
use crate::process::stop::{self, Home, Target};
use crate::process::{members, poll, table};
use crate::services::launch::Stop;
use crate::stack::state::{self, GUEST};
use crate::stack::{StackFolder, StackLock, State};

/// How long what the command leaves behind may take to end by itself.
const LEAVING: Duration = Duration::from_millis(200);

/// What is run.
pub(crate) struct GuestCommand<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: &'a [String],
    /// Added to what is left of our own environment.
    pub(crate) environment: &'a [(String, String)],
    pub(crate) folder: &'a Path,
    /// Takes what it prints.
    pub(crate) output: &'a Path,
}

/// Such a command while it runs.
pub(crate) struct Guest<'a> {
    stack: &'a OwnedStack<'a>,
    guest: state::Guest,
    started: Started,
    handle: PidFd,
}

impl<'a> Guest<'a> {
    /// Starts it in a session of its own.
    ///
    /// # Errors
    /// When there is no such program, or the stack is not ours any more.
    pub(crate) fn start(
        stack: &'a OwnedStack<'a>,
        command: &GuestCommand<'_>,
    ) -> anyhow::Result<Self> {
        let folder = &stack.folder;
        let _lock = StackLock::take(folder, &stack.command)?;
        let mut state = State::load(folder)?.context("the cluster was taken down")?;
        let marker = Marker::random(folder, GUEST)?.to_string();
        // Written down before it is spawned: whoever ends us, the guardian knows what to look for.
        state.guest = Some(state::Guest { marker: marker.clone(), process: None });
        state.save(folder)?;
        let lock = new_lock(&folder.service_lock(GUEST))?;
        let started = Spawn {
            program: command.program,
            arguments: command.arguments,
            environment: command.environment,
            folder: command.folder,
            log: command.output,
            marker: &marker,
            lock: &lock,
            sockets: &[],
        }
        .spawn()?;
        let handle = PidFd::open_pid(started.identity.pid)?;
        let guest = state::Guest { marker, process: Some(started.identity) };
        state.guest = Some(guest.clone());
        state.save(folder)?;
        Ok(Self { stack, guest, started, handle })
    }

    /// Sends a signal to its process group, as a terminal would.
    ///
    /// # Errors
    /// When we may not.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let group = Pid::from_raw(self.started.identity.pid);
        // One that is stopped hears of it only when it goes on.
        for signal in [signal, Signal::SIGCONT] {
            match killpg(group, signal) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(errno) => return Err(errno).context("cannot ask a command to end"),
            }
        }
        Ok(())
    }

    /// The folder of its stack.
    pub(crate) fn folder(&self) -> &StackFolder {
        &self.stack.folder
    }

    /// How it ended; waits for that.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub(crate) fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        self.started.child.wait().context("cannot wait for a command")
    }

    /// The processes that it has left behind, in words.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    pub(crate) fn left_behind(&self) -> anyhow::Result<Vec<String>> {
        let members = self.members();
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + LEAVING;
        let handles = members.iter().map(|member| PidFd::open(*member));
        for handle in handles.collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            poll::until_readable(&[&handle], Some(deadline))?;
        }
        let named = |member: &Identity| Some(format!("{} ({member})", table::name(member.pid)?));
        let left = self.members();
        Ok(left.iter().filter(|member| members.contains(member)).filter_map(named).collect())
    }

    fn members(&self) -> Vec<Identity> {
        let signs = self.guest.signs(&self.stack.folder);
        let since = self.stack.up.state.origin.since;
        members::find(&[signs], self.stack.folder.path(), since).concat()
    }

    /// Ends all that is left of it, at once.
    ///
    /// # Errors
    /// When something cannot be ended.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let folder = &self.stack.folder;
        let target = Target {
            service: GUEST.to_owned(),
            signs: self.guest.signs(folder),
            stop: Stop { signal: Signal::SIGKILL, ..Stop::default() },
        };
        let home = Home { folder: folder.path(), since: self.stack.up.state.origin.since };
        stop::stop(&[target], home, Duration::ZERO)?;
        Ok(())
    }
}

/// A file of its own, since whatever is left of an earlier command may still hold that one's.
fn new_lock(path: &Path) -> anyhow::Result<File> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let lock = fs_err::File::create_new(path)?.into_parts().0;
    lock.lock()?;
    Ok(lock)
}

/// Readable when it has ended.
impl AsFd for Guest<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}
