//! Git programs that run for clients, and outlive neither their client's interest nor us.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;

use crate::log;

/// How long git may take to remove its temporary files when it is told to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process groups that run. Only these are ever signalled: the number of one that is over may
/// be somebody else's by now.
#[derive(Clone, Default)]
pub(super) struct Groups(Arc<Mutex<BTreeSet<Pid>>>);

impl Groups {
    /// Ends every group.
    pub(super) fn end_all(&self) {
        for group in std::mem::take(&mut *self.lock()) {
            signal(group, Signal::SIGTERM);
        }
    }

    /// Ends `group`, if it runs.
    pub(super) fn end(&self, group: Pid) {
        if self.lock().contains(&group) {
            signal(group, Signal::SIGTERM);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The leader of a process group. Unless it has answered, its group is ended when this is dropped.
pub(super) struct Running {
    /// `None` only while being dropped.
    child: Option<Child>,
    group: Pid,
    groups: Groups,
    answered: bool,
}

impl Running {
    /// Takes charge of `child`, which leads its process group.
    ///
    /// # Errors
    /// When somebody has waited for it already.
    pub(super) fn new(child: Child, groups: &Groups) -> io::Result<Self> {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = Pid::from_raw(id.ok_or_else(|| io::Error::other("it is over already"))?);
        groups.lock().insert(group);
        Ok(Self { child: Some(child), group, groups: groups.clone(), answered: false })
    }

    /// What to end it by.
    pub(super) fn group(&self) -> Pid {
        self.group
    }

    /// All of its answer was read: it is about to end by itself.
    pub(super) fn has_answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.answered {
            self.groups.end(self.group);
        }
        self.groups.lock().remove(&self.group);
        // Without a runtime we are ending ourselves, and dropping the child kills it.
        if let Some(child) = self.child.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(reap(child, self.group));
        }
    }
}

/// Waits for the end of the program, so that no zombie is left, and insists when it is overdue.
async fn reap(mut child: Child, group: Pid) {
    match tokio::time::timeout(PATIENCE, child.wait()).await {
        Ok(Ok(status)) if status.success() => {}
        Ok(Ok(status)) => log::line(format_args!("arv-git-httpd: git http-backend: {status}")),
        Ok(Err(error)) => log::line(format_args!("arv-git-httpd: git http-backend: {error}")),
        Err(_) => {
            log::line("arv-git-httpd: git http-backend does not end, and is killed");
            // Not waited for yet, so the number is still its own.
            signal(group, Signal::SIGKILL);
            // Whatever it ended with has no meaning.
            let _ = child.wait().await;
        }
    }
}

fn signal(group: Pid, signal: Signal) {
    // That the group is gone is what we want.
    let _ = killpg(group, signal);
}
