//! What the data manager asks for: blocks to fetch from other keepstores, and blocks to delete.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::AUTHORIZATION;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use md5::{Digest, Md5};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::queue::Queue;
use super::store::Store;
use crate::locator::{Locator, MAX_BLOCK_SIZE};
use crate::log;
use crate::request_log::random_base36;
use crate::signature::{Signer, to_hex};

/// How long another keepstore may take for a whole block.
const PATIENCE: Duration = Duration::from_secs(60);

/// A block that is to be fetched. As in the body of `PUT /pull`, other keys are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    /// `HASH+SIZE`.
    locator: String,
    /// Who has it: `HOST:PORT` or the URL of a keepstore.
    servers: Vec<String>,
}

/// A block that is to be deleted. As in the body of `PUT /trash`, other keys are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Trash {
    /// `HASH+SIZE`.
    locator: String,
}

/// Both lists, and what it takes to work them off.
pub(super) struct Maintenance {
    pub(super) pulls: Queue<Pull>,
    pub(super) trash: Queue<Trash>,
    store: Arc<Store>,
    buffers: Arc<Semaphore>,
    signer: Option<Signer>,
    http: Client<HttpConnector, Empty<Bytes>>,
}

impl Maintenance {
    /// Nothing is to be done yet. Blocks that are fetched go to `store`, and take a permit of
    /// `buffers` while they are in memory.
    pub(super) fn new(store: Arc<Store>, buffers: Arc<Semaphore>, signer: Option<Signer>) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { pulls: Queue::new(), trash: Queue::new(), store, buffers, signer, http }
    }

    /// Begins to fetch what `wanted` names, instead of what was to be fetched before.
    pub(super) fn pull(self: &Arc<Self>, wanted: Vec<Pull>) {
        if !self.pulls.replace(wanted) {
            return;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(pull) = this.pulls.next() {
                if let Err(error) = this.fetch_from_any(&pull).await {
                    log::line(format_args!("keepstore: pull {}: {error:#}", pull.locator));
                }
            }
        });
    }

    /// Begins to go through what `unwanted` names, instead of what was named before. Deleting is
    /// switched off: that is all the log is told.
    pub(super) fn trash(self: &Arc<Self>, unwanted: Vec<Trash>) {
        if !self.trash.replace(unwanted) {
            return;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(trash) = this.trash.next() {
                log::line(format_args!("keepstore: trash {}: blocks are kept", trash.locator));
            }
        });
    }

    async fn fetch_from_any(&self, pull: &Pull) -> anyhow::Result<()> {
        let locator = Locator::parse(&pull.locator);
        let locator = locator.ok_or_else(|| anyhow::anyhow!("this is no locator"))?;
        let mut last = anyhow::anyhow!("no server is named");
        for server in &pull.servers {
            match timeout(PATIENCE, self.fetch(server, &pull.locator, locator.hash)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => last = error.context(format!("from {server}")),
                Err(_) => last = anyhow::anyhow!("{server} did not answer in time"),
            }
        }
        Err(last)
    }

    /// Copies a block. Keepstores share a key: ours signs the locator for a token made up for this.
    async fn fetch(&self, server: &str, locator: &str, hash: &str) -> anyhow::Result<()> {
        let token = random_base36(50);
        let hint = self.signer.as_ref().map(|signer| format!("+{}", signer.hint(hash, &token)));
        let scheme = if server.contains("://") { "" } else { "http://" };
        let server = server.trim_end_matches('/');
        let request =
            Request::get(format!("{scheme}{server}/{locator}{}", hint.unwrap_or_default()))
                .header(AUTHORIZATION, format!("OAuth2 {token}"))
                .body(Empty::new())?;
        let _buffer = self.buffers.acquire().await?;
        let response = self.http.request(request).await?;
        anyhow::ensure!(response.status() == StatusCode::OK, "answered {}", response.status());
        let limit = usize::try_from(MAX_BLOCK_SIZE)?;
        let content = Limited::new(response.into_body(), limit).collect().await;
        let content = content.map_err(anyhow::Error::from_boxed)?.to_bytes();
        let (store, hash) = (Arc::clone(&self.store), hash.to_owned());
        let written = spawn_blocking(move || {
            anyhow::ensure!(to_hex(&Md5::digest(&content)) == hash, "sent another block");
            let written = store.write(&hash, &content);
            written.map_err(|refusal| anyhow::anyhow!("cannot be written: {refusal:?}"))
        });
        written.await?
    }
}
