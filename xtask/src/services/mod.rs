//! The kinds of service that a cluster is made of, a file each.
//!
//! A new kind is a new file and a line in [`KINDS`]: everything else asks its [`Kind`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::settings::Settings;
use crate::stack::StackFolder;
use crate::workspace::Workspace;

mod api;
mod arv_git_httpd;
mod keepproxy;
mod keepstore;
mod nginx;

/// All kinds, in the order in which they are shown.
pub(crate) const KINDS: &[&Kind] =
    &[&api::KIND, &keepstore::KIND, &keepproxy::KIND, &arv_git_httpd::KIND, &nginx::KIND];

/// The keepstores of a stack, for whoever registers them.
pub(crate) use keepstore::instances as keepstores;

/// What there is to know of a kind of service.
#[derive(Debug)]
pub(crate) struct Kind {
    /// As users and services.yml call it.
    pub(crate) name: &'static str,
    /// The names of its services in a stack: mostly one, which has the kind's own name.
    pub(crate) instances: fn(&Settings) -> Vec<String>,
    /// The names of the ports of such a service.
    pub(crate) ports: fn(&str) -> Vec<String>,
    /// Kinds without which it is of no use.
    pub(crate) needs: &'static [&'static str],
    /// The real program, where that can play the service.
    pub(crate) real_program: Option<&'static str>,
    /// A program that it cannot do without, whoever plays it.
    pub(crate) requires: Option<&'static str>,
    /// How such a service is started.
    pub(crate) launch: fn(&Context<'_>, &str) -> Launch,
    /// Makes its data as in the fixtures, before it is started.
    pub(crate) prepare: fn(&Context<'_>, &str) -> anyhow::Result<()>,
    /// Puts its data back to the fixtures while it runs.
    pub(crate) reset: fn(&Context<'_>, &str) -> anyhow::Result<()>,
}

/// What a kind may know of the stack.
pub(crate) struct Context<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) folder: &'a StackFolder,
    pub(crate) settings: &'a Settings,
    /// Port numbers by name, as text: a plan that is only shown has none yet.
    pub(crate) ports: BTreeMap<String, String>,
    /// The token with which services and we ourselves ask the API server.
    pub(crate) admin_token: &'a str,
    /// Where `git` is, for those that require it.
    pub(crate) git: Option<PathBuf>,
}

impl Context<'_> {
    /// The number of a port, or, where the stack has no such service, that of the discard
    /// service, on which nothing listens.
    fn port(&self, name: &str) -> &str {
        self.ports.get(name).map_or("9", String::as_str)
    }

    /// `HOST:PORT` at which our own processes reach a port.
    pub(crate) fn address(&self, port: &str) -> String {
        let host = client_host(self.settings.host);
        let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
        format!("{host}:{}", self.port(port))
    }
}

/// The address at which a client on this machine reaches what listens on `host`.
pub(crate) fn client_host(host: std::net::IpAddr) -> std::net::IpAddr {
    match host {
        std::net::IpAddr::V4(v4) if v4.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(v6) if v6.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

/// How a service is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    /// The subcommand of our own binary.
    pub(crate) subcommand: &'static str,
    /// Flags that the real program takes too.
    pub(crate) flags: Vec<String>,
    /// Flags of the embedded one only.
    pub(crate) embedded_flags: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Its sockets: the name that the embedded one knows, and the name of the port.
    pub(crate) sockets: Vec<(&'static str, String)>,
    pub(crate) probe: Probe,
}

/// What a service must answer before it counts as ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// The port's name.
    pub(crate) port: String,
    pub(crate) question: Question,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// `GET /`; any HTTP answer will do.
    Http,
    /// The same over TLS.
    Https,
    /// A TLS handshake: enough for a service that would only pass a request on.
    TlsHandshake,
}

/// The variables by which a service finds the API server.
fn api_environment(context: &Context<'_>) -> Vec<(String, String)> {
    let authority = context.folder.authority().display().to_string();
    vec![
        ("ARVADOS_API_HOST".into(), context.address("api")),
        // The real programs of 2015 trust only the machine's own authorities.
        ("ARVADOS_API_HOST_INSECURE".into(), "true".into()),
        ("SSL_CERT_FILE".into(), authority),
    ]
}

/// `-name=value`, as Go's flag package has it.
fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("-{name}={value}")
}

/// For kinds that have nothing to prepare or to reset.
fn nothing(_: &Context<'_>, _: &str) -> anyhow::Result<()> {
    Ok(())
}

/// For kinds of which a stack has one, with the kind's own name as its port's.
fn single_port(service: &str) -> Vec<String> {
    vec![service.to_owned()]
}
