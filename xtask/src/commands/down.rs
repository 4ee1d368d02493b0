//! `services down`: stop a cluster, some of its services, or every cluster of the checkout.

use std::path::Path;

use super::folder;
use crate::cli::Down;
use crate::lifecycle::take_down;
use crate::output::say;
use crate::process::orphans;
use crate::stack::{StackFolder, StackLock};
use crate::workspace::Workspace;

/// The command, for others that have to wait for it.
const COMMAND: &str = "cargo xtask services down";

/// # Errors
/// When a name is unknown, or a process cannot be ended.
pub(crate) fn run(workspace: &Workspace, arguments: &Down) -> anyhow::Result<()> {
    if arguments.all {
        return take_down_all(workspace);
    }
    let folder = folder(workspace, &arguments.target)?;
    let _lock = StackLock::take_if_exists(&folder, COMMAND)?;
    let done = take_down::take_down(&folder, &arguments.services)?;
    let what = match (done, arguments.services.is_empty()) {
        (false, _) => "is not up".to_owned(),
        (true, true) => is_down(&folder),
        (true, false) => format!("runs without {}", arguments.services.join(", ")),
    };
    say(&format!("stack {} {what}", folder.name()));
    Ok(())
}

/// One that cannot be taken down does not keep the others up.
fn take_down_all(workspace: &Workspace) -> anyhow::Result<()> {
    let mut first_failure = Ok(());
    let mut found = false;
    for folder in StackFolder::all(workspace)? {
        match take_down_one(&folder) {
            Ok(done) => found |= done,
            Err(error) if first_failure.is_ok() => first_failure = Err(error),
            Err(error) => say(&format!("stack {}: {error:#}", folder.name())),
        }
    }
    // Of another checkout, only what nobody else can end any more.
    let is_ours = |folder: &Path| {
        let checkout = folder.ancestors().nth(2);
        folder.starts_with(workspace.stacks()) || checkout.is_some_and(|folder| !folder.exists())
    };
    found |= take_down::stop_orphans(orphans::of_deleted_stacks(&is_ours))?;
    if !found {
        say("no stack of this checkout is up");
    }
    first_failure
}

fn take_down_one(folder: &StackFolder) -> anyhow::Result<bool> {
    let _lock = StackLock::take_if_exists(folder, COMMAND)?;
    let done = take_down::take_down(folder, &[])?;
    if done {
        say(&format!("stack {} {}", folder.name(), is_down(folder)));
    }
    Ok(done)
}

fn is_down(folder: &StackFolder) -> String {
    match folder.logs().exists() {
        true => format!("is down; its logs are in {}", folder.logs().display()),
        false => "is down".to_owned(),
    }
}
