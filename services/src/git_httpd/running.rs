//! Git programs that run for clients, and outlive neither their client's interest nor us.
//!
//! Whose client is gone has no input any more, and git ends by itself then. It is only signalled when
//! it does not: told to end, it would leave its temporary files in the repository. It would do the same
//! if it could not write what it has to report, so its output stays open, though nobody reads it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use crate::log;

/// How long git may take to end by itself, and again when it is told to.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take when we end ourselves.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(1);

/// How often it is looked at meanwhile.
const PAUSE: Duration = Duration::from_millis(5);

/// The process groups whose leaders are not reaped, with their outputs as long as those have to stay
/// open. Only these are ever signalled: the number of one that is over may be somebody else's by now.
#[derive(Clone, Default)]
pub(super) struct Groups(Arc<Mutex<BTreeMap<Pid, Option<OwnedFd>>>>);

impl Groups {
    /// Waits for the end of every group, though not for long: what is left then is killed.
    pub(super) fn end_all(&self) {
        let deadline = Instant::now() + PATIENCE_AT_THE_END;
        for (group, _output) in std::mem::take(&mut *self.lock()) {
            while !has_ended(group) && Instant::now() < deadline {
                std::thread::sleep(PAUSE);
            }
            signal(group, Signal::SIGKILL);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Pid, Option<OwnedFd>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The leader of a process group. When this is dropped, the group has to end.
pub(super) struct Running {
    /// `None` only while being dropped.
    child: Option<Child>,
    group: Pid,
    groups: Groups,
    answered: bool,
}

impl Running {
    /// Takes charge of `child`, which leads its process group, and writes to `output`.
    ///
    /// # Errors
    /// When somebody has waited for it already, or descriptors lack.
    pub(super) fn new(child: Child, output: &ChildStdout, groups: &Groups) -> io::Result<Self> {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = Pid::from_raw(id.ok_or_else(|| io::Error::other("it is over already"))?);
        groups.lock().insert(group, Some(output.as_fd().try_clone_to_owned()?));
        Ok(Self { child: Some(child), group, groups: groups.clone(), answered: false })
    }

    /// Its answer is no short report: if nobody reads it any more, it may as well end at once.
    pub(super) fn says_much(&self) {
        self.groups.lock().insert(self.group, None);
    }

    /// All of its answer was read: what it has left running may go on.
    pub(super) fn has_answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without a runtime we are ending ourselves, and all groups are waited for.
        if let Some(child) = self.child.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(reap(child, self.group, self.groups.clone(), self.answered));
        }
    }
}

/// Waits for the end of the program, so that no zombie is left, and insists when it is overdue.
async fn reap(mut child: Child, group: Pid, groups: Groups, answered: bool) {
    for insistence in [Signal::SIGTERM, Signal::SIGKILL] {
        if timeout(PATIENCE, child.wait()).await.is_ok() {
            break;
        }
        log::line(format_args!("arv-git-httpd: git http-backend does not end: {insistence}"));
        signal(group, insistence);
    }
    let ended = child.wait().await;
    if !answered {
        // A hook may have ignored SIGTERM. As long as it lives, nobody else has the group's number.
        signal(group, Signal::SIGKILL);
    }
    groups.lock().remove(&group);
    match ended {
        Ok(status) if status.success() => {}
        Ok(status) => log::line(format_args!("arv-git-httpd: git http-backend: {status}")),
        Err(error) => log::line(format_args!("arv-git-httpd: git http-backend: {error}")),
    }
}

/// Whether the leader of `group` has ended, be it reaped or not.
fn has_ended(group: Pid) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    !matches!(waitid(Id::Pid(group), flags), Ok(WaitStatus::StillAlive))
}

fn signal(group: Pid, signal: Signal) {
    // That the group is gone is what we want.
    let _ = killpg(group, signal);
}
