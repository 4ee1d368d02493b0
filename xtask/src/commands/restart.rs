//! `services restart`: services that run already, started anew.

use std::time::Instant;

use super::folder;
use crate::cli::Restart;
use crate::embedded;
use crate::lifecycle::{Cluster, restart};
use crate::output::say;
use crate::signals::Interrupt;
use crate::stack::StackLock;
use crate::workspace::Workspace;

/// # Errors
/// When the stack is not up, a name is unknown, or a service does not come up again.
pub(crate) fn run(workspace: &Workspace, arguments: &Restart) -> anyhow::Result<()> {
    let folder = folder(workspace, &arguments.target)?;
    let services_binary = embedded::services_binary()?;
    let started_at = Instant::now();
    let _lock = StackLock::take_if_exists(&folder, "cargo xtask services restart")?;
    let interrupt = Interrupt::catch()?;
    let mut cluster = Cluster::open(workspace, &folder)?;
    let names = restart::restart(&mut cluster, &arguments.services, services_binary, &interrupt)?;
    let took = started_at.elapsed().as_millis();
    say(&format!("stack {}: {} restarted in {took} ms", folder.name(), names.join(", ")));
    Ok(())
}
