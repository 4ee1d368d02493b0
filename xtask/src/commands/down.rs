//! `services down`: stop a cluster, or some of its services.

use super::folder;
use crate::cli::Down;
use crate::lifecycle::take_down;
use crate::output::say;
use crate::stack::StackLock;
use crate::workspace::Workspace;

/// # Errors
/// When a name is unknown, or a process cannot be ended.
pub(crate) fn run(workspace: &Workspace, arguments: &Down) -> anyhow::Result<()> {
    let folder = folder(workspace, &arguments.target)?;
    if !folder.path().exists() {
        say(&format!("stack {} is not up", folder.name()));
        return Ok(());
    }
    let _lock = StackLock::take(&folder, "cargo xtask services down")?;
    let done = take_down::take_down(&folder, &arguments.services)?;
    let what = match (done, arguments.services.is_empty()) {
        (false, _) => "is not up".to_owned(),
        (true, true) => format!("is down; its logs are in {}", folder.logs().display()),
        (true, false) => format!("runs without {}", arguments.services.join(", ")),
    };
    say(&format!("stack {} {what}", folder.name()));
    Ok(())
}
