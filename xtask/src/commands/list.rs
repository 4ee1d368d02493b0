//! `services list`: the clusters of this checkout.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::{ListStacks, ReportFormat};
use crate::output::print;
use crate::stack::state::Service;
use crate::stack::{StackFolder, State};
use crate::workspace::Workspace;

/// One stack, in a line.
struct Line {
    stack: String,
    condition: String,
    running: usize,
    services: usize,
    api: Option<u16>,
}

/// # Errors
/// When the folder of stacks cannot be read.
pub(crate) fn run(workspace: &Workspace, arguments: &ListStacks) -> anyhow::Result<()> {
    let lines: Vec<Line> = StackFolder::all(workspace)?.iter().filter_map(line).collect();
    match arguments.format {
        ReportFormat::Human => {
            let longest = lines.iter().map(|line| line.stack.len()).max();
            let width = longest.unwrap_or_default().max(20);
            let mut text = format!(
                "{:<width$} {:<10} {:<10} {}\n",
                "STACK", "CONDITION", "RUNNING", "API PORT"
            );
            for line in &lines {
                let running = format!("{} of {}", line.running, line.services);
                let api = line.api.map_or_else(String::new, |port| port.to_string());
                // Writing to a String cannot fail.
                let _ = writeln!(
                    text,
                    "{:<width$} {:<10} {running:<10} {api}",
                    line.stack, line.condition
                );
            }
            print(&text)
        }
        ReportFormat::Json => {
            let stacks: Vec<Value> = lines
                .iter()
                .map(|line| {
                    json!({
                        "stack": line.stack,
                        "condition": line.condition,
                        "running": line.running,
                        "services": line.services,
                        "api_port": line.api,
                    })
                })
                .collect();
            print(&format!("{:#}\n", json!(stacks)))
        }
    }
}

/// `None` for a stack that is down.
fn line(folder: &StackFolder) -> Option<Line> {
    let stack = folder.name().to_string();
    let state = match State::load(folder) {
        Ok(state) => state?,
        Err(_) => {
            let condition = "unreadable".into();
            return Some(Line { stack, condition, running: 0, services: 0, api: None });
        }
    };
    let running = state.services.iter().filter(|service| Service::is_alive(service)).count();
    let services = state.services.len();
    let condition = match running {
        0 => "ended",
        all if all == services => "up",
        _ => "partly up",
    };
    let api = state.ports.get("api").copied();
    Some(Line { stack, condition: condition.into(), running, services, api })
}
