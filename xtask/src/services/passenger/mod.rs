//! Rails under Phusion Passenger Standalone, in `services/api` of a checkout of Arvados.
//!
//! Passenger puts itself into the background: the command that starts it ends once the server
//! listens, and has said where. With its nginx engine it speaks TLS itself; its builtin engine does
//! not, and has a front.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::launch::{Endpoint, Stop};
use super::{Context, Launch, Probe, Question, Real, Sockets, client_host};
use crate::process::marker::MARKER_VARIABLE;
use crate::process::run::Task;
use crate::settings::{API_SERVER, Settings};

mod engine;
mod files;
mod repositories;

pub(crate) use engine::{Engine, detect as detect_engine};
pub(crate) use repositories::extract;

/// Bundler finds the Passenger that the application's Gemfile wants.
pub(crate) const PROGRAM: &str = "bundle";

/// Where the server listens that has a front.
pub(super) const PLAIN_PORT: &str = "api-http";

/// All that the two forms have in common.
pub(super) const REAL: Real = Real {
    folder: Some(|context| application(context.settings)),
    prepare: Some(|context, _| files::prepare(context.folder, &application(context.settings))),
    keeps_its_data: true,
    ..Real::of(PROGRAM, with_tls)
};

/// The folder of the Rails application. A plan without a checkout is refused.
pub(crate) fn application(settings: &Settings) -> PathBuf {
    settings.arvados_src.as_deref().unwrap_or(Path::new("")).join(API_SERVER)
}

/// With the flags that Arvados' own tests have.
pub(super) fn with_tls(context: &Context<'_>, service: &str, program: &Path) -> Launch {
    let tls =
        ["--ssl", "--ssl-certificate", files::CERTIFICATE, "--ssl-certificate-key", files::KEY];
    let probe = Probe::Port(service.to_owned(), Question::Https);
    launch(context, service, program, service, &tls.map(str::to_owned), probe)
}

/// With the engine that every Passenger has.
pub(super) fn without_tls(context: &Context<'_>, service: &str, program: &Path) -> Launch {
    let host = client_host(context.settings.host).to_string();
    let plain = ["--engine", "builtin", "--address", &host].map(str::to_owned);
    let probe = Probe::Port(PLAIN_PORT.into(), Question::http());
    launch(context, service, program, PLAIN_PORT, &plain, probe)
}

fn launch(
    context: &Context<'_>,
    service: &str,
    program: &Path,
    port: &str,
    more: &[String],
    probe: Probe,
) -> Launch {
    let application = application(context.settings);
    let pid_file = application.join(files::PID).display().to_string();
    let number = context.port(port).to_owned();
    let own = [
        "exec",
        "passenger",
        "start",
        "-d",
        &format!("-p{number}"),
        "--pid-file",
        &pid_file,
        "--log-file",
        &context.folder.log(service).display().to_string(),
    ];
    let arguments = own.into_iter().map(str::to_owned).chain(more.iter().cloned()).collect();
    let scheme =
        if probe == Probe::Port(port.to_owned(), Question::Https) { "https" } else { "http" };
    let endpoint = Endpoint { introduction: "Accessible via: ", scheme, port: number };
    let stop = stop(context, service, program, application, pid_file);
    Launch {
        environment: environment(context.folder.path()),
        endpoint: Some(endpoint),
        stop,
        ..Launch::new(arguments, Sockets::Own, probe)
    }
}

/// What it has besides the rest of our own environment, which names no cluster any more.
fn environment(stack: &Path) -> Vec<(String, String)> {
    let variables = [("RAILS_ENV", "test"), ("ARVADOS_WEBSOCKETS", "yes")];
    let mut variables: Vec<_> =
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    if sockets_fit(stack) {
        variables.push(("TMPDIR".into(), stack.display().to_string()));
    }
    variables
}

/// Whether Passenger's sockets may be below `folder`. There a `down` removes what a Passenger that had
/// to be killed has left; but the path of a socket is short.
fn sockets_fit(folder: &Path) -> bool {
    // As in passenger.1234567/agents.s/watchdog_api; Linux allows 107 bytes, others 103.
    const SOCKET: usize = "/passenger.1234567/agents.s/watchdog_api.tmp".len();
    folder.as_os_str().len() + SOCKET <= 103
}

fn stop(
    context: &Context<'_>,
    service: &str,
    program: &Path,
    folder: PathBuf,
    pid_file: String,
) -> Stop {
    let program = program.display().to_string();
    let command = ["exec", "passenger", "stop", "--pid-file"].map(str::to_owned);
    let command = [program].into_iter().chain(command).chain([pid_file]).collect();
    // What it leaves behind is the service's.
    let marker = context.markers.get(service).cloned();
    let marker = marker.map(|marker| (MARKER_VARIABLE.to_owned(), marker));
    let environment = environment(context.folder.path()).into_iter().chain(marker).collect();
    Stop { command: Some(Task { command, folder, environment }), ..Stop::default() }
}

/// Where a real API server has its git repositories, if its checkout has an archive of them.
pub(super) fn repositories(settings: &Settings) -> Option<PathBuf> {
    let archive = settings.api_is_real().then(|| repositories::archive(&application(settings)));
    let is_there = archive.is_some_and(|archive| archive.exists());
    is_there.then(|| application(settings).join(repositories::FOLDER))
}

/// Puts these repositories back to what the archive has; false where there are none.
///
/// # Errors
/// When they cannot be unpacked.
pub(super) fn install_repositories(settings: &Settings) -> anyhow::Result<bool> {
    if repositories(settings).is_none() {
        return Ok(false);
    }
    repositories::install(&application(settings)).context("the API server's git repositories")?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_in_the_stack_unless_its_path_is_too_long() {
        let temporary = |path: &Path| {
            let found = environment(path).into_iter().find(|(name, _)| name == "TMPDIR");
            found.map(|(_, value)| value)
        };
        let usual = "/home/someone/src/client/.services/default";
        assert_eq!(temporary(Path::new(usual)).as_deref(), Some(usual));
        let long = format!("/home/{}/.services/default", "x".repeat(60));
        assert_eq!(temporary(Path::new(&long)), None);
    }
}
