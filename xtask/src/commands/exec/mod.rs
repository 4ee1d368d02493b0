//! `services exec`: one command, on a cluster of its own or on one that runs.

use crate::cli::Exec;
use crate::embedded;
use crate::export::Environment;
use crate::failure::{Exit, Usage};
use crate::lifecycle::Cluster;
use crate::output::say;
use crate::owned::{OwnedStack, Request};
use crate::parent::Parent;
use crate::settings::Wanted;
use crate::signals::Interrupt;
use crate::stack::{Leaves, StackFolder};
use crate::workspace::Workspace;

mod attended;

/// # Errors
/// [`Exit`] when the command fails; else when the cluster does not come up or go down.
pub(crate) fn run(workspace: &Workspace, arguments: &Exec) -> anyhow::Result<()> {
    // Found before anything is started for it.
    if attended::command(&arguments.command, std::iter::empty()).is_none() {
        return Err(no_command().into());
    }
    let interrupt = Interrupt::catch()?;
    let code = match &arguments.stack {
        Some(name) => {
            let folder = StackFolder::new(workspace, name.parse()?);
            let cluster = Cluster::open(workspace, &folder)?;
            run_command(arguments, &cluster, &interrupt)?
        }
        None => on_a_stack_of_its_own(workspace, arguments, &interrupt)?,
    };
    match code {
        0 => Ok(()),
        code => Err(Exit(code).into()),
    }
}

fn on_a_stack_of_its_own(
    workspace: &Workspace,
    arguments: &Exec,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let wanted = Wanted::load(&workspace.services_yml(), &arguments.overrides)?;
    // A wrong name is found before anything is started for it.
    super::token::of(&wanted.fresh().fixtures(), &arguments.auth)?;
    let parent = Parent::of_stacks()?;
    let name = format!("exec-{}", std::process::id());
    let stack = OwnedStack::bring_up(Request {
        workspace,
        folder: StackFolder::new(workspace, name.parse()?),
        wanted: &wanted,
        parent: &parent,
        selection: &[],
        services_binary: embedded::services_binary()?,
        leaves: Leaves::Nothing,
        interrupt,
        command: "cargo xtask services exec",
    })?;
    stack.up().notes.iter().for_each(|note| say(note));
    let code = run_command(arguments, &stack.cluster(), interrupt);
    stack.end()?;
    code
}

/// The exit code of the command, or, as in a shell, 128 and the signal that ended it.
fn run_command(
    arguments: &Exec,
    cluster: &Cluster<'_>,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let environment = Environment::of_stack(cluster, &arguments.auth)?;
    let command =
        attended::command(&arguments.command, environment.variables()).ok_or_else(no_command)?;
    attended::run(command, interrupt)
}

fn no_command() -> Usage {
    Usage("exec: name a command behind --".into())
}
