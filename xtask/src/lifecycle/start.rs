//! Starting services: everything at once, since all ports are known before anything runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustls::ClientConfig;

use super::program::{self, Program};
use super::{Cluster, health, log_tail, reset, take_down};
use crate::output::say;
use crate::plan::Planned;
use crate::ports::Held;
use crate::process::pidfd::PidFd;
use crate::process::spawn::{Spawn, Started};
use crate::readiness::{Awaited, NotReady};
use crate::services::Context;
use crate::signals::Interrupt;
use crate::stack::state::Service;
use crate::stack::{StackFolder, State};
use crate::{certificate, services};

/// The service with which the keep services are registered.
const API: &str = "api";

/// How many lines of a failing service's log are shown.
const LOG_LINES: usize = 20;

/// What is needed to start services.
pub(crate) struct Start<'a, 'b> {
    pub(crate) cluster: &'b mut Cluster<'a>,
    pub(crate) services_binary: PathBuf,
    /// All services that will be up then, whether they are started now or ran already.
    pub(crate) running: &'b [String],
    pub(crate) interrupt: &'b Interrupt,
}

impl Start<'_, '_> {
    /// Starts `services`, waits until each answers, and registers the keep services.
    ///
    /// # Errors
    /// When one does not come up: then all that this call has started is gone again, and nothing
    /// else is touched.
    pub(crate) fn start(&mut self, services: &[Planned]) -> anyhow::Result<()> {
        let before = self.cluster.state.clone();
        let result = self.try_to_start(services);
        if result.is_err()
            && let Err(error) = self.roll_back(before, services)
        {
            // The first failure is what a person has to know of.
            say(&format!("while taking back what was started: {error:#}"));
        }
        result
    }

    fn try_to_start(&mut self, services: &[Planned]) -> anyhow::Result<()> {
        let held = self.hold_ports(services)?;
        let folder = self.cluster.folder;
        let settings = &self.cluster.state.settings;
        if !folder.private_key().exists() {
            certificate::create(folder, settings.host)?;
        }
        fs_err::write(folder.blob_signing_key(), &settings.blob_signing_key)?;
        self.record_intent(services)?;
        let (state, outcome) = self.start_all(services, &held)?;
        self.cluster.state = state;
        outcome
    }

    /// A port keeps its number as long as the stack exists.
    fn hold_ports(&mut self, services: &[Planned]) -> anyhow::Result<BTreeMap<String, Held>> {
        let state = &mut self.cluster.state;
        let mut all = BTreeMap::new();
        for service in services {
            let held = program::hold_ports(service, state.settings.host, &state.ports)?;
            all.extend(held);
        }
        state.ports.extend(all.iter().map(|(port, held)| (port.clone(), held.number())));
        Ok(all)
    }

