//! Whether the services of a stack run and answer.

use std::net::ToSocketAddrs;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;

use super::{Cluster, joined};
use crate::process::pidfd::PidFd;
use crate::readiness::{Asked, Awaited, Exec, Listener, Log, NotReady, Port};
use crate::services::launch::Probe;
use crate::signals::Interrupt;
use crate::stack::StackFolder;
use crate::stack::state::Service;

/// How long a running service may take to answer before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is found of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Health {
    /// It runs and answers.
    Ready,
    /// It runs, but does not answer.
    Hanging,
    /// It has ended.
    Ended,
}

/// The health of each service of the stack, in its order. All are asked at once.
///
/// # Errors
/// When the stack's own files cannot be read.
pub(crate) fn check(cluster: &Cluster<'_>) -> anyhow::Result<Vec<Health>> {
    check_until(cluster, None)
}

/// As [`check`]; after an interrupt, what has not answered yet counts as hanging.
///
/// # Errors
/// When the stack's own files cannot be read.
pub(crate) fn check_until(
    cluster: &Cluster<'_>,
    interrupt: Option<&Interrupt>,
) -> anyhow::Result<Vec<Health>> {
    let services = &cluster.state.services;
    if !services.iter().any(Service::is_alive) {
        return Ok(vec![Health::Ended; services.len()]);
    }
    let tls = trusting(cluster.folder)?;
    let deadline = Instant::now() + PATIENCE;
    std::thread::scope(|scope| {
        let ask = |service| {
            let tls = Arc::clone(&tls);
            scope.spawn(move || check_one(cluster, service, tls, deadline, interrupt))
        };
        let threads: Vec<_> = services.iter().map(ask).collect();
        threads.into_iter().map(joined).collect()
    })
}

fn check_one(
    cluster: &Cluster<'_>,
    service: &Service,
    tls: Arc<ClientConfig>,
    deadline: Instant,
    interrupt: Option<&Interrupt>,
) -> anyhow::Result<Health> {
    let Some(process) = service.main_process() else { return Ok(Health::Ended) };
    let Some(handle) = PidFd::open(process)? else { return Ok(Health::Ended) };
    let asked = match asked(cluster, service, tls, 0)? {
        // What it has logged once says nothing of how it is now.
        Asked::Log(_) => Asked::Alive,
        asked => asked,
    };
    let interrupt = interrupt.map(|interrupt| interrupt as &(dyn AsFd + Sync));
    let awaited = Awaited { handle: &handle, asked, deadline, interrupt };
    Ok(match awaited.until_ready() {
        Ok(()) => Health::Ready,
        Err(NotReady::Exited) => Health::Ended,
        Err(NotReady::TimedOut(_) | NotReady::Interrupted) => Health::Hanging,
    })
}

/// How a service shows that it is ready; of its log only what is behind the first `logged` bytes
/// counts.
///
/// # Errors
/// When the state does not fit this program.
pub(crate) fn asked<'a>(
    cluster: &Cluster<'a>,
    service: &Service,
    tls: Arc<ClientConfig>,
    logged: u64,
) -> anyhow::Result<Asked<'a>> {
    let context = cluster.context();
    let definition = cluster.definition(service)?;
    let probe = definition.launch(&context, &service.name, &service.provider)?.probe;
    Ok(match probe {
        Probe::Alive => Asked::Alive,
        Probe::Exec(task) => Asked::Exec(Exec(task)),
        Probe::Log(text) => {
            Asked::Log(Log { path: cluster.folder.log(&service.name), from: logged, text })
        }
        Probe::Port(port, question) => {
            let address = context.address(&port);
            let address = address.to_socket_addrs()?.next().context("a port without address")?;
            let inherits = definition.inherits_sockets(&service.provider);
            let listener = (!inherits).then(|| listener(cluster, service));
            Asked::Port(Port { address, question, tls, listener })
        }
    })
}

/// Whether a service has said where it can be reached, as it should once it is in the background, and
/// what is wrong with what it said; of its log only what is behind the first `logged` bytes counts.
///
/// # Errors
/// When the log cannot be read, or the state does not fit this program.
pub(crate) fn endpoint(
    cluster: &Cluster<'_>,
    service: &Service,
    logged: u64,
) -> anyhow::Result<Result<(), String>> {
    let launch = cluster.definition(service)?.launch(
        &cluster.context(),
        &service.name,
        &service.provider,
    )?;
    let Some(endpoint) = launch.endpoint else { return Ok(Ok(())) };
    let path = cluster.folder.log(&service.name);
    let log = Log { path, from: logged, text: String::new() };
    Ok(endpoint.check(&log.read()?))
}

/// The processes of a service that opens its sockets itself.
pub(crate) fn listener<'a>(cluster: &Cluster<'a>, service: &Service) -> Listener<'a> {
    let signs = service.signs(cluster.folder);
    Listener { signs, home: cluster.folder.path(), since: cluster.state.origin.since }
}

/// A TLS client that trusts the stack's own authority.
///
/// # Errors
/// When the certificate cannot be read.
pub(crate) fn trusting(folder: &StackFolder) -> anyhow::Result<Arc<ClientConfig>> {
    let path = folder.authority();
    let certificate = CertificateDer::from_pem_file(&path).with_context(|| {
        format!("no certificate in {}: take the stack down and up for a new one", path.display())
    })?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
