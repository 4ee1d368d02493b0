//! Starting services of a running stack anew: on the same ports, and with the data that they have.

use std::path::PathBuf;

use super::start::{self, Start};
use super::{Cluster, take_down};
use crate::plan::{self, Planned};
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
    let wanted = plan::select(&cluster.state.known_services(), selection)?;
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
