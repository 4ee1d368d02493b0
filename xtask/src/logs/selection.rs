//! Whose logs are meant.

use std::io;

use super::file_names;
use crate::output::say;
use crate::plan;
use crate::services;
use crate::stack::{StackFolder, State};

/// The services of a stack in `selection` (names or kinds), or all if it is empty: those that have
/// logs and, where these are to be `followed`, those that may be started later.
///
/// Of a stack that is down nobody knows more than which logs it has left.
///
/// # Errors
/// When a name is unknown, or there are no logs at all.
pub(crate) fn select(
    stack: &StackFolder,
    selection: &[String],
    followed: bool,
) -> anyhow::Result<Vec<String>> {
    let logged = with_logs(stack)?;
    let state = State::load(stack).unwrap_or_else(|error| {
        say(&format!("{error:#}"));
        None
    });
    if logged.is_empty() && (state.is_none() || !followed) {
        anyhow::bail!(
            "stack {0} has no logs: `cargo xtask services up --stack {0}` starts it",
            stack.name()
        );
    }
    let known: Vec<(String, String)> = match &state {
        Some(state) => services::instances(&state.settings),
        None => logged.iter().map(|name| (name.clone(), name.clone())).collect(),
    };
    let mut selected = plan::select(&known, selection)?;
    if !followed {
        selected.retain(|name| logged.contains(name));
        anyhow::ensure!(
            !selected.is_empty(),
            "stack {} has no log of {}: it has not been started",
            stack.name(),
            selection.join(", ")
        );
    }
    Ok(selected)
}

/// The names of all services of which there is a log.
fn with_logs(stack: &StackFolder) -> io::Result<Vec<String>> {
    let entries = match fs_err::read_dir(stack.logs()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let requests = file_names(stack, "nginx");
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        if requests.iter().any(|known| known == name) {
            names.push("nginx".to_owned());
        } else if let Some(service) = name.strip_suffix(".log") {
            names.push(service.to_owned());
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}
