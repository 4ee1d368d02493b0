//! The guardian of an owned stack: it waits for the end of the owner, and takes the stack down then.
//!
//! It leads a session of its own, so that what ends the owner's terminal or process group does not
//! end it, and keeps nothing of its owner's open.

use std::io::{PipeWriter, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::environment;
use crate::lifecycle::{reconcile, take_down};
use crate::process::identity::Identity;
use crate::process::pidfd::PidFd;
use crate::process::{own_program, poll};
use crate::stack::{StackFolder, StackLock, StackName, State};
use crate::workspace::{ROOT_VARIABLE, Workspace};

/// The guardian, as the command sees it that has started it.
#[derive(Debug)]
pub(crate) struct Guardian {
    child: Child,
    /// The writing end of a pipe that closes when we end, in whatever way; only if it is us whom
    /// it waits for.
    alive: Option<PipeWriter>,
}

impl Guardian {
    /// One that waits for our own end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn of_us(workspace: &Workspace, stack: &StackName) -> anyhow::Result<Self> {
        let (owner_is_gone, alive) = std::io::pipe()?;
        let mut command = command(workspace, stack);
        command.stdin(owner_is_gone);
        Ok(Self { child: spawn(command)?, alive: Some(alive) })
    }

    /// One that waits for the end of `process`, and goes on when we end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn of_another(
        workspace: &Workspace,
        stack: &StackName,
        process: Identity,
    ) -> anyhow::Result<Self> {
        let mut command = command(workspace, stack);
        command.args(["--owner", &process.pid.to_string()]).stdin(Stdio::null());
        Ok(Self { child: spawn(command)?, alive: None })
    }

    /// Which process it is.
    ///
    /// # Errors
    /// When it has ended already.
    pub(crate) fn identity(&self) -> anyhow::Result<Identity> {
        Identity::of(i32::try_from(self.child.id())?).context("the guardian of the stack has ended")
    }

    /// Tells it that the stack is down, and waits until it has ended.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(crate) fn dismiss(mut self) -> anyhow::Result<()> {
        if let Some(mut alive) = self.alive.take() {
            // It may have been killed: then there is nobody to tell.
            let _ = alive.write_all(b".");
        }
        self.child.wait().context("cannot wait for the guardian of the stack")?;
        Ok(())
    }

    /// Ends it: there is nothing to guard.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().context("cannot end the guardian of the stack")?;
        self.dismiss()
    }
}

fn command(workspace: &Workspace, stack: &StackName) -> Command {
    let mut command = Command::new(own_program());
    environment::clean(&mut command);
    command.args(["guardian", "--stack", stack.as_ref()]);
    command.env(ROOT_VARIABLE, workspace.root()).current_dir("/");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn spawn(mut command: Command) -> anyhow::Result<Child> {
    // SAFETY: setsid is async-signal-safe, and nothing else is called.
    unsafe { command.pre_exec(|| Ok(nix::unistd::setsid().map(drop)?)) };
    command.spawn().context("cannot start the guardian of the stack")
}

/// What the guardian does: for the process `owner`, or else for whoever holds the other end of its
/// standard input.
///
/// # Errors
/// When the stack cannot be taken down: the next command tries again, and the log says why.
pub(crate) fn guard(folder: &StackFolder, owner: Option<i32>) -> anyhow::Result<()> {
    match owner {
        Some(pid) => wait_for(Identity::of(pid))?,
        None => {
            let mut dismissed = [0];
            if std::io::stdin().lock().read(&mut dismissed)? > 0 {
                return Ok(());
            }
            // A process closes its files a little before it has ended.
            let owner = State::load(folder).ok().flatten().and_then(|state| state.origin.owner);
            wait_for(owner.map(|owner| owner.process))?;
        }
    }
    let result = end(folder);
    if let Err(error) = &result {
        // The folder may be what is gone, and there is nobody else to tell.
        let _ = fs_err::write(folder.log("guardian"), format!("{error:#}\n"));
    }
    result
}

fn wait_for(process: Option<Identity>) -> anyhow::Result<()> {
    if let Some(handle) = process.map(PidFd::open).transpose()?.flatten() {
        poll::until_readable(&[&handle], None)?;
    }
    Ok(())
}

fn end(folder: &StackFolder) -> anyhow::Result<()> {
    let _lock = StackLock::take_if_exists(folder, "the guardian of the stack")?;
    match State::load(folder) {
        Ok(_) if folder.path().exists() => reconcile::put_right(folder),
        // Its files are gone, or say nothing: it was ours all the same.
        _ => take_down::take_down(folder, &[]).map(drop),
    }
}
