//! Answers git requests: whose token, which repository, may it, and then git itself.

use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use percent_encoding::percent_decode_str;
use tokio::process::Command;

use super::config::Config;
use super::refusal::Refusal;
use super::repository::{self, RepositoryPath};
use super::running::Groups;
use super::{backend, credentials};
use crate::api_client::ApiClient;
use crate::log;
use crate::request_log::RequestId;
use crate::serve::{Body, Peer};
use crate::unread_body;

/// Settings of ours for git, as if given on its command line.
const GIT_SETTINGS: &[(&str, &str)] = &[
    // The folders are those of the test cluster, whoever owns the files.
    ("safe.directory", "*"),
    // Cleaning up goes on in the background, and would outlive us.
    ("receive.autogc", "false"),
    ("gc.auto", "0"),
];

/// A running git service.
pub(super) struct GitHttpd {
    config: Config,
    api: ApiClient,
    running: Groups,
}

impl GitHttpd {
    /// Serves what `config` says to whom `api` allows it.
    pub(super) fn new(config: Config, api: ApiClient) -> Self {
        let running = Groups::default();
        Self { config, api, running }
    }

    /// Ends what runs for clients.
    pub(super) fn stop(&self) {
        self.running.end_all();
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let command = match self.command(&parts).await {
            Ok(command) => command,
            Err(refusal) => {
                unread_body::discard(&parts.headers, body);
                return refusal.reply();
            }
        };
        match backend::run(command, parts.headers, body, &self.running).await {
            Ok(response) => response,
            Err(error) => {
                log::line(format_args!("arv-git-httpd: git http-backend: {error}"));
                Refusal::Git(error).reply()
            }
        }
    }

    /// The git command for a request, once the API server allows it.
    async fn command(&self, parts: &Parts) -> Result<Command, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        let token = credentials::token(&parts.headers, query).ok_or(Refusal::NoToken)?;
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        let path = RepositoryPath::parse(&path).ok_or(Refusal::BadPath)?;
        let id = parts.extensions.get::<RequestId>().cloned();
        let id = id.unwrap_or_else(|| RequestId::of(&parts.headers));
        let uuid = repository::look_up(&self.api, &token, path.name, &id).await?;
        if path.writes() {
            repository::check_writable(&self.api, &token, &uuid, &id).await?;
        }
        let folder = repository::folder(&self.config.root, &uuid, path.name)?;
        let mut command = Command::new(&self.config.git);
        command.arg("http-backend").current_dir(&folder).env_clear();
        if let Some(search_path) = std::env::var_os("PATH") {
            command.env("PATH", search_path);
        }
        command.envs(environment(parts, path.rest));
        // The one repository is the whole tree that git serves, so that no path leads out of it.
        command.env("GIT_PROJECT_ROOT", &folder);
        Ok(command)
    }
}

/// The variables of CGI (RFC 3875), and those of `git http-backend`, for a request for `rest`
/// of a repository.
fn environment(parts: &Parts, rest: &str) -> Vec<(String, String)> {
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
    let address = peer.as_ref().map(|peer| peer.ip().to_string()).unwrap_or_default();
    let port = peer.as_ref().map(SocketAddr::port).unwrap_or_default();
    let header = |name| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
    set("GATEWAY_INTERFACE", "CGI/1.1");
    set("SERVER_PROTOCOL", &format!("{:?}", parts.version));
    set("SERVER_SOFTWARE", "arv-git-httpd");
    set("REQUEST_METHOD", parts.method.as_str());
    set("QUERY_STRING", parts.uri.query().unwrap_or_default());
    set("CONTENT_TYPE", header(CONTENT_TYPE.as_str()));
    // No CONTENT_LENGTH: git would copy the body once more to count it, and wait for ever, busily,
    // if it broke off (git 2.47). The end of its input says as much.
    set("REMOTE_ADDR", &address);
    set("REMOTE_HOST", &address);
    set("REMOTE_PORT", &port.to_string());
    // git takes pushes only from a user that the web server knows; we have checked the token.
    set("REMOTE_USER", &address);
    set("PATH_INFO", rest);
    set("GIT_HTTP_EXPORT_ALL", "1");
    // Settings of the user who runs the cluster must not change what tests see.
    set("HOME", "/");
    set("GIT_CONFIG_NOSYSTEM", "1");
    set("GIT_CONFIG_GLOBAL", "/dev/null");
    set("GIT_CONFIG_COUNT", &GIT_SETTINGS.len().to_string());
    for (number, (key, value)) in GIT_SETTINGS.iter().enumerate() {
        set(&format!("GIT_CONFIG_KEY_{number}"), key);
        set(&format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    for (name, value) in &parts.headers {
        // Hooks need no token. A `Proxy` header would become the variable that reroutes clients.
        if let Ok(value) = value.to_str()
            && name != AUTHORIZATION
            && name != "proxy"
        {
            let name = name.as_str().to_ascii_uppercase().replace('-', "_");
            set(&format!("HTTP_{name}"), value);
        }
    }
    variables
}
