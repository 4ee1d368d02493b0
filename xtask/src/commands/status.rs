//! `services status`: what runs, and the log of what does not.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::folder;
use crate::cli::{Report, ReportFormat};
use crate::failure::CheckFailed;
use crate::lifecycle::health::{self, Health};
use crate::lifecycle::{self, Cluster, log_tail};
use crate::output::print;
use crate::stack::State;
use crate::stack::state::Service;
use crate::workspace::Workspace;

/// How much of a log is shown of a service that is not ready.
const LOG_LINES: usize = 5;

/// # Errors
/// [`CheckFailed`] when the stack is not up, or not all of it is ready.
pub(crate) fn run(workspace: &Workspace, report: &Report) -> anyhow::Result<()> {
    let folder = folder(workspace, &report.target)?;
    let Some(state) = State::load(&folder)? else {
        if report.format == ReportFormat::Json {
            let down = json!({"stack": folder.name().to_string(), "ready": false, "services": []});
            print(&format!("{down:#}\n"))?;
        }
        return Err(CheckFailed(lifecycle::not_up(&folder)).into());
    };
    let cluster = Cluster::new(workspace, &folder, state);
    let healths = health::check(&cluster)?;
    match report.format {
        ReportFormat::Human => print(&(table(&cluster, &healths) + &logs(&cluster, &healths)))?,
        ReportFormat::Json => print(&format!("{:#}\n", as_json(&cluster, &healths)))?,
    }
    let not_ready = names(&cluster, &healths, |health| health != Health::Ready);
    if not_ready.is_empty() {
        return Ok(());
    }
    Err(CheckFailed(format!("not ready: {}", not_ready.join(", "))).into())
}

fn names(cluster: &Cluster<'_>, healths: &[Health], pick: impl Fn(Health) -> bool) -> Vec<String> {
    let services = cluster.state.services.iter().zip(healths);
    let picked = services.filter(|(_, health)| pick(**health));
    picked.map(|(service, _)| service.name.clone()).collect()
}

/// A line for each service.
pub(crate) fn table(cluster: &Cluster<'_>, healths: &[Health]) -> String {
    let mut text =
        format!("{:<14} {:<8} {:>8}  {:<24} {}\n", "SERVICE", "HEALTH", "PID", "PORT", "PROVIDER");
    for (service, health) in cluster.state.services.iter().zip(healths) {
        let pid =
            service.main_process().map_or_else(String::new, |process| process.pid.to_string());
        let health = match health {
            Health::Ready => "ready",
            Health::Hanging => "hanging",
            Health::Ended => "ended",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<14} {health:<8} {pid:>8}  {:<24} {}",
            service.name,
            ports(cluster, service).join(" "),
            service.provider,
        );
    }
    text
}

fn ports(cluster: &Cluster<'_>, service: &Service) -> Vec<String> {
    let names = cluster.port_names(service);
    let numbers = names.iter().filter_map(|name| cluster.state.ports.get(name));
    numbers.map(u16::to_string).collect()
}

fn logs(cluster: &Cluster<'_>, healths: &[Health]) -> String {
    let not_ready = names(cluster, healths, |health| health != Health::Ready);
    let tail = |name: &String| {
        format!("\n{name}: {}\n", log_tail::tail(&cluster.folder.log(name), LOG_LINES))
    };
    not_ready.iter().map(tail).collect()
}

fn as_json(cluster: &Cluster<'_>, healths: &[Health]) -> Value {
    let services: Vec<Value> = cluster
        .state
        .services
        .iter()
        .zip(healths)
        .map(|(service, health)| {
            let ports: serde_json::Map<String, Value> = cluster
                .port_names(service)
                .into_iter()
                .filter_map(|name| Some((name.clone(), json!(cluster.state.ports.get(&name)?))))
                .collect();
            json!({
                "name": service.name,
                "kind": service.kind,
                "provider": service.provider,
                "health": health,
                "pid": service.main_process().map(|process| process.pid),
                "ports": ports,
                "log": cluster.folder.log(&service.name),
            })
        })
        .collect();
    json!({
        "stack": cluster.folder.name().to_string(),
        "ready": healths.iter().all(|health| *health == Health::Ready),
        "era": cluster.state.settings.era,
        "services": services,
    })
}
