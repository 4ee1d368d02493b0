//! The variables of the caller, by which one action finds what another has started.

use anyhow::Context as _;

use crate::lifecycle::Cluster;
use crate::parent::{Parent, ParentApi};

/// Where clients find the API server.
const HOST: &str = "ARVADOS_API_HOST";

/// The token of the caller.
///
/// # Errors
/// Says how to come by one.
pub(super) fn token() -> anyhow::Result<String> {
    let token = std::env::var("ARVADOS_API_TOKEN").ok().filter(|token| !token.is_empty());
    token.with_context(|| is_not_set("ARVADOS_API_TOKEN"))
}

/// Makes the stack use the API server that the caller names.
///
/// # Errors
/// Says how to come by one, or what is wrong with the one that is named.
pub(super) fn use_named_api(cluster: &mut Cluster<'_>) -> anyhow::Result<()> {
    let api = ParentApi::in_environment(HOST)?.with_context(|| is_not_set(HOST))?;
    use_api(cluster, api);
    Ok(())
}

/// The same where another will do: the stack's own.
///
/// # Errors
/// When there is none, or something is wrong with the one that is named.
pub(super) fn use_any_api(cluster: &mut Cluster<'_>) -> anyhow::Result<()> {
    match ParentApi::in_environment(HOST)? {
        Some(api) => use_api(cluster, api),
        None => anyhow::ensure!(cluster.api_address().is_some(), is_not_set(HOST)),
    }
    Ok(())
}

/// The stack's own API server is no parent's.
pub(super) fn use_api(cluster: &mut Cluster<'_>, api: ParentApi) {
    cluster.state.parent = Parent::default();
    let is_own = cluster.api_address().is_some_and(|own| api.is_at(&own));
    if !is_own {
        cluster.state.parent.api = Some(api);
    }
}

/// What to do when the API server that the caller names does not do as it is asked: it has ended, or
/// knows nothing of the token.
pub(super) fn is_of_no_use() -> String {
    let evaluate = "evaluate what `run-test-server start --auth admin` prints";
    format!("the API server that {HOST} names is of no use; {evaluate}")
}

fn is_not_set(name: &str) -> String {
    format!("{name} is not set: evaluate what `run-test-server start --auth admin` prints")
}
