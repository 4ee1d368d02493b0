//! The API server: started, reset and told of, or the parent's, which is only reset.

use anyhow::Context as _;

use super::session::Session;
use super::{environment, git, place};
use crate::api_server::ApiServer;
use crate::discovery_cache;
use crate::export;
use crate::lifecycle::Cluster;
use crate::output::print;
use crate::parent::{API_VARIABLE, ParentApi};

/// Starts an API server in place of the one that runs, and prints how to reach it: with the token of
/// the fixture `auth` for a shell to evaluate, or else `HOST:PORT` alone.
///
/// # Errors
/// When it does not come up, or cannot be reset.
pub(super) fn start(session: &Session<'_>, auth: Option<&str>) -> anyhow::Result<()> {
    // A wrong label is found before anything is started for it.
    let token = auth.map(|label| session.token(label)).transpose()?;
    let host = match parent()? {
        Some(api) => reset_parent(session, api)?,
        None => start_own(session)?,
    };
    let Some(token) = token else { return print(&format!("{host}\n")) };
    let lines = [
        ("ARVADOS_API_TOKEN", token.as_str()),
        ("ARVADOS_API_HOST", &host),
        ("ARVADOS_API_HOST_INSECURE", "true"),
    ];
    print(&export::for_a_shell(&lines)?)
}

/// Ends it, unless there is a parent, whose it could be.
///
/// # Errors
/// When it cannot be ended.
pub(super) fn stop(session: &Session<'_>) -> anyhow::Result<()> {
    match parent()? {
        Some(_) => Ok(()),
        None => session.stop(&["api"]),
    }
}

/// Resets the parent's API server, or the one that the caller names, or the stack's own.
///
/// # Errors
/// When there is none, or it refuses or cannot be reached.
pub(super) fn reset(session: &Session<'_>) -> anyhow::Result<()> {
    if let Some(api) = parent()? {
        return reset_parent(session, api).map(drop);
    }
    let mut cluster = session.as_it_is()?;
    environment::use_any_api(&mut cluster)?;
    let reset = ApiServer::of_stack(&cluster.context())?.reset_database();
    reset.with_context(environment::is_of_no_use)
}

fn parent() -> anyhow::Result<Option<ParentApi>> {
    Ok(ParentApi::in_environment(API_VARIABLE)?)
}

/// It may well be the stack's own: then a parent process has started that by this very command.
fn reset_parent(session: &Session<'_>, api: ParentApi) -> anyhow::Result<String> {
    let host = api.host.clone();
    let mut cluster = session.as_it_is()?;
    environment::use_api(&mut cluster, api);
    let reset = ApiServer::of_stack(&cluster.context()).and_then(|api| api.reset_database());
    reset.with_context(|| format!("the parent's API server at {host} could not be reset"))?;
    Ok(host)
}

fn start_own(session: &Session<'_>) -> anyhow::Result<String> {
    session.stop(&["api"])?;
    git::unpack(&session.place)?;
    let mut cluster = session.cluster()?;
    cluster.state.parent.api = None;
    let names = ["api".to_owned()];
    session.start(&mut cluster, &names)?;
    let usable = show_certificate(session, &cluster)
        .and_then(|()| ApiServer::of_stack(&cluster.context())?.reset_database());
    usable.inspect_err(|_| session.take_back(&names))?;
    let host = cluster.context().address("api");
    discovery_cache::forget(&host);
    Ok(host)
}

/// Where clients and other servers of the checkout look for it.
fn show_certificate(session: &Session<'_>, cluster: &Cluster<'_>) -> anyhow::Result<()> {
    let Some([certificate, key]) = session.place.certificate() else { return Ok(()) };
    let folder = cluster.folder;
    place::write(&certificate, &fs_err::read_to_string(folder.certificate())?, 0o644)?;
    place::write(&key, &fs_err::read_to_string(folder.private_key())?, 0o600)
}
