//! Whether the services of a stack run and answer.

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;

use super::{Cluster, kind};
use crate::process::identity::Identity;
use crate::process::pidfd::PidFd;
use crate::readiness::{Awaited, NotReady};
use crate::settings::Provider;
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
    let services = &cluster.state.services;
    if !services.iter().any(Service::is_alive) {
        return Ok(vec![Health::Ended; services.len()]);
    }
    let tls = trusting(cluster.folder)?;
    let deadline = Instant::now() + PATIENCE;
    std::thread::scope(|scope| {
        let ask = |service| {
            let tls = Arc::clone(&tls);
            scope.spawn(move || check_one(cluster, service, tls, deadline))
        };
        let threads: Vec<_> = services.iter().map(ask).collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?);
        joined.collect()
    })
}

fn check_one(
    cluster: &Cluster<'_>,
    service: &Service,
    tls: Arc<ClientConfig>,
    deadline: Instant,
) -> anyhow::Result<Health> {
    let Some(process) = service.process else { return Ok(Health::Ended) };
    let Some(handle) = PidFd::open(process)? else { return Ok(Health::Ended) };
    let answer = awaited(cluster, service, process, &handle, tls, deadline)?.until_ready();
    Ok(match answer {
        Ok(()) => Health::Ready,
        Err(NotReady::Exited) => Health::Ended,
        Err(NotReady::TimedOut(_) | NotReady::Interrupted) => Health::Hanging,
    })
}

/// How the service's answer is waited for.
///
/// # Errors
/// When the state does not fit this program.
pub(crate) fn awaited<'a>(
    cluster: &Cluster<'_>,
    service: &Service,
    process: Identity,
    handle: &'a PidFd,
    tls: Arc<ClientConfig>,
    deadline: Instant,
) -> anyhow::Result<Awaited<'a>> {
    let context = cluster.context();
    let probe = (kind(&service.kind)?.launch)(&context, &service.name).probe;
    let address = context.address(&probe.port);
    let address = address.to_socket_addrs()?.next().context("a port without address")?;
    Ok(Awaited {
        process,
        handle,
        address,
        question: probe.question,
        tls,
        listens_itself: matches!(service.provider, Provider::Path(_)),
        deadline,
        interrupt: None,
    })
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
