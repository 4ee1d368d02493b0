//! The guardian of an owned stack: it waits for its owner's end, and takes the stack down then.
//!
//! The owner holds the writing end of a pipe, which closes with it. One byte says that there is
//! nothing left to do. The guardian leads a session of its own, so that what ends the owner's
//! terminal or process group does not end it, and keeps nothing of its owner's open.

use std::io::{PipeWriter, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::environment;
use crate::lifecycle::{reconcile, take_down};
use crate::process::pidfd::PidFd;
use crate::process::{own_program, poll};
use crate::stack::{StackFolder, StackLock, StackName, State};
use crate::workspace::{ROOT_VARIABLE, Workspace};

/// The owner's side of it.
#[derive(Debug)]
pub(crate) struct Guardian {
    child: Child,
    /// Closed when we end, in whatever way.
    alive: PipeWriter,
}

impl Guardian {
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(workspace: &Workspace, stack: &StackName) -> anyhow::Result<Self> {
        let (owner_is_gone, alive) = std::io::pipe()?;
        let mut command = Command::new(own_program());
        environment::clean(&mut command);
        command.args(["guardian", "--stack", stack.as_ref()]);
        command.env(ROOT_VARIABLE, workspace.root()).current_dir("/");
        command.stdin(owner_is_gone).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: setsid is async-signal-safe, and nothing else is called.
        unsafe { command.pre_exec(|| Ok(nix::unistd::setsid().map(drop)?)) };
        let child = command.spawn().context("cannot start the guardian of the stack")?;
        Ok(Self { child, alive })
    }

    /// Tells it that the stack is down, and waits until it has ended.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(crate) fn dismiss(mut self) -> anyhow::Result<()> {
        // It may have been killed: then there is nobody to tell.
        let _ = self.alive.write_all(b".");
        drop(self.alive);
        self.child.wait().context("cannot wait for the guardian of the stack")?;
        Ok(())
    }
}

/// What the guardian does.
///
/// # Errors
/// When the stack cannot be taken down: the next command tries again, and the log says why.
pub(crate) fn guard(folder: &StackFolder) -> anyhow::Result<()> {
    let mut dismissed = [0];
    if std::io::stdin().lock().read(&mut dismissed)? > 0 {
        return Ok(());
    }
    let result = wait_for_owner(folder).and_then(|()| end(folder));
    if let Err(error) = &result {
        // The folder may be what is gone, and there is nobody else to tell.
        let _ = fs_err::write(folder.log("guardian"), format!("{error:#}\n"));
    }
    result
}

/// A process closes its files a little before it has ended.
fn wait_for_owner(folder: &StackFolder) -> anyhow::Result<()> {
    let Some(owner) = State::load(folder)?.and_then(|state| state.origin.owner) else {
        return Ok(());
    };
    if let Some(handle) = PidFd::open(owner.process)? {
        poll::until_readable(&[&handle], None)?;
    }
    Ok(())
}

fn end(folder: &StackFolder) -> anyhow::Result<()> {
    match StackLock::take_if_exists(folder, "the guardian of the stack")? {
        Some(_lock) => reconcile::put_right(folder),
        None => take_down::take_down(folder, &[]).map(drop),
    }
}
