//! keepstore: keeps blocks of data under their MD5 on local volumes.
//!
//! The wire, the flags and the layout on disk are those of Arvados' Go program.

mod arrival;
mod block;
mod buffers;
mod cluster_config;
mod config;
mod index;
mod maintenance;
mod manage;
mod mounts;
mod placement;
mod progress;
mod queue;
mod read;
mod receive;
mod refusal;
mod routes;
mod server;
mod status;
mod store;
mod trash;
mod trash_sweep;
mod volume;
mod write;

use std::sync::Arc;

use config::Config;
use server::Keepstore;

use crate::listen;
use crate::pid_file::PidFile;
use crate::serve::{self, Port, Worker};

/// Runs keepstore with the command line's `arguments` until it is stopped.
///
/// # Errors
/// When a flag is wrong, or a volume, key file, pid file or socket is not usable.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let config = Config::from_flags(arguments)?;
    let _pid_file = config.pid.as_deref().map(PidFile::create).transpose()?;
    let port = Port {
        listeners: listen::inherited_or_bound("keepstore", &config.listen)?,
        tls: None,
        is_eager: true,
    };
    let keepstore = Arc::new(Keepstore::new(config));
    serve::until_stopped(Worker::Itself, async move {
        keepstore.begin_to_sweep();
        serve::serve(port, move |request| {
            let keepstore = Arc::clone(&keepstore);
            async move { keepstore.answer(request).await }
        })
        .await
    })
}
