//! Starting a service: in a session of its own, marked, and with nothing of ours that it should
//! not have.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use super::identity::Identity;
use super::marker::MARKER_VARIABLE;
use super::table::Entry;
use crate::environment;

/// What the kernel needs to know of a service.
pub(crate) struct Spawn<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: &'a [String],
    /// Added to what is left of our own environment.
    pub(crate) environment: &'a [(String, String)],
    /// Where it works, so that what it drops is found.
    pub(crate) folder: &'a Path,
    /// Takes its standard output and error.
    pub(crate) log: &'a Path,
    pub(crate) marker: &'a str,
    /// A locked file, which it inherits: the lock lasts as long as one of its processes.
    pub(crate) lock: &'a File,
    /// Listening sockets, which it inherits under their numbers here.
    pub(crate) sockets: &'a [BorrowedFd<'a>],
}

/// A service that was started by this very program.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) child: Child,
    pub(crate) identity: Identity,
}

impl Spawn<'_> {
    /// Starts it. It need not be alive any more when this returns.
    ///
    /// # Errors
    /// When the program cannot be started at all.
    pub(crate) fn spawn(&self) -> anyhow::Result<Started> {
        let log = fs_err::OpenOptions::new().create(true).append(true).open(self.log)?;
        let log = log.into_parts().0;
        let mut command = Command::new(self.program);
        environment::clean(&mut command);
        command
            .args(self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(MARKER_VARIABLE, self.marker)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let lock = self.lock.as_raw_fd();
        let inherited: Vec<RawFd> =
            self.sockets.iter().map(AsRawFd::as_raw_fd).chain([lock]).collect();
        // SAFETY: between fork and exec only setsid and fcntl are called, which are
        // async-signal-safe, on descriptors that `self` keeps open; nothing is allocated.
        unsafe { command.pre_exec(move || lead_session_with(&inherited)) };
        let program = self.program.display();
        let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let pid = i32::try_from(child.id())?;
        // Not waited for yet, the child is in the table even if it has ended.
        let entry = Entry::read(pid).context("a child that is not in the table of processes")?;
        Ok(Started { child, identity: entry.identity() })
    }
}

/// Runs in the child: descriptors keep their numbers over exec, since moving them to fixed ones
/// could overwrite the one by which std reports that exec failed.
fn lead_session_with(inherited: &[RawFd]) -> io::Result<()> {
    nix::unistd::setsid()?;
    for &descriptor in inherited {
        // SAFETY: the parent keeps these descriptors open until the child has been started.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    Ok(())
}

/// Keeps every descriptor that we were started with, save the standard ones, from our children.
///
/// A caller's pipe that leaks into a service would keep the caller waiting for its end. A lock named
/// `guest_lock` is given back at once: called by a suite, we are not what it leaves behind.
pub(crate) fn keep_inherited_descriptors(guest_lock: &str) {
    let Ok(folder) = std::fs::read_dir("/dev/fd") else {
        return;
    };
    let numbers = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let numbers: Vec<RawFd> = numbers.filter(|number| *number > 2).collect();
    for number in numbers {
        let name = std::fs::read_link(format!("/dev/fd/{number}")).unwrap_or_default();
        if name.file_name().is_some_and(|name| name == guest_lock) {
            // SAFETY: called first in main: nothing else can own a descriptor that we inherited.
            drop(unsafe { OwnedFd::from_raw_fd(number) });
            continue;
        }
        // SAFETY: called first in main, before anything else could close a descriptor; the one
        // that listed the folder is closed by now, and fcntl only reports that.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let _closed = fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}
