//! The TLS front: what nginx does before a real cluster's keepproxy and git service.
//!
//! Each service behind it gets a port of its own; requests and answers stream both ways.

mod access_log;
mod answer_body;
mod combined;
mod config;
mod forward;
mod headers;
mod host;
mod line_buffers;
mod request_body;
mod request_rules;
mod upgrade;
mod used;

use std::sync::Arc;

use access_log::AccessLog;
use config::Config;
use forward::Upstream;
use tokio::task::JoinSet;
use used::Used;

use crate::serve::{self, Manner, Port, Worker};
use crate::{listen, tls};

/// Runs the front with the command line's `arguments` until it is stopped.
///
/// # Errors
/// When a flag is wrong, or a file or socket is not usable.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let config = Config::from_flags(arguments)?;
    let tls = tls::server_config(&config.certificate, &config.key, &["http/1.1"])?;
    let log = AccessLog::open(&config.access_log)?;
    let mut ports = Vec::new();
    for side in config.sides {
        let listeners = listen::inherited_or_bound(side.socket, &side.listen)?;
        let port = Port { listeners, tls: Some(Arc::clone(&tls)), is_eager: false };
        ports.push((port, side));
    }
    let sender = log.sender();
    let result = serve::until_stopped(Worker::Another, async move {
        let client = forward::client();
        let mut serving = JoinSet::new();
        for (port, side) in ports {
            let own = port.listeners.first().and_then(|listener| listener.local_addr().ok());
            let upstream = Arc::new(Upstream {
                name: side.name,
                knows_its_address: side.knows_its_address,
                address: side.upstream,
                own,
                patience: config.patience,
                log: sender.clone(),
                http: client.clone(),
                used: Used::new(),
            });
            let manner = Manner::Nginx(config.patience);
            serving.spawn(serve::serve_like(manner, port, move |request| {
                Arc::clone(&upstream).answer(request)
            }));
        }
        while let Some(ended) = serving.join_next().await {
            ended??;
        }
        Ok(())
    });
    log.finish();
    result
}
