//! Putting a running stack back to its state just after `up`.

use anyhow::Context as _;

use super::health::Health;
use super::{Cluster, health};
use crate::registration;

/// The service with which the keep services are registered.
pub(super) const API: &str = "api";

/// Resets the data of the services of those names: the database to the fixtures, volumes empty,
/// repositories as in the fixtures.
///
/// # Errors
/// When one of them does not do it; every answer on the way is checked.
pub(crate) fn reset_data(cluster: &Cluster<'_>, names: &[String]) -> anyhow::Result<()> {
    let context = cluster.context();
    let context = &context;
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        let named = cluster.state.services.iter().filter(|service| names.contains(&service.name));
        for service in named {
            let definition = cluster.definition(service)?;
            let reset = move || {
                definition
                    .reset(context, &service.name)
                    .with_context(|| format!("{} could not be reset", service.name))
            };
            threads.push(scope.spawn(reset));
        }
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        }
        Ok(())
    })
}

/// Registers the keep services among `running` with the API server, if that runs.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub(crate) fn register(cluster: &Cluster<'_>, running: &[String]) -> anyhow::Result<()> {
    if !running.iter().any(|name| name == API) {
        return Ok(());
    }
    registration::register(&cluster.context(), running)
        .context("the keep services could not be registered")
}

/// Resets a stack that is up as a whole.
///
/// # Errors
/// Names the services that do not run.
pub(crate) fn reset_all(cluster: &Cluster<'_>) -> anyhow::Result<()> {
    let services = &cluster.state.services;
    let ended: Vec<&str> = services
        .iter()
        .filter(|service| !service.is_alive())
        .map(|service| service.name.as_str())
        .collect();
    anyhow::ensure!(
        ended.is_empty(),
        "{} of stack {} ended by itself; `cargo xtask services up` starts it again",
        ended.join(", "),
        cluster.folder.name(),
    );
    let names = cluster.service_names();
    reset_data(cluster, &names)?;
    register(cluster, &names)
}

/// The names of the services that are ready, of a stack that may be up only partly.
///
/// # Errors
/// As [`health::check`].
pub(crate) fn ready(cluster: &Cluster<'_>) -> anyhow::Result<Vec<String>> {
    let healths = health::check(cluster)?;
    let services = cluster.state.services.iter().zip(healths);
    let ready = services.filter(|(_, health)| *health == Health::Ready);
    Ok(ready.map(|(service, _)| service.name.clone()).collect())
}
