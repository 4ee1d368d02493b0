//! `services reset`: a running cluster as it was just after `up`; without one, the API server that a
//! parent has started.

use std::time::Instant;

use sdk_fixtures::Fixtures;

use super::folder;
use crate::cli::Target;
use crate::lifecycle::{Cluster, reset};
use crate::output::say;
use crate::parent::Parent;
use crate::stack::StackLock;
use crate::workspace::Workspace;

/// # Errors
/// When the stack is not wholly up, or a service does not reset.
pub(crate) fn run(workspace: &Workspace, target: &Target) -> anyhow::Result<()> {
    let folder = folder(workspace, target)?;
    let started_at = Instant::now();
    let _lock = StackLock::take_if_exists(&folder, "cargo xtask services reset")?;
    let parent = Parent::of_stacks()?.api.filter(|_| !folder.state().exists());
    if let Some(api) = parent {
        reset::reset_database_of(&api, &Fixtures::builtin().auth_token("admin")?)?;
        say(&format!("the parent's API server at {} is as in the fixtures again", api.host));
        return Ok(());
    }
    let cluster = Cluster::open(workspace, &folder)?;
    reset::reset_all(&cluster)?;
    let took = started_at.elapsed().as_millis();
    say(&format!("stack {} is as in the fixtures again, in {took} ms", folder.name()));
    Ok(())
}
