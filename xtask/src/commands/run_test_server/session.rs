//! One action on the stack of a folder of temporary files: what it stops and starts, and the files
//! that tell callers of it.

use crate::cli::{Overrides, RunTestServer};
use crate::embedded;
use crate::lifecycle::start::Start;
use crate::lifecycle::{Cluster, bring_up, take_down};
use crate::output::say;
use crate::plan::{self, Planned};
use crate::settings::{Era, Wanted};
use crate::signals::Interrupt;
use crate::stack::state::Service;
use crate::stack::{Origin, StackFolder, StackLock, State};
use crate::workspace::Workspace;

use super::action::Action;
use super::place::{self, Place};

/// Ports whose numbers callers find in files, each with the service that it is of.
const PORT_FILES: [(&str, &str); 4] = [
    ("keepproxy", "keepproxy"),
    ("arv-git-httpd", "arv-git-httpd"),
    ("keepproxy-ssl", "nginx"),
    ("arv-git-httpd-ssl", "nginx"),
];

/// An action that is being done.
pub(super) struct Session<'a> {
    workspace: &'a Workspace,
    pub(super) place: Place,
    folder: StackFolder,
    wanted: Wanted,
    interrupt: Interrupt,
    /// One action at a time: of two at once, the second waits.
    lock: StackLock,
}

impl<'a> Session<'a> {
    /// # Errors
    /// Wrong usage, or a folder that cannot be made.
    pub(super) fn open(
        workspace: &'a Workspace,
        action: Action,
        arguments: &RunTestServer,
    ) -> anyhow::Result<Self> {
        let era = Some(arguments.overrides.era.unwrap_or(Era::Y2015));
        let overrides = Overrides { era, ..arguments.overrides.clone() };
        let wanted = Wanted::load(&workspace.services_yml(), &overrides)?;
        let place = Place::new(workspace, arguments)?;
        let folder = StackFolder::new(workspace, place.stack()?);
        let interrupt = Interrupt::catch()?;
        let command = format!("cargo xtask run-test-server {}", action.name());
        let lock = StackLock::take(&folder, &command)?;
        Ok(Self { workspace, place, folder, wanted, interrupt, lock })
    }

    /// The token that the fixtures have under that label.
    ///
    /// # Errors
    /// Wrong usage, with the nearest known label.
    pub(super) fn token(&self, label: &str) -> anyhow::Result<String> {
        Ok(crate::commands::token::of(&self.wanted.fresh().fixtures(), label)?)
    }

    /// The stack, for a service that is to be started. If nothing of it runs, what is left is cleared
    /// away.
    ///
    /// # Errors
    /// When its state cannot be read, or what is left of it not be ended.
    pub(super) fn cluster(&self) -> anyhow::Result<Cluster<'_>> {
        if bring_up::previous_state(&self.folder, &self.lock)?.is_none() {
            bring_up::fresh_logs(&self.folder)?;
        }
        self.as_it_is()
    }

    /// The stack, which need not run.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub(super) fn as_it_is(&self) -> anyhow::Result<Cluster<'_>> {
        let (mut settings, admin_token) = (self.wanted.fresh(), self.token("admin")?);
        let state = match State::load(&self.folder)? {
            Some(mut state) => {
                // Of what other actions were asked for, this is what their services are still like.
                settings.keepstores = state.settings.keepstores;
                settings.sign_locators = state.settings.sign_locators;
                settings.enforce_permissions = state.settings.enforce_permissions;
                settings.repositories = state.settings.repositories.take();
                (state.settings, state.admin_token) = (settings, admin_token);
                state
            }
            None => State::new(settings, admin_token, Origin::here(&self.folder, None)?),
        };
        Ok(Cluster::new(self.workspace, &self.folder, state))
    }

    /// Starts services of these names on new ports, and tells callers of them.
    ///
    /// # Errors
    /// When one does not come up, or callers cannot be told: then none of them runs.
    pub(super) fn start(&self, cluster: &mut Cluster<'_>, names: &[String]) -> anyhow::Result<()> {
        let planned = self.planned(cluster, names)?;
        for service in &planned {
            for port in service.definition.ports(&service.name) {
                cluster.state.ports.remove(&port);
            }
        }
        let services_binary = embedded::services_binary()?;
        // What is registered with the API server is for each action to say, so nobody is named.
        let mut start = Start {
            cluster,
            services_binary,
            running: &[],
            keep_data: false,
            interrupt: &self.interrupt,
        };
        start.start(&planned)?;
        let told = planned.iter().try_for_each(|service| self.tell_of(cluster, service));
        told.inspect_err(|_| self.take_back(names))
    }

    /// Ends services that callers will not hear of.
    pub(super) fn take_back(&self, names: &[String]) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Err(error) = self.stop(&names) {
            say(&format!("while taking back what was started: {error:#}"));
        }
    }

    fn planned(&self, cluster: &Cluster<'_>, names: &[String]) -> anyhow::Result<Vec<Planned>> {
        let lookup = |name: &str, check| self.workspace.look_up(name, check);
        let mut planned = plan::plan(&cluster.state.settings, names, &lookup)?;
        planned.retain(|service| names.contains(&service.name));
        for service in &planned {
            if let Some(reason) = &service.unavailable {
                anyhow::bail!("{} cannot run here: {reason}", service.name);
            }
        }
        Ok(planned)
    }

    fn tell_of(&self, cluster: &Cluster<'_>, service: &Planned) -> anyhow::Result<()> {
        let known = cluster.state.service(&service.name);
        if let Some(process) = known.and_then(Service::main_process) {
            for path in self.place.pid_files(&service.name) {
                place::write(&path, &process.pid.to_string(), 0o644)?;
            }
        }
        for (port, _) in PORT_FILES.iter().filter(|(_, of)| *of == service.name) {
            if let Some(number) = cluster.state.ports.get(*port) {
                place::write(&self.place.port_file(port), &number.to_string(), 0o644)?;
            }
        }
        Ok(())
    }

    /// Ends those services of these names that are the stack's, and nothing else, whatever pid files
    /// say.
    ///
    /// # Errors
    /// When one cannot be ended, or a file not be removed.
    pub(super) fn stop(&self, names: &[&str]) -> anyhow::Result<()> {
        if let Some(state) = State::load(&self.folder)? {
            let known = names.iter().filter(|name| state.service(name).is_some());
            let known: Vec<String> = known.map(|name| (*name).to_owned()).collect();
            if !known.is_empty() {
                take_down::take_down(&self.folder, &known)?;
            }
        }
        let ports = PORT_FILES.iter().filter(|(_, service)| names.contains(service));
        let ports = ports.map(|(port, _)| self.place.port_file(port));
        let pids = names.iter().flat_map(|name| self.place.pid_files(name));
        place::remove(ports.chain(pids))
    }

    /// The names of the keepstores that there may be.
    ///
    /// # Errors
    /// When the stack's state cannot be read.
    pub(super) fn keepstores(&self) -> anyhow::Result<Vec<String>> {
        let running = State::load(&self.folder)?;
        let known = running.iter().flat_map(|state| &state.services);
        let known = known.filter(|service| service.kind == "keepstore");
        let mut names: Vec<String> = known.map(|service| service.name.clone()).collect();
        names.extend(crate::services::keepstores(&self.wanted.fresh()));
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The folder of the stack.
    pub(super) fn folder(&self) -> &StackFolder {
        &self.folder
    }
}
