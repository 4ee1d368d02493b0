//! keepproxy: the one Keep service that clients outside the cluster talk to.
//!
//! It checks their tokens with the API server, reads each block from a keepstore that has it and
//! writes it to as many as wanted. The wire and the flags are those of Arvados' Go program.

mod block;
mod candidates;
mod config;
mod index;
mod keep_services;
mod known_tokens;
mod patience;
mod paused;
mod read;
mod refusal;
mod routes;
mod server;
mod stored;
mod upstream;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::Config;
use server::Keepproxy;

use crate::listen;
use crate::pid_file::PidFile;
use crate::serve::{self, Port, Worker};

/// Runs keepproxy with the command line's `arguments` until it is stopped.
///
/// The API server is not asked before a client comes, so it may start later than we do.
///
/// # Errors
/// When a flag or a variable is wrong, or a file or socket is not usable.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let config = Config::from_flags(arguments)?;
    let _pid_file = config.pid.as_deref().map(PidFile::create).transpose()?;
    let port = Port {
        listeners: listen::inherited_or_bound("keepproxy", &config.listen)?,
        tls: None,
        is_eager: false,
    };
    let keepproxy = Arc::new(Keepproxy::from_environment(config)?);
    serve::until_stopped(
        Worker::Another,
        serve::serve(port, move |request| {
            let keepproxy = Arc::clone(&keepproxy);
            async move { keepproxy.answer(request).await }
        }),
    )
}

/// Nothing is left half done where these are held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
