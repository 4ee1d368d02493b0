//! Keepproxy, the git service, and the TLS front of both.

use anyhow::Context as _;

use super::session::Session;
use super::{environment, place};
use crate::api_server::ApiServer;
use crate::registration;
use crate::services::nginx;

/// Starts keepproxy in place of the one that runs, and makes the API server know it as the only
/// proxy.
///
/// # Errors
/// When it does not come up, or the API server cannot be told: then it does not run.
pub(super) fn start_keep_proxy(session: &Session<'_>) -> anyhow::Result<()> {
    let names = ["keepproxy".to_owned()];
    session.stop(&["keepproxy"])?;
    let mut cluster = session.cluster()?;
    environment::use_named_api(&mut cluster)?;
    session.start(&mut cluster, &names)?;
    let register = || {
        let api = ApiServer::of_stack(&cluster.context())?;
        registration::forget_proxies(&api).with_context(environment::is_of_no_use)?;
        registration::add(&api, &cluster.context(), &names)
    };
    register().inspect_err(|_| session.take_back(&names))
}

/// Starts the git service in place of the one that runs: on the repositories that `start` has
/// unpacked in a checkout of Arvados, or else on those of the fixtures.
///
/// # Errors
/// When it does not come up.
pub(super) fn start_arv_git_httpd(session: &Session<'_>) -> anyhow::Result<()> {
    session.stop(&["arv-git-httpd"])?;
    let mut cluster = session.cluster()?;
    environment::use_any_api(&mut cluster)?;
    cluster.state.settings.repositories = session.place.repositories();
    session.start(&mut cluster, &["arv-git-httpd".to_owned()])
}

/// Starts the front in place of the one that runs, before whatever the port files of the other two
/// say; where there is none, a request finds nobody.
///
/// # Errors
/// When it does not come up.
pub(super) fn start_nginx(session: &Session<'_>) -> anyhow::Result<()> {
    stop_nginx(session)?;
    let mut cluster = session.cluster()?;
    for service in ["keepproxy", "arv-git-httpd"] {
        let text = std::fs::read_to_string(session.place.port_file(service)).unwrap_or_default();
        match text.trim().parse() {
            Ok(number) => drop(cluster.state.ports.insert(service.to_owned(), number)),
            Err(_) => drop(cluster.state.ports.remove(service)),
        }
    }
    let names = ["nginx".to_owned()];
    session.start(&mut cluster, &names)?;
    let configuration = nginx::configuration(&cluster.context());
    place::write(&session.place.nginx_conf(), &configuration, 0o644)
        .inspect_err(|_| session.take_back(&names))
}

/// Ends the front.
///
/// # Errors
/// When it cannot be ended, or a file not be removed.
pub(super) fn stop_nginx(session: &Session<'_>) -> anyhow::Result<()> {
    session.stop(&["nginx"])?;
    place::remove([session.place.nginx_conf()])
}
