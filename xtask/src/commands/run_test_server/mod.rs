//! `run-test-server ACTION`: the command line of `run_test_server.py`, the script by which Arvados'
//! own suites start their servers, action for action.
//!
//! Each action is a process of its own, and what it starts goes on. Below it is a stack as any other,
//! one for each folder of temporary files, whose services come one action at a time. The pid and port
//! files in that folder are written for those who called the script, and never read to find a process.

use crate::cli::RunTestServer;
use crate::failure::{self, CheckFailed, Exit, Interrupted, Usage};
use crate::lifecycle::reconcile;
use crate::output::say;
use crate::parent::PROXIES_VARIABLE;
use crate::workspace::Workspace;

mod action;
mod api;
mod environment;
mod git;
mod keep;
mod place;
mod proxies;
mod session;

use action::Action;
use session::Session;

/// # Errors
/// [`Usage`] for wrong arguments; [`Interrupted`] after a signal; else exit code 1, as a Python script
/// has when it fails.
pub(crate) fn run(workspace: &Workspace, arguments: &RunTestServer) -> anyhow::Result<()> {
    let Some(action) = Action::named(&arguments.action) else {
        say(&action::unrecognized(&arguments.action));
        return Err(Exit(1).into());
    };
    act(workspace, action, arguments).map_err(|error| {
        if error.is::<Usage>() || error.is::<Interrupted>() {
            return error;
        }
        CheckFailed(format!("{error:#}{}", failure::advice(&error))).into()
    })
}

fn act(workspace: &Workspace, action: Action, arguments: &RunTestServer) -> anyhow::Result<()> {
    if action.is_of_proxies() && std::env::var_os(PROXIES_VARIABLE).is_some() {
        // They are the parent's.
        return Ok(());
    }
    reconcile::reconcile(workspace)?;
    let session = Session::open(workspace, action, arguments)?;
    match action {
        Action::Start => api::start(&session, arguments.auth.as_deref()),
        Action::Stop => api::stop(&session),
        Action::StartKeep => keep::start(&session, &arguments.keep),
        Action::StopKeep => keep::stop(&session),
        Action::StartKeepProxy => proxies::start_keep_proxy(&session),
        Action::StopKeepProxy => session.stop(&["keepproxy"]),
        Action::StartArvGitHttpd => proxies::start_arv_git_httpd(&session),
        Action::StopArvGitHttpd => session.stop(&["arv-git-httpd"]),
        Action::StartNginx => proxies::start_nginx(&session),
        Action::StopNginx => proxies::stop_nginx(&session),
        Action::DatabaseReset => api::reset(&session),
    }
}
