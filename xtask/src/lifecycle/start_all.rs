//! Everything at once, since all ports are known before anything runs: the data of all services is
//! prepared, they are spawned one after the other, which takes less time than forking at once, and
//! awaited all together.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Instant;

use anyhow::Context as _;

use super::program::Program;
use super::wait::Wait;
use super::{Cluster, health, joined, reset, take_down};
use crate::output::say;
use crate::plan::Planned;
use crate::ports::Held;
use crate::process::identity::Identity;
use crate::process::spawn::Spawn;
use crate::services::Context;
use crate::settings::Provider;
use crate::signals::Interrupt;
use crate::stack::state::Service;
use crate::stack::{StackFolder, State};

/// What is needed for that.
pub(super) struct StartAll<'a> {
    pub(super) cluster: &'a Cluster<'a>,
    pub(super) services_binary: &'a Path,
    /// All services that will be up then, whether they are started now or ran already.
    pub(super) running: &'a [String],
    pub(super) keep_data: bool,
    pub(super) interrupt: &'a Interrupt,
    pub(super) services: &'a [Planned],
    pub(super) held: &'a BTreeMap<String, Held>,
}

/// The data of services while it is prepared, by their names.
type Preparing<'scope> = BTreeMap<String, ScopedJoinHandle<'scope, anyhow::Result<()>>>;

/// What became of one that was waited for: the service that is ready, or nothing more than that the
/// keep services are registered.
type Done = Option<Ready>;

/// A service that answers.
struct Ready {
    service: String,
    /// The daemon that it became.
    daemon: Option<Identity>,
    since: Instant,
}

/// When a service was spawned, and when it answered.
#[derive(Clone, Debug)]
pub(crate) struct Starting {
    pub(crate) service: String,
    pub(crate) spawned: Instant,
    pub(crate) ready: Option<Instant>,
}

/// How far we are.
struct Progress {
    state: State,
    /// In the order in which they were spawned.
    starting: Vec<Starting>,
    outcome: anyhow::Result<()>,
    /// Whether those that had been spawned by then have been ended because of a failure.
    ended_early: bool,
    /// Whether the API server lists the keep services.
    registered: bool,
    /// How many threads have yet to tell what became of theirs.
    awaited: usize,
}

