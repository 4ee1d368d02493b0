//! `services status`: what runs, and the log of what does not.

use serde_json::{Value, json};

use super::folder;
use crate::cli::{Report, ReportFormat};
use crate::failure::CheckFailed;
use crate::lifecycle::health::{self, Health};
use crate::lifecycle::{self, Cluster, log_tail};
use crate::output::{is_coloured, print};
use crate::parent::Parent;
use crate::signals::Interrupt;
use crate::stack::state::Service;
use crate::stack::{StackFolder, State};
use crate::workspace::Workspace;

mod table;
mod watch;

pub(crate) use table::table;

/// How much of a log is shown of a service that is not ready.
const LOG_LINES: usize = 5;

/// # Errors
/// [`CheckFailed`] when the stack is not up, or not all of it is ready.
pub(crate) fn run(workspace: &Workspace, report: &Report) -> anyhow::Result<()> {
    let folder = folder(workspace, &report.target)?;
    if report.watch {
        return watch::watch(workspace, &folder, report.format);
    }
    let found = look(workspace, &folder, None)?;
    match (report.format, &found) {
        (ReportFormat::Human, None) => {}
        (ReportFormat::Human, Some(found)) => print(&(found.table() + &found.logs()))?,
        (ReportFormat::Json, _) => print(&format!("{:#}\n", as_json(&folder, found.as_ref())))?,
    }
    let not_ready = found.ok_or_else(|| not_up(&folder))?.not_ready();
    if not_ready.is_empty() {
        return Ok(());
    }
    Err(CheckFailed(format!("not ready: {}", not_ready.join(", "))).into())
}

fn not_up(folder: &StackFolder) -> CheckFailed {
    CheckFailed(lifecycle::not_up(folder))
}

/// A stack that is up, and what was found of its services.
struct Found<'a> {
    cluster: Cluster<'a>,
    healths: Vec<Health>,
}

/// Looks at the stack; `None` if it is not up. After an interrupt, what has not answered yet counts
/// as hanging.
///
/// # Errors
/// When the stack's own files cannot be read.
fn look<'a>(
    workspace: &'a Workspace,
    folder: &'a StackFolder,
    interrupt: Option<&Interrupt>,
) -> anyhow::Result<Option<Found<'a>>> {
    loop {
        let Some(state) = State::load(folder)? else { return Ok(None) };
        let cluster = Cluster::new(workspace, folder, state);
        match health::check_until(&cluster, interrupt) {
            Ok(healths) => return Ok(Some(Found { cluster, healths })),
            Err(error) if State::load(folder)?.as_ref() == Some(&cluster.state) => {
                return Err(error);
            }
            // Its files were taken away while we looked, because the stack was taken down.
            Err(_) => {}
        }
    }
}

impl Found<'_> {
    fn services(&self) -> impl Iterator<Item = (&Service, Health)> {
        self.cluster.state.services.iter().zip(self.healths.iter().copied())
    }

    fn not_ready(&self) -> Vec<String> {
        let not_ready = self.services().filter(|(_, health)| *health != Health::Ready);
        not_ready.map(|(service, _)| service.name.clone()).collect()
    }

    fn table(&self) -> String {
        let notes = self.cluster.notes();
        let notes: String = notes.into_iter().map(|note| note + "\n").collect();
        table(&self.cluster, &self.healths, is_coloured()) + &notes
    }

    /// The last lines of what is not ready.
    fn logs(&self) -> String {
        let tail = |name: &String| {
            let log = self.cluster.folder.log(name);
            format!("\n{name}: {}\n", log_tail::tail(&log, LOG_LINES))
        };
        self.not_ready().iter().map(tail).collect()
    }

    fn service(&self, service: &Service, health: Health) -> Value {
        let ports: serde_json::Map<String, Value> = self
            .cluster
            .port_names(service)
            .into_iter()
            .filter_map(|name| Some((name.clone(), json!(self.cluster.state.ports.get(&name)?))))
            .collect();
        json!({
            "name": service.name,
            "kind": service.kind,
            "provider": service.provider,
            "health": health,
            "pid": service.main_process().map(|process| process.pid),
            "ports": ports,
            "log": self.cluster.folder.log(&service.name),
        })
    }
}

/// The same keys whether the stack is up or not: see FORMATS.md.
fn as_json(folder: &StackFolder, found: Option<&Found<'_>>) -> Value {
    let services: Vec<Value> = found
        .into_iter()
        .flat_map(|found| found.services().map(|(service, health)| found.service(service, health)))
        .collect();
    json!({
        "stack": folder.name().to_string(),
        "ready": found.is_some_and(|found| found.not_ready().is_empty()),
        "era": found.map(|found| found.cluster.state.settings.era),
        "parent": found.map(|found| parent(&found.cluster.state.parent)),
        "services": services,
    })
}

/// Whose services it uses in place of its own.
fn parent(parent: &Parent) -> Value {
    json!({
        "api": parent.api.as_ref().map(|api| &api.host),
        "proxies": parent.proxies,
    })
}
