//! The cluster's own variables: every name, and what it is in a stack.

use std::collections::BTreeMap;

use crate::commands::token;
use crate::lifecycle::Cluster;

/// A stack, as the variables see it.
struct Seen<'a> {
    cluster: &'a Cluster<'a>,
    token: String,
}

/// A value; `None` in a stack without the services that it speaks of.
type Value = fn(&Seen<'_>) -> Option<String>;

/// One list, from which both setting and unsetting follow.
const VARIABLES: &[(&str, Value)] = &[
    ("ARVADOS_API_HOST", |seen| seen.cluster.api_address()),
    ("ARVADOS_API_HOST_INSECURE", |_| Some("true".into())),
    ("ARVADOS_API_TOKEN", |seen| Some(seen.token.clone())),
    ("ARVADOS_TEST_API_HOST", |seen| seen.cluster.api_address()),
    ("ARVADOS_TEST_CA_CERT", |seen| Some(seen.cluster.folder.authority().display().to_string())),
    ("ARVADOS_TEST_GIT_SSL_URL", |seen| {
        seen.url("https", "arv-git-httpd-ssl", &["nginx", "arv-git-httpd"])
    }),
    ("ARVADOS_TEST_GIT_URL", |seen| seen.url("http", "arv-git-httpd", &["arv-git-httpd"])),
    ("ARVADOS_TEST_KEEPPROXY_SSL_URL", |seen| {
        seen.url("https", "keepproxy-ssl", &["nginx", "keepproxy"])
    }),
    ("ARVADOS_TEST_KEEPPROXY_URL", |seen| seen.url("http", "keepproxy", &["keepproxy"])),
    ("ARVADOS_TEST_PROXY_SERVICES", |_| Some("1".into())),
    ("XTASK_STACK", |seen| Some(seen.cluster.folder.name().to_string())),
];

/// All that may be set in a stack, whatever its services are.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|(name, _)| *name)
}

/// All that are set in this stack, with the fixture token of label `auth`.
///
/// # Errors
/// When the fixtures have no such token.
pub(super) fn values(
    cluster: &Cluster<'_>,
    auth: &str,
) -> anyhow::Result<BTreeMap<String, String>> {
    let token = match auth {
        "admin" => cluster.state.admin_token.clone(),
        label => token::of(&cluster.state.settings.fixtures(), label)?,
    };
    let seen = Seen { cluster, token };
    let values = VARIABLES.iter().map(|(name, value)| Some(((*name).to_owned(), value(&seen)?)));
    Ok(values.flatten().collect())
}

impl Seen<'_> {
    /// Where a client on this machine reaches a port, if all of these services are part of the
    /// stack.
    fn address(&self, port: &str, services: &[&str]) -> Option<String> {
        let state = &self.cluster.state;
        let known = state.ports.contains_key(port)
            && services.iter().all(|name| state.service(name).is_some());
        known.then(|| self.cluster.context().address(port))
    }

    fn url(&self, scheme: &str, port: &str, services: &[&str]) -> Option<String> {
        self.address(port, services).map(|address| format!("{scheme}://{address}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_documented_and_in_order() {
        let readme = include_str!("../../../README.md");
        for name in names().chain(crate::export::REROUTING) {
            assert!(readme.contains(&format!("`{name}`")), "{name}");
        }
        assert!(names().is_sorted());
    }
}
