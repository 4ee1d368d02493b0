//! Taking a stack, or some of its services, down.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::output::say;
use crate::plan;
use crate::process::identity::{self, Identity};
use crate::process::orphans::{self, Orphan};
use crate::process::pidfd::PidFd;
use crate::process::stop::{self, Home, Target};
use crate::services::launch::Stop;
use crate::services::{self, Definition};
use crate::stack::state::Unreadable;
use crate::stack::{StackFolder, State};

/// Without a state there are no settings to ask.
const DEFAULT_GRACE: Duration = Duration::from_secs(5);

/// Ends the services named in `selection` (names or kinds), or the whole stack if it is empty.
/// True if there was anything to do.
///
/// # Errors
/// When a name is unknown, or something cannot be ended or removed.
pub(crate) fn take_down(folder: &StackFolder, selection: &[String]) -> anyhow::Result<bool> {
    let state = match State::load(folder) {
        Ok(Some(state)) => state,
        Ok(None) => return clear_leftovers(folder),
        Err(error) if selection.is_empty() => {
            let what = error.downcast_ref().map(|Unreadable { what, .. }| what.clone());
            let what = what.unwrap_or_else(|| format!("{error:#}"));
            say(&format!("{what}: stack {} is cleared away", folder.name()));
            return clear_leftovers(folder);
        }
        Err(error) => return Err(error),
    };
    let selected = plan::select(&services::instances(&state.settings), selection)?;
    let all = state.services.iter().map(|service| service.name.as_str());
    let names: Vec<&str> =
        all.filter(|name| selection.is_empty() || selected.iter().any(|it| it == name)).collect();
    if !selection.is_empty() && names.is_empty() {
        // They are down already.
        return Ok(true);
    }
    if names.len() == state.services.len() {
        stop_everything(folder, &state)?;
        clear(folder, &state)?;
        return Ok(true);
    }
    stop_services(folder, &state, &names)?;
    for service in state.services.iter().filter(|service| names.contains(&service.name.as_str())) {
        let definition = Definition::of(&state.settings, &service.kind)?;
        remove_number_files(folder, &definition, &service.name)?;
    }
    let mut left = state.clone();
    left.services.retain(|service| !names.contains(&service.name.as_str()));
    left.save(folder)?;
    Ok(true)
}

/// Removes what the stack has left, and its state last: whatever ends us, the next command knows
/// what to do.
fn clear(folder: &StackFolder, state: &State) -> anyhow::Result<()> {
    folder.clear()?;
    if state.origin.leaves_nothing() {
        folder.remove_logs()?;
        State::remove(folder)?;
        folder.remove()?;
    } else {
        State::remove(folder)?;
    }
    match state.origin.owner.and_then(|owner| owner.guardian) {
        Some(guardian) if Some(guardian) != Identity::own() => dismiss(guardian),
        _ => Ok(()),
    }
}

/// A guardian has nothing left to do; of one that was killed already there is nothing to end.
fn dismiss(guardian: Identity) -> anyhow::Result<()> {
    match PidFd::open(guardian)? {
        Some(handle) => Ok(handle.signal(Signal::SIGTERM)?),
        None => Ok(()),
    }
}

/// Removes the pid file and the port files of a service that does not run any more.
///
/// # Errors
/// When one cannot be removed.
pub(crate) fn remove_number_files(
    folder: &StackFolder,
    definition: &Definition,
    service: &str,
) -> anyhow::Result<()> {
    let ports = definition.ports(service).into_iter().map(|port| folder.port_file(&port));
    for file in ports.chain([folder.pid_file(service)]) {
        match fs_err::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Ends all processes of these services, and says which had to be killed.
///
/// # Errors
/// When a process cannot be ended.
pub(crate) fn stop_services(
    folder: &StackFolder,
    state: &State,
    names: &[&str],
) -> anyhow::Result<()> {
    let services = state.services.iter().filter(|service| names.contains(&service.name.as_str()));
    let targets: Vec<Target> = services.map(|service| service.target(folder)).collect();
    stop_of_stack(folder, state, &targets)
}

/// Ends what there is of a stack as a whole: its services, and the command that it is up for.
fn stop_everything(folder: &StackFolder, state: &State) -> anyhow::Result<()> {
    let services = state.services.iter().map(|service| service.target(folder));
    let guest = state.guest.iter().map(|guest| guest.target(folder));
    stop_of_stack(folder, state, &services.chain(guest).collect::<Vec<_>>())
}

fn stop_of_stack(folder: &StackFolder, state: &State, targets: &[Target]) -> anyhow::Result<()> {
    if state.origin.boot_id != identity::boot_id()? {
        return Ok(());
    }
    let grace = Duration::from_secs(state.settings.stop_timeout);
    stop_targets(folder.path(), targets, state.origin.since, grace)
}

fn stop_targets(
    folder: &Path,
    targets: &[Target],
    since: u64,
    grace: Duration,
) -> anyhow::Result<()> {
    let home = Home { folder, since };
    for killed in stop::stop(targets, home, grace)? {
        let (service, process) = (killed.service, killed.process);
        say(&format!(
            "{service}: {process} did not end within {} s and was killed",
            grace.as_secs()
        ));
    }
    Ok(())
}

/// Without a state that we can read, the processes themselves tell which are the stack's.
fn clear_leftovers(folder: &StackFolder) -> anyhow::Result<bool> {
    if folder.path().exists() && !folder.has_more_than_logs()? {
        return Ok(false);
    }
    let anything = stop_orphans(orphans::of_stack(folder.path()))? || folder.path().exists();
    folder.clear()?;
    State::remove(folder)?;
    Ok(anything)
}

/// Ends what is left of stacks that nobody knows of any more, and says so; true if there was any.
///
/// # Errors
/// When a process cannot be ended.
pub(crate) fn stop_orphans(orphans: Vec<Orphan>) -> anyhow::Result<bool> {
    let mut by_folder: BTreeMap<PathBuf, Vec<Orphan>> = BTreeMap::new();
    for orphan in orphans {
        by_folder.entry(orphan.folder.clone()).or_default().push(orphan);
    }
    for (folder, orphans) in &by_folder {
        let names: Vec<&str> = orphans.iter().map(|orphan| orphan.service.as_str()).collect();
        let names = names.join(", ");
        say(&format!("ending what still runs of the lost stack in {}: {names}", folder.display()));
        let since = orphans.iter().map(|orphan| orphan.since).min().unwrap_or_default();
        let target = |orphan: &Orphan| Target {
            service: orphan.service.clone(),
            signs: orphan.signs.clone(),
            stop: Stop::default(),
        };
        let targets: Vec<Target> = orphans.iter().map(target).collect();
        stop_targets(folder, &targets, since, DEFAULT_GRACE)?;
    }
    Ok(!by_folder.is_empty())
}
