//! Putting a running stack back to its state just after `up`.

use anyhow::Context as _;

use super::health::Health;
use super::{Cluster, health, joined};
use crate::api_server::ApiServer;
use crate::parent::ParentApi;
use crate::registration;

/// The service with which the keep services are registered.
pub(crate) const API: &str = "api";

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
            joined(thread)?;
        }
        Ok(())
    })
}

/// Puts the database of a parent's API server back to the fixtures, where that one is used.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub(crate) fn reset_parent(cluster: &Cluster<'_>) -> anyhow::Result<()> {
    match &cluster.state.parent.api {
        Some(api) => reset_database_of(api, &cluster.state.admin_token),
        None => Ok(()),
    }
}

/// Puts the database of an API server that is not ours back to its fixtures.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub(crate) fn reset_database_of(api: &ParentApi, admin_token: &str) -> anyhow::Result<()> {
    let reset = ApiServer::of_parent(api, admin_token).and_then(|server| server.reset_database());
    reset.with_context(|| format!("the parent's API server at {} could not be reset", api.host))
}

/// Registers the keep services among `running` with the API server, if there is one.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub(crate) fn register(cluster: &Cluster<'_>, running: &[String]) -> anyhow::Result<()> {
    let is_there = running.iter().any(|name| name == API) || cluster.state.parent.api.is_some();
    if !is_there {
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
    reset_parent(cluster)?;
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
