//! The floor: a bare loop that spawns the same programs, and asks each until it answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::api_server::ApiServer;
use crate::lifecycle::program::{self, Program};
use crate::lifecycle::{Cluster, health};
use crate::plan::{self, Planned};
use crate::process::pidfd::PidFd;
use crate::process::spawn::{Spawn, Started};
use crate::readiness::Awaited;
use crate::services::Context;
use crate::settings::Settings;
use crate::stack::{Origin, StackFolder, State};
use crate::workspace::Workspace;
use crate::{certificate, stack};

/// How long the programs may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The time until all have answered, and the time until all have ended after SIGTERM.
///
/// # Errors
/// When a program does not start or answer.
pub(super) fn up_and_down(
    workspace: &Workspace,
    settings: &Settings,
    services_binary: &Path,
) -> anyhow::Result<(Duration, Duration)> {
    let folder =
        StackFolder::new(workspace, format!("bench-floor-{}", std::process::id()).parse()?);
    folder.create()?;
    let result = measure(workspace, settings, services_binary, &folder);
    fs_err::remove_dir_all(folder.path())?;
    result
}

fn measure(
    workspace: &Workspace,
    settings: &Settings,
    services_binary: &Path,
    folder: &StackFolder,
) -> anyhow::Result<(Duration, Duration)> {
    let services = plan::plan(settings, &[], &|name, check| workspace.look_up(name, check))?;
    let services: Vec<Planned> =
        services.into_iter().filter(|service| service.unavailable.is_none()).collect();
    let token = settings.fixtures().auth_token("admin")?;
    let state = State::new(settings.clone(), token, Origin::default());
    let mut cluster = Cluster::new(workspace, folder, state);
    let mut held = BTreeMap::new();
    for service in &services {
        held.extend(program::hold_ports(service, settings.host, &cluster.state.ports)?);
    }
    let numbers = held.iter().map(|(port, held)| (port.clone(), held.number()));
    cluster.state.ports.extend(numbers);
    certificate::create(folder, settings.host, None)?;
    fs_err::write(folder.blob_signing_key(), &settings.blob_signing_key)?;
    let mut context = cluster.context();
    context.held =
        held.iter().map(|(port, held)| (port.clone(), held.addresses().to_vec())).collect();
    for service in &services {
        service.definition.prepare(&context, &service.name, &service.provider)?;
    }
    let programs: Vec<(&Planned, Program<'_>)> = services
        .iter()
        .map(|service| Ok((service, Program::of(service, &context, services_binary, &held)?)))
        .collect::<anyhow::Result<_>>()?;
    for (path, text) in programs.iter().flat_map(|(_, program)| &program.launch.files) {
        fs_err::write(path, text)?;
    }

    let started_at = Instant::now();
    let mut started = Vec::new();
    let mut all_ready = || {
        for (service, program) in &programs {
            started.push((*service, spawn(&context, service, program)?));
        }
        wait_for_all(&cluster, &started)
    };
    let ready = all_ready();
    let up = started_at.elapsed();
    let ended_at = Instant::now();
    for (_, started) in &mut started {
        let handle = PidFd::open_pid(started.identity.pid)?;
        handle.signal(nix::sys::signal::Signal::SIGTERM)?;
    }
    for (_, started) in &mut started {
        started.child.wait()?;
    }
    ready?;
    Ok((up, ended_at.elapsed()))
}

fn spawn(
    context: &Context<'_>,
    service: &Planned,
    program: &Program<'_>,
) -> anyhow::Result<Started> {
    let folder = context.folder;
    let lock = fs_err::File::create(folder.service_lock(&service.name))?.into_parts().0;
    Spawn {
        program: &program.path,
        arguments: &program.launch.arguments,
        environment: &program.launch.environment,
        folder: &service.definition.working_folder(context, &service.provider),
        log: &folder.log(&service.name),
        marker: "bench",
        lock: &lock,
        sockets: &program.sockets,
    }
    .spawn()
}

fn wait_for_all(cluster: &Cluster<'_>, started: &[(&Planned, Started)]) -> anyhow::Result<()> {
    let tls = health::trusting(cluster.folder)?;
    let deadline = Instant::now() + PATIENCE;
    for (planned, started) in started {
        let service = stack::state::Service {
            process: Some(started.identity),
            ..stack::state::Service::planned(planned, cluster.folder)?
        };
        let handle = PidFd::open_pid(started.identity.pid)?;
        let tls = std::sync::Arc::clone(&tls);
        let asked = health::asked(cluster, &service, tls, 0)?;
        let awaited = Awaited { handle: &handle, asked, deadline, interrupt: None };
        awaited.until_ready().with_context(|| planned.name.clone())?;
    }
    Ok(())
}

/// One bare request for a reset, on a connection of its own.
///
/// # Errors
/// When the server refuses.
pub(super) fn reset(cluster: &Cluster<'_>) -> anyhow::Result<Duration> {
    let api = ApiServer::of_stack(&cluster.context())?;
    let started_at = Instant::now();
    api.reset_database()?;
    Ok(started_at.elapsed())
}