    /// Written before anything is spawned: whatever ends us, the next command knows what to look
    /// for.
    fn record_intent(&mut self, services: &[Planned]) -> anyhow::Result<()> {
        let state = &mut self.cluster.state;
        for planned in services {
            let service = Service {
                name: planned.name.clone(),
                kind: planned.kind.name.to_owned(),
                provider: planned.provider.clone(),
                marker: format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?),
                process: None,
            };
            match state.services.iter_mut().find(|known| known.name == service.name) {
                Some(known) => *known = service,
                None => state.services.push(service),
            }
        }
        let order: Vec<String> =
            services::KINDS.iter().flat_map(|kind| (kind.instances)(&state.settings)).collect();
        state.services.sort_by_key(|service| order.iter().position(|name| *name == service.name));
        state.save(self.cluster.folder)
    }

    /// Services are spawned one after the other, which takes less time than forking at once, and
    /// awaited all at once; the keep services are registered as soon as the API server answers.
    /// The first failure ends the waiting for the others, by ending the others.
    ///
    /// The state that comes back names the processes.
    fn start_all(
        &self,
        services: &[Planned],
        held: &BTreeMap<String, Held>,
    ) -> anyhow::Result<(State, anyhow::Result<()>)> {
        let tls = health::trusting(self.cluster.folder)?;
        let timeout = Duration::from_secs(self.cluster.state.settings.start_timeout);
        let deadline = Instant::now() + timeout;
        let context = self.cluster.context();
        let mut state = self.cluster.state.clone();
        let mut names: Vec<&str> = Vec::new();
        std::thread::scope(|scope| {
            let (sender, results) = mpsc::channel();
            let mut outcome = Ok(());
            if !services.iter().any(|service| service.name == API) {
                let sender = sender.clone();
                // The receiver lives as long as the scope, here and below.
                scope.spawn(move || sender.send(self.register()));
            }
            for service in services {
                let name = service.name.as_str();
                let started = match self.spawn(&context, service, held) {
                    Ok(started) => started,
                    Err(error) => {
                        outcome = Err(error.context(name.to_owned()));
                        break;
                    }
                };
                names.push(name);
                let known = state.services.iter_mut().find(|service| service.name == name);
                known.context("a service without state")?.process = Some(started.identity);
                let (sender, tls) = (sender.clone(), Arc::clone(&tls));
                scope.spawn(move || {
                    let ready = self.wait_for(name, started, tls, deadline);
                    sender.send(ready.and_then(|()| match name {
                        API => self.register(),
                        _ => Ok(()),
                    }))
                });
            }
            drop(sender);
            state.save(self.cluster.folder)?;
            if outcome.is_err() {
                self.end_early(&state, &names);
            }
            for result in results {
                if result.is_err() && outcome.is_ok() {
                    outcome = result;
                    self.end_early(&state, &names);
                }
            }
            Ok((state, outcome))
        })
    }

    fn spawn(
        &self,
        context: &Context<'_>,
        service: &Planned,
        held: &BTreeMap<String, Held>,
    ) -> anyhow::Result<Started> {
        (service.kind.prepare)(context, &service.name)?;
        let folder = self.cluster.folder;
        let known = self.cluster.state.service(&service.name).context("a service without state")?;
        let program = Program::of(service, context, &self.services_binary, held);
        let started = Spawn {
            program: &program.path,
            arguments: &program.arguments,
            environment: &program.environment,
            folder: folder.path(),
            log: &folder.log(&service.name),
            marker: &known.marker,
            lock: &service_lock(folder, &service.name)?,
            sockets: &program.sockets,
        }
        .spawn()?;
        fs_err::write(folder.pid_file(&service.name), format!("{}\n", started.identity.pid))?;
        for port in (service.kind.ports)(&service.name) {
            if let Some(held) = held.get(&port) {
                fs_err::write(folder.port_file(&port), format!("{}\n", held.number()))?;
            }
        }
        Ok(started)
    }

    fn wait_for(
        &self,
        name: &str,
        mut started: Started,
        tls: Arc<ClientConfig>,
        deadline: Instant,
    ) -> anyhow::Result<()> {
        let service = self.cluster.state.service(name).context("a service without state")?;
        let handle = PidFd::open_pid(started.identity.pid)?;
        let interrupt = Some(self.interrupt as &(dyn AsFd + Sync));
        let process = started.identity;
        let awaited = health::awaited(self.cluster, service, process, &handle, tls, deadline);
        let awaited = Awaited { interrupt, ..awaited? };
        let log = || log_tail::tail(&self.cluster.folder.log(name), LOG_LINES);
        match awaited.until_ready() {
            Ok(()) => Ok(()),
            Err(NotReady::Interrupted) => {
                self.interrupt.check()?;
                anyhow::bail!("{name}: the waiting was ended")
            }
            Err(NotReady::Exited) => {
                let status = started.child.wait()?;
                anyhow::bail!("{name} has ended ({status}) before it was ready; {}", log())
            }
            Err(NotReady::TimedOut(last)) => {
                let seconds = self.cluster.state.settings.start_timeout;
                anyhow::bail!("{name} was not ready within {seconds} s ({last}); {}", log())
            }
        }
    }

    fn register(&self) -> anyhow::Result<()> {
        reset::register(self.cluster, self.running)
    }

    /// Ends the services, so that nobody waits for them any more. What cannot be ended is reported
    /// by the roll-back, which tries again.
    fn end_early(&self, state: &State, names: &[&str]) {
        if let Err(error) = take_down::stop_services(self.cluster.folder, state, names) {
            say(&format!("{error:#}"));
        }
    }

    /// Ends what this call has started, and leaves the state as it was before.
    fn roll_back(&mut self, before: State, services: &[Planned]) -> anyhow::Result<()> {
        let folder = self.cluster.folder;
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        self.stop(&names)?;
        for service in services {
            take_down::remove_number_files(folder, service.kind, &service.name)?;
        }
        self.cluster.state = before;
        if self.cluster.state.services.is_empty() {
            State::remove(folder)?;
            return folder.clear();
        }
        self.cluster.state.save(folder)
    }

    fn stop(&self, names: &[&str]) -> anyhow::Result<()> {
        take_down::stop_services(self.cluster.folder, &self.cluster.state, names)
    }
}

/// The lock that a service's processes hold.
///
/// # Errors
/// When a process of an earlier start still holds it.
fn service_lock(folder: &StackFolder, service: &str) -> anyhow::Result<File> {
    let path = folder.service_lock(service);
    let mut options = fs_err::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(&path)?.into_parts().0;
    // Never unlocked by us: the lock ends with the last process that has inherited it.
    file.try_lock().with_context(|| {
        format!("{} is held: a process of an earlier start still runs", path.display())
    })?;
    Ok(file)
}