impl StartAll<'_> {
    /// The state that comes back names the processes, whatever the outcome is. The first failure
    /// ends the waiting for the others, by ending the others.
    ///
    /// # Errors
    /// When nothing could even be tried.
    pub(super) fn run(&self) -> anyhow::Result<(State, anyhow::Result<Vec<Starting>>)> {
        let tls = health::trusting(self.cluster.folder)?;
        let mut context = self.cluster.context();
        let held = self.held.iter();
        context.held = held.map(|(port, held)| (port.clone(), held.addresses().to_vec())).collect();
        let mut progress = Progress::new(self.cluster.state.clone());
        std::thread::scope(|scope| {
            let mut preparing = self.prepare(scope, &context);
            let (sender, results) = mpsc::channel();
            // The receiver lives as long as the scope, here and below.
            if !self.services.iter().any(|service| service.name == reset::API) {
                progress.awaited += 1;
                let sender = sender.clone();
                scope.spawn(move || sender.send(self.register().map(|()| None)));
            }
            loop {
                self.spawn_possible(&context, &mut preparing, &mut progress, &|wait| {
                    let (sender, tls) = (sender.clone(), Arc::clone(&tls));
                    scope.spawn(move || sender.send(self.wait_for(wait, &tls)));
                });
                self.end_early_if_failed(&mut progress);
                if progress.awaited == 0 {
                    break;
                }
                let Ok(result) = results.recv() else { break };
                progress.note(result);
            }
        });
        // Where a service is a daemon now, that is the process which later commands look for.
        if progress.state.services.iter().any(|service| service.daemon.is_some()) {
            progress.fail_if(progress.state.save(self.cluster.folder));
        }
        let starting = progress.starting;
        Ok((progress.state, progress.outcome.map(|()| starting)))
    }

    /// Each by a thread: repositories take longer than all that is spawned before they are needed.
    fn prepare<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        context: &'scope Context<'_>,
    ) -> Preparing<'scope> {
        if self.keep_data {
            return Preparing::new();
        }
        let prepare = |service: &'scope Planned| {
            let (definition, name) = (&service.definition, &service.name);
            let preparing =
                scope.spawn(move || definition.prepare(context, name, &service.provider));
            (name.clone(), preparing)
        };
        self.services.iter().map(prepare).collect()
    }

    /// Spawns what has not been, and whose needs are met, and has it awaited at once: one may be ready
    /// before the last is spawned. A failure is noted.
    fn spawn_possible(
        &self,
        context: &Context<'_>,
        preparing: &mut Preparing<'_>,
        progress: &mut Progress,
        have_awaited: &dyn Fn(Wait),
    ) {
        if progress.outcome.is_err() {
            return;
        }
        let is_ready = |name: &String| progress.is_ready(name);
        let unmet = |service: &Planned, need: &String| {
            let others = self.services.iter().filter(|other| other.definition.name() == need);
            let all_ready = progress.registered && others.map(|it| &it.name).all(is_ready);
            service.definition.waits_for_needs(&service.provider) && !all_ready
        };
        let possible = self.services.iter().filter(|service| {
            let is_spawned = progress.starting.iter().any(|it| it.service == service.name);
            !is_spawned && !service.definition.needs().iter().any(|need| unmet(service, need))
        });
        let mut possible: Vec<&Planned> = possible.collect();
        if possible.is_empty() {
            return;
        }
        // What takes longest to be ready first: the API server, with which keep services are registered
        // then, and real programs.
        possible.sort_by_key(|service| {
            (service.name != reset::API, service.provider == Provider::Embedded)
        });
        let spawned = possible.into_iter().try_for_each(|service| {
            let prepared = preparing.remove(&service.name).map_or(Ok(()), joined);
            let wait = prepared.and_then(|()| self.spawn(context, service, progress));
            let wait = wait.with_context(|| service.name.clone())?;
            progress.awaited += 1;
            have_awaited(wait);
            Ok(())
        });
        progress.fail_if(spawned.and_then(|()| progress.state.save(self.cluster.folder)));
    }

    fn spawn(
        &self,
        context: &Context<'_>,
        service: &Planned,
        progress: &mut Progress,
    ) -> anyhow::Result<Wait> {
        let (folder, name) = (self.cluster.folder, &service.name);
        let program = Program::of(service, context, self.services_binary, self.held)?;
        for (path, text) in &program.launch.files {
            write_whole(path, text)?;
        }
        let known = progress.state.services.iter_mut().find(|known| known.name == *name);
        let known = known.context("a service without state")?;
        let logged = std::fs::metadata(folder.log(name)).map_or(0, |log| log.len());
        let started = Spawn {
            program: &program.path,
            arguments: &program.launch.arguments,
            environment: &program.launch.environment,
            folder: &service.definition.working_folder(context, &service.provider),
            log: &folder.log(name),
            marker: &known.marker,
            lock: &service_lock(folder, name)?,
            sockets: &program.sockets,
        }
        .spawn()?;
        known.process = Some(started.identity);
        known.stop = program.launch.stop;
        let (service_name, spawned) = (name.clone(), Instant::now());
        progress.starting.push(Starting { service: service_name, spawned, ready: None });
        let wait = Wait { service: known.clone(), started, logged };
        self.write_number_files(service, &wait)?;
        Ok(wait)
    }

    /// For scripts.
    fn write_number_files(&self, service: &Planned, wait: &Wait) -> anyhow::Result<()> {
        let folder = self.cluster.folder;
        let pid = wait.started.identity.pid;
        fs_err::write(folder.pid_file(&service.name), format!("{pid}\n"))?;
        for port in service.definition.ports(&service.name) {
            if let Some(held) = self.held.get(&port) {
                fs_err::write(folder.port_file(&port), format!("{}\n", held.number()))?;
            }
        }
        Ok(())
    }

    /// The keep services are registered as soon as the API server answers.
    fn wait_for(&self, wait: Wait, tls: &Arc<rustls::ClientConfig>) -> anyhow::Result<Done> {
        let service = wait.service.clone();
        let daemon = wait.until_ready(self.cluster, self.interrupt, tls)?;
        if service.name == reset::API {
            self.load_fixtures(&service)?;
            self.register()?;
        }
        Ok(Some(Ready { service: service.name, daemon, since: Instant::now() }))
    }

    /// A real API server has whatever it had when it ended.
    fn load_fixtures(&self, service: &Service) -> anyhow::Result<()> {
        let definition = self.cluster.definition(service)?;
        if self.keep_data || !definition.keeps_its_data(&service.provider) {
            return Ok(());
        }
        let reset = definition.reset(&self.cluster.context(), &service.name);
        reset.context("the fixtures could not be loaded")
    }

    fn register(&self) -> anyhow::Result<()> {
        reset::register(self.cluster, self.running)
    }

    /// Ends the services, so that nobody waits for them any more. What cannot be ended is reported
    /// by the roll-back, which tries again.
    fn end_early_if_failed(&self, progress: &mut Progress) {
        if progress.outcome.is_ok() || progress.ended_early {
            return;
        }
        progress.ended_early = true;
        let names: Vec<&str> = progress.starting.iter().map(|it| it.service.as_str()).collect();
        if let Err(error) = take_down::stop_services(self.cluster.folder, &progress.state, &names) {
            say(&format!("{error:#}"));
        }
        // A request of ours may wait where nobody will accept it.
        self.held.values().for_each(Held::refuse_connections);
    }
}

impl Progress {
    fn new(state: State) -> Self {
        let starting = Vec::new();
        let (ended_early, registered, awaited) = Default::default();
        Self { state, starting, outcome: Ok(()), ended_early, registered, awaited }
    }

    fn is_ready(&self, name: &str) -> bool {
        self.starting.iter().any(|it| it.service == name && it.ready.is_some())
    }

    /// Only the first failure is kept: others follow from it.
    fn fail_if(&mut self, result: anyhow::Result<()>) {
        if self.outcome.is_ok() {
            self.outcome = result;
        }
    }

    fn note(&mut self, result: anyhow::Result<Done>) {
        self.awaited -= 1;
        let done = match result {
            Ok(done) => done,
            Err(error) => return self.fail_if(Err(error)),
        };
        let Some(Ready { service: name, daemon, since }) = done else {
            self.registered = true;
            return;
        };
        self.registered |= name == reset::API;
        let known = self.state.services.iter_mut().find(|service| service.name == name);
        if let Some(known) = known {
            known.daemon = daemon;
        }
        if let Some(starting) = self.starting.iter_mut().find(|it| it.service == name) {
            starting.ready = Some(since);
        }
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

/// Writes a file so that a reader sees the old one or the new one, and never a part: services that
/// start together may share it.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let folder = path.parent().context("a file lies in a folder")?;
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}
