//! `services env`: the environment in which a client finds the cluster.

use super::folder;
use crate::cli::Env;
use crate::export::Environment;
use crate::lifecycle::Cluster;
use crate::output::print;
use crate::workspace::Workspace;

/// # Errors
/// When the stack is not up, or the fixtures have no such token.
pub(crate) fn run(workspace: &Workspace, arguments: &Env) -> anyhow::Result<()> {
    let folder = folder(workspace, &arguments.target)?;
    let cluster = Cluster::open(workspace, &folder)?;
    let environment = Environment::of_stack(&cluster, &arguments.export.auth)?;
    print(&environment.print(arguments.export.format))
}
