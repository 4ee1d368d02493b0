//! `services up`: start a cluster, or what is missing of it.

use std::time::{Duration, Instant};

use super::{folder, status};
use crate::cli::{Format, Up};
use crate::export::Environment;
use crate::failure::Usage;
use crate::lifecycle::Cluster;
use crate::lifecycle::bring_up;
use crate::lifecycle::health::Health;
use crate::output::{is_coloured, print, say};
use crate::owned::{self, OwnedStack, Request};
use crate::parent::Parent;
use crate::process::identity::Identity;
use crate::settings::Wanted;
use crate::signals::Interrupt;
use crate::stack::{Leaves, Origin, StackFolder, State};
use crate::workspace::Workspace;
use crate::{embedded, plan};

mod foreground;

/// # Errors
/// As documented for the command: 2 for wrong usage, 3 when the services do not come up.
pub(crate) fn run(workspace: &Workspace, arguments: &Up) -> anyhow::Result<()> {
    let folder = folder(workspace, &arguments.target)?;
    let wanted = Wanted::load(&workspace.services_yml(), &arguments.overrides)?;
    let lookup = |name: &str, check| workspace.look_up(name, check);
    let settings = wanted.settled(&lookup);
    let parent = Parent::of_stacks()?;
    let mut services = plan::plan(&settings, &arguments.services, &lookup)?;
    if arguments.export.auth != "admin" {
        super::token::of(&settings.fixtures(), &arguments.export.auth)?;
    }
    services.retain(|service| !parent.plays(service.definition.name()));
    if arguments.dry_run {
        parent.notes().iter().for_each(|note| say(note));
        let mut state = State::new(settings, String::new(), Origin::default());
        state.parent = parent;
        let cluster = Cluster::new(workspace, &folder, state);
        let mut context = cluster.context();
        let ports = services.iter().flat_map(|service| service.definition.ports(&service.name));
        context.ports = ports.map(|port| (port.clone(), format!("<{port}>"))).collect();
        return print(&plan::describe(&services, &context)?);
    }
    let services_binary = embedded::services_binary()?;
    let started_at = Instant::now();
    let interrupt = Interrupt::catch()?;
    let request = Request {
        workspace,
        folder: folder.clone(),
        wanted: &wanted,
        parent: &parent,
        selection: &arguments.services,
        services_binary,
        leaves: if arguments.foreground { Leaves::Logs } else { Leaves::Nothing },
        interrupt: &interrupt,
        command: "cargo xtask services up",
    };
    if arguments.foreground {
        let stack = OwnedStack::bring_up(request)?;
        say_what_is_up(&folder, stack.up(), started_at.elapsed());
        // On standard output come the logs.
        say(table(&stack.cluster(), &stack.up().ready, false).trim_end());
        say(&how_to_use(&folder));
        return foreground::stay(stack, &interrupt);
    }
    let up = match arguments.owner {
        Some(pid) => owned::bring_up_for(owner(pid)?, &request)?,
        None => owned::bring_up_for_nobody(&request)?,
    };
    say_what_is_up(&folder, &up, started_at.elapsed());
    let cluster = Cluster::new(workspace, &folder, up.state);
    match arguments.export.format {
        Format::Human => {
            print(&table(&cluster, &up.ready, is_coloured()))?;
            say(&how_to_use(&folder));
            Ok(())
        }
        format => print(&Environment::of_stack(&cluster, &arguments.export.auth)?.print(format)?),
    }
}

fn owner(pid: i32) -> Result<Identity, Usage> {
    Identity::of(pid).ok_or_else(|| Usage(format!("--owner {pid}: there is no such process")))
}

fn say_what_is_up(folder: &StackFolder, up: &bring_up::Up, took: Duration) {
    up.notes.iter().for_each(|note| say(note));
    let done = match up.started.len() {
        0 => "ran already and was reset".to_owned(),
        1 => "is up (1 service started)".to_owned(),
        number => format!("is up ({number} services started)"),
    };
    say(&format!("stack {} {done} in {} ms", folder.name(), took.as_millis()));
}

/// What runs, and where.
fn table(cluster: &Cluster<'_>, ready: &[String], coloured: bool) -> String {
    let services = cluster.state.services.iter();
    let health = |name| if ready.contains(name) { Health::Ready } else { Health::Ended };
    let healths: Vec<Health> = services.map(|service| health(&service.name)).collect();
    status::table(cluster, &healths, coloured)
}

/// What to type next.
fn how_to_use(folder: &StackFolder) -> String {
    let option = match folder.name().as_ref() {
        "default" => String::new(),
        name => format!(" --stack {name}"),
    };
    format!("use it:  eval \"$(cargo xtask services env{option} --format sh)\"")
}
