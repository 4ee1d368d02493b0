//! Bringing a stack up: what runs and answers is reset, what is missing is started.

use std::path::PathBuf;

use anyhow::Context as _;

use super::start::Start;
use super::{Cluster, reset, take_down};
use crate::output::say;
use crate::plan::{self, Planned};
use crate::process::identity::{self, Identity};
use crate::settings::{Provider, Wanted};
use crate::signals::Interrupt;
use crate::stack::{StackFolder, State};
use crate::workspace::Workspace;

/// A stack that is up.
pub(crate) struct Up {
    pub(crate) state: State,
    /// The services that were started by this call.
    pub(crate) started: Vec<String>,
    /// The services that answer: those, and those that did already.
    pub(crate) ready: Vec<String>,
    /// Services that cannot run on this machine, and why.
    pub(crate) unavailable: Vec<(String, String)>,
}

/// Brings up the services in `selection`, or all of them. The stack's lock has to be held.
///
/// # Errors
/// When a service does not come up: then what this call started is gone again, and its log kept.
pub(crate) fn bring_up(
    workspace: &Workspace,
    folder: &StackFolder,
    wanted: &Wanted,
    selection: &[String],
    services_binary: PathBuf,
    interrupt: &Interrupt,
) -> anyhow::Result<Up> {
    let previous = previous_state(folder)?;
    let settings = match &previous {
        Some(state) => wanted.for_running(&state.settings)?,
        None => wanted.fresh(),
    };
    let planned = plan::plan(&settings, selection, &|name, check| workspace.look_up(name, check))?;
    let (runnable, unavailable) = split(planned, selection)?;
    let state = match previous {
        Some(state) => state,
        None => {
            let own = Identity::own().context("this process is not in the table of processes")?;
            fresh_logs(folder)?;
            let token = settings.fixtures().auth_token("admin")?;
            State::new(settings, token, identity::boot_id()?, own.start_time)
        }
    };
    let mut cluster = Cluster::new(workspace, folder, state);
    let mut ready = reset::ready(&cluster)?;
    reset::reset_data(&cluster, &ready)?;
    interrupt.check()?;
    let missing: Vec<Planned> =
        runnable.into_iter().filter(|service| !ready.contains(&service.name)).collect();
    let started: Vec<String> = missing.iter().map(|service| service.name.clone()).collect();
    ready.extend(started.iter().cloned());
    if missing.is_empty() {
        reset::register(&cluster, &ready)?;
    } else {
        clear_remains(&cluster, &started)?;
        let keep_data = false;
        let mut start =
            Start { cluster: &mut cluster, services_binary, running: &ready, keep_data, interrupt };
        start.start(&missing)?;
    }
    interrupt.check()?;
    Ok(Up { state: cluster.state, started, ready, unavailable })
}

/// The state of a stack that is at least partly up in this boot of the machine.
fn previous_state(folder: &StackFolder) -> anyhow::Result<Option<State>> {
    let Some(state) = State::load(folder)? else {
        take_down::take_down(folder, &[])?;
        return Ok(None);
    };
    let rebooted = state.boot_id != identity::boot_id()?;
    if rebooted {
        say("the machine was started anew since this stack was: it is cleared away");
    }
    // Nothing of it runs: perhaps we were killed while it was being started, or stopped.
    if rebooted || !state.services.iter().any(crate::stack::state::Service::is_alive) {
        take_down::take_down(folder, &[])?;
        return Ok(None);
    }
    Ok(Some(state))
}

/// Those that can run, and why others cannot.
type Split = (Vec<Planned>, Vec<(String, String)>);

/// # Errors
/// When a service that was asked for by name cannot run here.
fn split(planned: Vec<Planned>, selection: &[String]) -> anyhow::Result<Split> {
    let mut unavailable = Vec::new();
    let mut runnable = Vec::new();
    for service in planned {
        match &service.unavailable {
            None => runnable.push(service),
            Some(reason) => {
                let named = |wanted: &String| {
                    *wanted == service.name || wanted == service.definition.name()
                };
                // A provider that was chosen and is not there is not replaced in silence.
                let named = selection.iter().any(named) || service.provider == Provider::System;
                anyhow::ensure!(!named, "{} cannot run here: {reason}", service.name);
                unavailable.push((service.name, reason.clone()));
            }
        }
    }
    Ok((runnable, unavailable))
}

/// Ends what is left of services that are about to be started again: they have ended, or hang.
fn clear_remains(cluster: &Cluster<'_>, names: &[String]) -> anyhow::Result<()> {
    let known = |name: &&str| cluster.state.service(name).is_some();
    let remains: Vec<&str> = names.iter().map(String::as_str).filter(known).collect();
    if remains.is_empty() {
        return Ok(());
    }
    say(&format!("starting again what has ended or does not answer: {}", remains.join(", ")));
    take_down::stop_services(cluster.folder, &cluster.state, &remains)
}

/// The logs of a stack that is down are kept until it is brought up again.
fn fresh_logs(folder: &StackFolder) -> anyhow::Result<()> {
    fs_err::remove_dir_all(folder.logs())?;
    folder.create()
}
