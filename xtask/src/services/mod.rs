//! The services that a cluster is made of: the kinds that we know, a file each, and those that
//! services.yml declares.
//!
//! A new kind is a new file and a line in [`KINDS`]: everything else asks its [`Definition`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::parent::Parent;
use crate::settings::Settings;
use crate::stack::StackFolder;
use crate::workspace::Workspace;

mod api;
mod api_front;
mod arv_git_httpd;
mod definition;
pub(crate) mod extra;
mod keepproxy;
mod keepstore;
pub(crate) mod launch;
pub(crate) mod nginx;
pub(crate) mod passenger;
mod tokens;
mod words;

pub(crate) use definition::{Definition, definitions};
use launch::{Launch, Probe, Question, Sockets, flag};
pub(crate) use tokens::Tokens;

/// All kinds that have a provider, in the order in which they are shown.
pub(crate) const KINDS: &[&Kind] =
    &[&api::KIND, &keepstore::KIND, &keepproxy::KIND, &arv_git_httpd::KIND, &nginx::KIND];

/// The kinds that a stack with these settings has: an API server without TLS has a front.
pub(crate) fn kinds(settings: &Settings) -> Vec<&'static Kind> {
    let behind_a_front = settings.api_is_behind_a_front();
    let of = |kind: &&'static Kind| match kind.name {
        "api" if behind_a_front => vec![&api::BEHIND_A_FRONT, &api_front::KIND],
        _ => vec![*kind],
    };
    KINDS.iter().flat_map(of).collect()
}

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
    /// A program that it cannot do without, whoever plays it.
    pub(crate) requires: Option<&'static str>,
    /// How our own program is started.
    pub(crate) embedded: fn(&Context<'_>, &str) -> Launch,
    /// The real program, where that can play the service.
    pub(crate) real: Option<Real>,
    /// Makes its data as in the fixtures, before it is started.
    pub(crate) prepare: fn(&Context<'_>, &str) -> anyhow::Result<()>,
    /// Puts its data back to the fixtures while it runs.
    pub(crate) reset: fn(&Context<'_>, &str) -> anyhow::Result<()>,
}

/// The real program of a kind.
#[derive(Debug)]
pub(crate) struct Real {
    /// As it is called on PATH.
    pub(crate) program: &'static str,
    /// Whether the program that is installed will do.
    pub(crate) check: Check,
    /// Whether it takes its listening sockets from us, and not only the numbers of their ports.
    pub(crate) inherits_sockets: bool,
    /// Whether it looks only once for what it needs: then that has to be ready, and registered with
    /// the API server, before it is started.
    pub(crate) starts_last: bool,
    /// How it is started, given its path.
    pub(crate) launch: fn(&Context<'_>, &str, &Path) -> Launch,
    /// Where it works, if not in the stack's folder.
    pub(crate) folder: Option<fn(&Context<'_>) -> PathBuf>,
    /// Makes what it starts with, if not the same as ours does.
    pub(crate) prepare: Option<fn(&Context<'_>, &str) -> anyhow::Result<()>>,
    /// Whether it comes up with the data that it had, and has that of the fixtures after a reset.
    pub(crate) keeps_its_data: bool,
}

impl Real {
    /// A program that opens its sockets itself, and is nothing else that is unusual.
    const fn of(program: &'static str, launch: fn(&Context<'_>, &str, &Path) -> Launch) -> Self {
        Self {
            program,
            check: any_version,
            inherits_sockets: false,
            starts_last: false,
            launch,
            folder: None,
            prepare: None,
            keeps_its_data: false,
        }
    }
}

/// Says why a program at a path cannot be used.
pub(crate) type Check = fn(&Path) -> Result<(), String>;

/// For programs of which every version will do.
pub(crate) fn any_version(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Every service that a stack with these settings can have: its name and its kind.
pub(crate) fn instances(settings: &Settings) -> Vec<(String, String)> {
    let of = |definition: &Definition| {
        let names = definition.instances(settings).into_iter();
        names.map(|name| (name, definition.name().to_owned())).collect::<Vec<_>>()
    };
    definitions(settings).iter().flat_map(of).collect()
}

/// What a kind may know of the stack.
pub(crate) struct Context<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) folder: &'a StackFolder,
    pub(crate) settings: &'a Settings,
    /// Whose services the stack uses in place of its own.
    pub(crate) parent: &'a Parent,
    /// Port numbers by name, as text: a plan that is only shown has none yet.
    pub(crate) ports: BTreeMap<String, String>,
    /// On which addresses a port is held, while services are being started.
    pub(crate) held: BTreeMap<String, Vec<SocketAddr>>,
    /// By which the processes of a service are known, by its name; of a plan there are none.
    pub(crate) markers: BTreeMap<String, String>,
    /// The token with which services and we ourselves ask the API server.
    pub(crate) admin_token: &'a str,
    /// Where `git` is, for those that require it.
    pub(crate) git: Option<PathBuf>,
    /// With which services are started.
    pub(crate) tokens: &'a Tokens,
    /// The client with which we ask the stack's own API server, once we have: it keeps the connection.
    pub(crate) agent: &'a OnceLock<ureq::Agent>,
}

impl Context<'_> {
    /// The number of a port, or, where the stack has no such service, that of the discard
    /// service, on which nothing listens.
    fn port(&self, name: &str) -> &str {
        self.ports.get(name).map_or("9", String::as_str)
    }

    /// The host as our own processes reach it, with the brackets that an IPv6 address has in a URL.
    pub(crate) fn host(&self) -> String {
        let host = client_host(self.settings.host);
        if host.is_ipv6() { format!("[{host}]") } else { host.to_string() }
    }

    /// `HOST:PORT` at which our own processes reach a port; of the API server, wherever that is.
    pub(crate) fn address(&self, port: &str) -> String {
        match &self.parent.api {
            Some(api) if port == api::KIND.name => api.host.clone(),
            _ => format!("{}:{}", self.host(), self.port(port)),
        }
    }

    /// Every `HOST:PORT` on which a port is held; of a plan, the one that it will be reached at.
    fn held_addresses(&self, port: &str) -> Vec<String> {
        match self.held.get(port) {
            Some(addresses) => addresses.iter().map(SocketAddr::to_string).collect(),
            None => vec![self.address(port)],
        }
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

/// For kinds that have nothing to prepare or to reset.
fn nothing(_: &Context<'_>, _: &str) -> anyhow::Result<()> {
    Ok(())
}

/// For kinds of which a stack has one, with the kind's own name as its port's.
fn single_port(service: &str) -> Vec<String> {
    vec![service.to_owned()]
}
