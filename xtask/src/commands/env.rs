//! `services env`: the environment in which a client finds the cluster.

use super::folder;
use crate::cli::Env;
use crate::export::Environment;
use crate::lifecycle::Cluster;
use crate::output::print;
use crate::settings;
use crate::stack::{StackFolder, State};
use crate::workspace::Workspace;

/// # Errors
/// When the stack is not up, or the fixtures have no such token.
pub(crate) fn run(workspace: &Workspace, arguments: &Env) -> anyhow::Result<()> {
    let folder = folder(workspace, &arguments.target)?;
    let environment = if arguments.unset {
        undone(workspace, &folder)?
    } else {
        let cluster = Cluster::open(workspace, &folder)?;
        Environment::of_stack(&cluster, &arguments.export.auth)?
    };
    print(&environment.print(arguments.export.format)?)
}

/// Undoes what `env` set, also for a stack that is down by now: what it had beside the cluster is
/// then as in services.yml.
fn undone(workspace: &Workspace, folder: &StackFolder) -> anyhow::Result<Environment> {
    let running = State::load(folder)?.map(|state| state.settings.services).unwrap_or_default();
    let declared = settings::declared(&workspace.services_yml())?;
    Ok(Environment::undone(running.values().chain(&declared)))
}
