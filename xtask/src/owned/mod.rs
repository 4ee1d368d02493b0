//! Stacks that belong to a process, and go down with it however that ends; and those that belong to
//! nobody.
//!
//! As long as a command of ours lives that owns a stack, it takes it down itself. Should it be
//! killed, or be no command of ours, a guardian does it: a small process in a session of its own.
//! Should that be killed too, the next command does it: see [`crate::lifecycle::reconcile`].

use std::path::PathBuf;

use crate::lifecycle::bring_up::{BringUp, Up};
use crate::lifecycle::{Cluster, take_down};
use crate::parent::Parent;
use crate::process::identity::Identity;
use crate::settings::Wanted;
use crate::signals::Interrupt;
use crate::stack::{Leaves, Owner, StackFolder, StackLock, State};
use crate::workspace::Workspace;

pub(crate) mod guardian;
pub(crate) mod guest;

use guardian::Guardian;

/// What is to be brought up for a process.
pub(crate) struct Request<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) folder: StackFolder,
    pub(crate) wanted: &'a Wanted,
    /// Whose services are used in place of its own.
    pub(crate) parent: &'a Parent,
    /// Services or kinds of service; all if it is empty.
    pub(crate) selection: &'a [String],
    pub(crate) services_binary: PathBuf,
    pub(crate) leaves: Leaves,
    pub(crate) interrupt: &'a Interrupt,
    /// The command that we are, for others that have to wait for it.
    pub(crate) command: &'a str,
}

/// A stack that is up, and ours. To drop it is to be killed: then the guardian takes it down.
pub(crate) struct OwnedStack<'a> {
    workspace: &'a Workspace,
    folder: StackFolder,
    command: String,
    owner: Owner,
    guardian: Guardian,
    up: Up,
}

impl<'a> OwnedStack<'a> {
    /// Brings a stack up that goes down with this process.
    ///
    /// # Errors
    /// When a service does not come up: then nothing runs, and the logs are kept.
    pub(crate) fn bring_up(request: Request<'a>) -> anyhow::Result<Self> {
        Self::guarded(request, bring_up)
    }

    /// The same without any service: for a command that brings up what it needs.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub(crate) fn without_services(request: Request<'a>) -> anyhow::Result<Self> {
        Self::guarded(request, |request, owner| {
            let lock = StackLock::take(&request.folder, request.command)?;
            as_bring_up(request, owner).claim(&lock)
        })
    }

    fn guarded(
        request: Request<'a>,
        bring_up: impl FnOnce(&Request<'a>, Option<Owner>) -> anyhow::Result<Up>,
    ) -> anyhow::Result<Self> {
        let owner = Owner::us(request.leaves)?;
        // First of all: from here on nothing that we start can be left.
        let guardian = Guardian::of_us(request.workspace, request.folder.name())?;
        match bring_up(&request, Some(owner)) {
            Ok(up) => {
                let Request { workspace, folder, .. } = request;
                let command = request.command.to_owned();
                Ok(Self { workspace, folder, command, owner, guardian, up })
            }
            Err(error) => {
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

    /// Whether it still is what was brought up: somebody may have taken it down.
    pub(crate) fn is_ours(&self) -> bool {
        let state = State::load(&self.folder);
        matches!(state, Ok(Some(state)) if state.origin.is_owned_by(self.owner.process))
    }

    /// The stack's folder.
    pub(crate) fn folder(&self) -> &StackFolder {
        &self.folder
    }

    /// Gives it to nobody: it stays up.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub(crate) fn leave_up(self) -> anyhow::Result<()> {
        let _lock = StackLock::take(&self.folder, &self.command)?;
        if let Some(mut state) = State::load(&self.folder)? {
            state.origin.owner = None;
            state.guest = None;
            state.save(&self.folder)?;
        }
        self.guardian.dismiss()
    }

    /// Takes it down.
    ///
    /// # Errors
    /// When a process cannot be ended, or a file not removed.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let lock = StackLock::take_if_exists(&self.folder, &self.command)?;
        take_down_if_owned(&self.folder, self.owner.process)?;
        drop(lock);
        self.guardian.dismiss()
    }
}

/// Brings a stack up that goes down with `process`, whatever that is, and returns.
///
/// # Errors
/// When a service does not come up: then nothing runs, and the logs are kept.
pub(crate) fn bring_up_for(process: Identity, request: &Request<'_>) -> anyhow::Result<Up> {
    let guardian = Guardian::of_another(request.workspace, request.folder.name(), process)?;
    let owner = Owner { process, leaves: request.leaves, guardian: Some(guardian.identity()?) };
    let result = bring_up(request, Some(owner));
    if result.is_err() {
        guardian.kill()?;
    }
    result
}

/// Brings a stack up, or what is missing of one, that stays until somebody takes it down.
///
/// # Errors
/// When a service does not come up: then what this call started is gone again, and its log kept.
pub(crate) fn bring_up_for_nobody(request: &Request<'_>) -> anyhow::Result<Up> {
    bring_up(request, None)
}

fn bring_up(request: &Request<'_>, owner: Option<Owner>) -> anyhow::Result<Up> {
    let folder = &request.folder;
    let lock = StackLock::take(folder, request.command)?;
    let result = as_bring_up(request, owner).run(&lock);
    if let (Err(_), Some(owner)) = (&result, owner) {
        // Rolled back as far as it came; the message may name a log, and those stay.
        take_down_if_owned(folder, owner.process)?;
    }
    result
}

fn as_bring_up<'a>(request: &'a Request<'_>, owner: Option<Owner>) -> BringUp<'a> {
    BringUp {
        workspace: request.workspace,
        folder: &request.folder,
        wanted: request.wanted,
        parent: request.parent,
        selection: request.selection,
        services_binary: request.services_binary.clone(),
        owner,
        interrupt: request.interrupt,
    }
}

/// Somebody may have taken it down before us, and brought another one up in its place.
fn take_down_if_owned(folder: &StackFolder, owner: Identity) -> anyhow::Result<()> {
    match State::load(folder) {
        Ok(Some(state)) if !state.origin.is_owned_by(owner) => Ok(()),
        _ => take_down::take_down(folder, &[]).map(drop),
    }
}
