//! Answers git requests: whose token, which repository, may it, and then git itself.

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use tokio::process::Command;

use super::cgi_environment::CgiEnvironment;
use super::config::Config;
use super::refusal::Refusal;
use super::repository::{self, RepositoryPath};
use super::running::Groups;
use super::{backend, clean_path, credentials};
use crate::api_client::ApiClient;
use crate::request_log::RequestId;
use crate::serve::Body;
use crate::unread_body;
use crate::{go_request_rules, log};

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

    /// Sees the end of what runs for clients, once their connections are closed.
    pub(super) fn stop(&self) {
        self.running.end_all();
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let (parts, body) = match go_request_rules::checked(parts, body) {
            Ok(good) => good,
            Err(refusal) => return *refusal,
        };
        let path = clean_path::decoded(parts.uri.path());
        if let Some(clean) = clean_path::cleaned(&path) {
            let moved = clean_path::redirect(&parts.method, &clean, parts.uri.query());
            return unread_body::discard(&parts.headers, body).await.mark(moved);
        }
        let command = match self.command(&parts, &path).await {
            Ok(command) => command,
            Err(refusal) => {
                return unread_body::discard(&parts.headers, body).await.mark(refusal.reply());
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
    async fn command(&self, parts: &Parts, path: &str) -> Result<Command, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        let token = credentials::token(&parts.headers, query).ok_or(Refusal::NoToken)?;
        let path = RepositoryPath::parse(path).ok_or(Refusal::BadPath)?;
        let id = RequestId::given_to(parts);
        let uuid = repository::look_up(&self.api, &token, path.name, &id).await?;
        if path.writes() {
            repository::check_writable(&self.api, &token, &uuid, &id).await?;
        }
        let folder = repository::folder(&self.config.root, &uuid, path.name)?;
        let mut command = Command::new(&self.config.git);
        command.arg("http-backend").current_dir(&self.config.root).env_clear();
        let Config { address, root, git: _ } = &self.config;
        let environment = CgiEnvironment { parts, address, root, folder: &folder };
        command.envs(environment.variables(path.rest));
        Ok(command)
    }
}
