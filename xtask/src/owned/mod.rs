//! A stack that belongs to this process, and goes down with it however that ends.
//!
//! As long as we live, we take it down ourselves. Should we be killed, a guardian does it: a small
//! process in a session of its own, which notices by the end of a pipe that we are gone. Should
//! that be killed too, the next command does it: see [`crate::lifecycle::reconcile`].

use std::path::PathBuf;

use crate::lifecycle::bring_up::{BringUp, Up};
use crate::lifecycle::{Cluster, take_down};
use crate::settings::Wanted;
use crate::signals::Interrupt;
use crate::stack::{Leaves, StackFolder, StackLock, State};
use crate::workspace::Workspace;

pub(crate) mod guardian;

use guardian::Guardian;

/// What is to be brought up for us.
pub(crate) struct Request<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) folder: StackFolder,
    pub(crate) wanted: &'a Wanted,
    /// Services or kinds of service; all if it is empty.
    pub(crate) selection: &'a [String],
    pub(crate) services_binary: PathBuf,
    pub(crate) leaves: Leaves,
    pub(crate) interrupt: &'a Interrupt,
    /// The command that we are, for others that have to wait for it.
    pub(crate) command: &'a str,
}

/// A stack that is up. To drop it is to be killed: then the guardian takes it down.
pub(crate) struct OwnedStack<'a> {
    workspace: &'a Workspace,
    folder: StackFolder,
    command: String,
    guardian: Guardian,
    up: Up,
}

impl<'a> OwnedStack<'a> {
    /// # Errors
    /// When a service does not come up: then nothing runs, and the logs are kept.
    pub(crate) fn bring_up(request: Request<'a>) -> anyhow::Result<Self> {
        let Request { workspace, folder, wanted, leaves, command, .. } = request;
        // First of all: from here on nothing that we start can be left.
        let guardian = Guardian::start(workspace, folder.name())?;
        let lock = StackLock::take(&folder, command)?;
        let bring_up = BringUp {
            workspace,
            folder: &folder,
            wanted,
            selection: request.selection,
            services_binary: request.services_binary,
            leaves: Some(leaves),
            interrupt: request.interrupt,
        };
        match bring_up.run(&lock) {
            Ok(up) => {
                let command = command.to_owned();
                Ok(Self { workspace, folder, command, guardian, up })
            }
            Err(error) => {
                // Rolled back as far as it came; the message may name a log, and those stay.
                take_down_ours(&folder)?;
                drop(lock);
                guardian.dismiss()?;
                Err(error)
            }
        }
    }

    /// What came up.
    pub(crate) fn up(&self) -> &Up {
        &self.up
    }

    /// The stack, for whoever looks at it.
    pub(crate) fn cluster(&self) -> Cluster<'_> {
        Cluster::new(self.workspace, &self.folder, self.up.state.clone())
    }

    /// From now on its logs stay when it is down; where they are.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub(crate) fn keep_logs(&mut self) -> anyhow::Result<PathBuf> {
        let _lock = StackLock::take(&self.folder, &self.command)?;
        if let Some(mut state) = State::load(&self.folder)? {
            state.origin.keep_logs();
            state.save(&self.folder)?;
        }
        Ok(self.folder.logs())
    }

    /// Takes it down.
    ///
    /// # Errors
    /// When a process cannot be ended, or a file not removed.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let lock = StackLock::take_if_exists(&self.folder, &self.command)?;
        take_down_ours(&self.folder)?;
        drop(lock);
        self.guardian.dismiss()
    }
}

/// Somebody may have taken ours down before us, and brought another one up in its place.
fn take_down_ours(folder: &StackFolder) -> anyhow::Result<()> {
    match State::load(folder) {
        Ok(Some(state)) if !state.origin.is_owned_by_us() => Ok(()),
        _ => take_down::take_down(folder, &[]).map(drop),
    }
}
