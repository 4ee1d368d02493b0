//! Bringing a stack up: what runs and answers is reset, what is missing is started.

use std::path::PathBuf;

use super::start::Start;
use super::start_all::Starting;
use super::{Cluster, disk_space, reset, take_down};
use crate::discovery_cache;
use crate::failure::Usage;
use crate::output::say;
use crate::parent::{self, Parent};
use crate::plan::{self, Planned};
use crate::process::orphans;
use crate::settings::{Provider, Settings, Wanted};
use crate::signals::Interrupt;
use crate::stack::{Origin, Owner, StackFolder, StackLock, State};
use crate::workspace::Workspace;

/// A stack that is up.
pub(crate) struct Up {
    pub(crate) state: State,
    /// The services that were started by this call.
    pub(crate) started: Vec<String>,
    /// The services that answer: those, and those that did already.
    pub(crate) ready: Vec<String>,
    /// What a user has to know of it.
    pub(crate) notes: Vec<String>,
    /// How long each took that was started by this call.
    pub(crate) times: Vec<Starting>,
}

/// What is to be brought up.
pub(crate) struct BringUp<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) folder: &'a StackFolder,
    pub(crate) wanted: &'a Wanted,
    /// Whose services are used in place of its own.
    pub(crate) parent: &'a Parent,
    /// Services or kinds of service; all if it is empty.
    pub(crate) selection: &'a [String],
    pub(crate) services_binary: PathBuf,
    /// Set if the stack is to go down with a process.
    pub(crate) owner: Option<Owner>,
    pub(crate) interrupt: &'a Interrupt,
}

impl BringUp<'_> {
    /// Starts what is missing, and resets what runs.
    ///
    /// # Errors
    /// When a service does not come up: then what this call started is gone again, and its log
    /// kept.
    pub(crate) fn run(self, lock: &StackLock) -> anyhow::Result<Up> {
        let (workspace, folder, selection) = (self.workspace, self.folder, self.selection);
        let previous = previous_state(folder, lock)?;
        if let (Some(_), Some(_)) = (&previous, self.owner) {
            return Err(is_up_already(folder).into());
        }
        let lookup = |name: &str, check| workspace.look_up(name, check);
        let settings = match &previous {
            Some(state) => self.wanted.for_running(&state.settings)?,
            None => self.wanted.settled(&lookup),
        };
        let state = match previous {
            Some(state) => state,
            None => self.fresh_state(settings.clone())?,
        };
        let mut planned = plan::plan(&settings, selection, &lookup)?;
        let mut cluster = Cluster::new(workspace, folder, state);
        self.settle_parent(&mut cluster)?;
        planned.retain(|service| !cluster.state.parent.plays(service.definition.name()));
        let (runnable, unavailable) = split(planned, selection)?;
        let mut ready = reset::ready(&cluster)?;
        reset::reset_parent(&cluster)?;
        reset::reset_data(&cluster, &ready)?;
        self.interrupt.check()?;
        let missing: Vec<Planned> =
            runnable.into_iter().filter(|service| !ready.contains(&service.name)).collect();
        let started: Vec<String> = missing.iter().map(|service| service.name.clone()).collect();
        ready.extend(started.iter().cloned());
        let mut times = Vec::new();
        if missing.is_empty() {
            reset::register(&cluster, &ready)?;
        } else {
            clear_remains(&cluster, &started)?;
            let mut start = Start {
                cluster: &mut cluster,
                services_binary: self.services_binary,
                running: &ready,
                keep_data: false,
                interrupt: self.interrupt,
            };
            times = start.start(&missing)?;
            if started.iter().any(|name| name == reset::API) {
                discovery_cache::forget(&cluster.context().address(reset::API));
            }
        }
        self.interrupt.check()?;
        let notes = notes(&cluster, &unavailable);
        Ok(Up { state: cluster.state, started, ready, notes, times })
    }

    /// Brings up nothing: the stack has a folder and an owner, and no services.
    ///
    /// # Errors
    /// When there is a stack already.
    pub(crate) fn claim(self, lock: &StackLock) -> anyhow::Result<Up> {
        if previous_state(self.folder, lock)?.is_some() {
            return Err(is_up_already(self.folder).into());
        }
        let state = self.fresh_state(self.wanted.fresh())?;
        let (started, ready, notes, times) = Default::default();
        Ok(Up { state, started, ready, notes, times })
    }

    /// A stack that runs keeps its API server, whosever that is. The variables may name that very one:
    /// they are set in a shell in which our own environment was evaluated.
    fn settle_parent(&self, cluster: &mut Cluster<'_>) -> Result<(), Usage> {
        let Some(wanted) = &self.parent.api else { return Ok(()) };
        match cluster.api_address() {
            None => cluster.state.parent = self.parent.clone(),
            Some(address) if wanted.is_at(&address) => {}
            Some(address) => {
                return Err(Usage(format!(
                    "stack {} is up with the API server at {address}, and {} names {}: take it down \
                     first, or unset the variable",
                    self.folder.name(),
                    parent::API_VARIABLE,
                    wanted.host
                )));
            }
        }
        Ok(())
    }

    fn fresh_state(&self, settings: Settings) -> anyhow::Result<State> {
        fresh_logs(self.folder)?;
        let token = settings.fixtures().auth_token("admin")?;
        let origin = Origin::here(self.folder, self.owner)?;
        let mut state = State::new(settings, token, origin);
        state.parent = self.parent.clone();
        if self.owner.is_some() {
            // As early as possible: without an owner, somebody has to know that it had one.
            state.save(self.folder)?;
        }
        Ok(state)
    }
}

/// Another command's stack cannot become ours.
fn is_up_already(folder: &StackFolder) -> Usage {
    let name = folder.name();
    Usage(format!(
        "stack {name} is up already: `cargo xtask services logs --follow --stack {name}` shows its \
         logs, and `cargo xtask services down --stack {name}` ends it"
    ))
}

/// The state of a stack that is at least partly up. Of any other, all that is left is cleared away.
///
/// # Errors
/// When the state cannot be read, or something not be cleared away.
pub(crate) fn previous_state(
    folder: &StackFolder,
    lock: &StackLock,
) -> anyhow::Result<Option<State>> {
    let Some(state) = State::load(folder)? else {
        // Where nobody has ever locked, the folder may have been deleted under a running stack.
        if lock.is_first() {
            take_down::stop_orphans(orphans::of_stack(folder.path()))?;
        }
        take_down::take_down(folder, &[])?;
        return Ok(None);
    };
    // Nothing of it runs: perhaps we were killed while it was being started, or stopped.
    if !state.services.iter().any(crate::stack::state::Service::is_alive) {
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

fn notes(cluster: &Cluster<'_>, unavailable: &[(String, String)]) -> Vec<String> {
    let unavailable =
        unavailable.iter().map(|(service, reason)| format!("{service} is not available: {reason}"));
    let settings = &cluster.state.settings;
    // Passenger is started with the flags of Arvados' own tests, and those name no address.
    let open = settings.api_is_real() && !settings.api_is_behind_a_front();
    let open = (open || !settings.host.is_loopback()).then(|| {
        "warning: the cluster can be reached from the network, and its tokens are public".to_owned()
    });
    let own = cluster.notes().into_iter();
    own.chain(unavailable).chain(open).chain(disk_space::warning(cluster.folder)).collect()
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
///
/// # Errors
/// When they cannot be removed.
pub(crate) fn fresh_logs(folder: &StackFolder) -> anyhow::Result<()> {
    fs_err::remove_dir_all(folder.logs())?;
    folder.create()
}
