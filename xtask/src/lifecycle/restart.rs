//! Starting services of a running stack anew: on the same ports, and with the data that they have.

use std::path::PathBuf;

use super::start::{self, Start};
use super::{Cluster, take_down};
use crate::plan::{self, Planned};
use crate::services;
use crate::signals::Interrupt;

/// Restarts the services in `selection` (names or kinds), or all of them if it is empty; the names
/// come back. The stack's lock has to be held.
///
/// # Errors
/// When a name is unknown, or a service does not come up again: then it has ended, and the others
/// run on.
pub(crate) fn restart(
    cluster: &mut Cluster<'_>,
    selection: &[String],
    services_binary: PathBuf,
    interrupt: &Interrupt,
) -> anyhow::Result<Vec<String>> {
    let running = cluster.service_names();
    let wanted = those_that_run(cluster, selection)?;
    let lookup = |name: &str, check| cluster.workspace.look_up(name, check);
    let planned = plan::plan(&cluster.state.settings, &wanted, &lookup)?;
    let planned: Vec<Planned> =
        planned.into_iter().filter(|service| wanted.contains(&service.name)).collect();
    for service in &planned {
        if let Some(reason) = &service.unavailable {
            anyhow::bail!("{} cannot run here any more: {reason}", service.name);
        }
    }
    let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
    // Known before anything is stopped.
    start::needs_certificate(cluster, &names)?;
    take_down::stop_services(cluster.folder, &cluster.state, &names)?;
    let mut start =
        Start { cluster, services_binary, running: &running, keep_data: true, interrupt };
    start.start(&planned)?;
    Ok(wanted)
}

/// The services in `selection`, or all that run if it is empty.
///
/// # Errors
/// When a name is unknown, or none of that name runs.
fn those_that_run(cluster: &Cluster<'_>, selection: &[String]) -> anyhow::Result<Vec<String>> {
    let running = cluster.service_names();
    if selection.is_empty() {
        return Ok(running);
    }
    let known = services::instances(&cluster.state.settings);
    for name in selection {
        let named = plan::select(&known, std::slice::from_ref(name))?;
        anyhow::ensure!(
            named.iter().any(|name| running.contains(name)),
            "{name} of stack {0} is not up: `cargo xtask services up {name} --stack {0}` starts it",
            cluster.folder.name()
        );
    }
    let mut selected = plan::select(&known, selection)?;
    selected.retain(|name| running.contains(name));
    Ok(selected)
}
