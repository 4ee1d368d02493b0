//! A git program that runs for a client, and does not outlive the client's interest.

use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::task::JoinHandle;

/// How long git may take to remove its temporary files when it is told to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The leader of a process group of its own. Unless it has answered, its group is ended when this
/// is dropped.
pub(super) struct Running {
    child: Option<Child>,
    feeder: Option<JoinHandle<()>>,
    answered: bool,
}

impl Running {
    /// Takes charge of `child`, which leads its process group.
    pub(super) fn new(child: Child) -> Self {
        Self { child: Some(child), feeder: None, answered: false }
    }

    /// The task that writes to the program ends with it.
    pub(super) fn feed_with(&mut self, feeder: JoinHandle<()>) {
        self.feeder = Some(feeder);
    }

    /// All of its answer was read: it is about to end by itself.
    pub(super) fn has_answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(child) = self.child.take() else {
            return;
        };
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        if !self.answered {
            if let Some(feeder) = &self.feeder {
                feeder.abort();
            }
            signal(group, Signal::SIGTERM);
        }
        // Without a runtime we are ending ourselves, and dropping the child kills it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(reap(child, group));
        }
    }
}

/// Waits for the end of the program, so that no zombie is left, and insists when it is overdue.
async fn reap(mut child: Child, group: Option<Pid>) {
    match tokio::time::timeout(PATIENCE, child.wait()).await {
        Ok(Ok(status)) if status.success() => {}
        Ok(Ok(status)) => eprintln!("arv-git-httpd: git http-backend: {status}"),
        Ok(Err(error)) => eprintln!("arv-git-httpd: git http-backend: {error}"),
        Err(_) => {
            eprintln!("arv-git-httpd: git http-backend does not end, and is killed");
            signal(group, Signal::SIGKILL);
            // Whatever it ended with has no meaning.
            let _ = child.wait().await;
        }
    }
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // That the group is gone is what we want.
        let _ = killpg(group, signal);
    }
}
