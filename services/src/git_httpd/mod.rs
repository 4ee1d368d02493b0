//! arv-git-httpd: git over HTTP for the repositories that the API server lists.
//!
//! The API server decides who may read and write; `git http-backend` does the rest. The wire and
//! the flags are those of Arvados' Go program.

mod backend;
mod cgi_environment;
mod cgi_header;
mod clean_path;
mod config;
mod credentials;
mod refusal;
mod repository;
mod running;
mod server;

use std::sync::Arc;

use config::Config;
use server::GitHttpd;

use crate::api_client::{self, ApiClient};
use crate::listen;
use crate::serve::{self, Port, Worker};

/// Runs the git service with the command line's `arguments` until it is stopped.
///
/// # Errors
/// When a flag or a variable is wrong, git is not installed, or a folder or socket is not usable.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let config = Config::from_flags(arguments)?;
    let port = Port {
        listeners: listen::inherited_or_bound("arv-git-httpd", &config.address)?,
        tls: None,
        is_eager: false,
    };
    let api = ApiClient::from_environment(api_client::tls_from_environment()?)?;
    let server = Arc::new(GitHttpd::new(config, api));
    let answering = Arc::clone(&server);
    let result = serve::until_stopped(
        Worker::Another,
        serve::serve(port, move |request| {
            let server = Arc::clone(&answering);
            async move { server.answer(request).await }
        }),
    );
    server.stop();
    result
}
