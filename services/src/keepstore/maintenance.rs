//! What the data manager asks for: blocks to fetch from other keepstores, and blocks to delete.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::AUTHORIZATION;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::{Deserialize, Deserializer};
use tokio::time::timeout;

use super::arrival::Received;
use super::buffers::Buffers;
use super::queue::Queue;
use super::receive::{blocking, receive};
use super::refusal::Refusal;
use super::store::Store;
use super::trash::{Deleted, Deleting};
use super::volume::Volume;
use crate::era::{Era, keepstore};
use crate::locator::Locator;
use crate::log;
use crate::request_log::random_base36;
use crate::serve::CLIENT_IDLE;
use crate::signature::Signer;

/// How long another keepstore may take for a whole block.
const PATIENCE: Duration = Duration::from_secs(60);

/// A block that is to be fetched. As in the body of `PUT /pull`: keys may be missing, and others are
/// ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pull {
    /// `HASH+SIZE`.
    #[serde(deserialize_with = "or_nothing")]
    pub(super) locator: String,
    /// Who has it: `HOST:PORT` or the URL of a keepstore.
    #[serde(deserialize_with = "or_nothing")]
    servers: Vec<String>,
    /// The volume to which it is to go; any, if it is empty.
    #[serde(deserialize_with = "or_nothing")]
    mount_uuid: String,
}

/// A block that is to be deleted. As in the body of `PUT /trash`: keys may be missing, and others are
/// ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Trash {
    /// `HASH` or `HASH+SIZE`.
    #[serde(deserialize_with = "or_nothing")]
    locator: String,
    /// When it was stored, as the index has it: one that was stored again since is kept.
    #[serde(deserialize_with = "or_nothing")]
    block_mtime: i64,
    /// The volume from which it is to go; all, if it is empty.
    #[serde(deserialize_with = "or_nothing")]
    mount_uuid: String,
}

/// Go takes `null` for anything.
fn or_nothing<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The list in a request's body, of which the first JSON value counts, as Go reads it.
///
/// # Errors
/// [`Refusal::BadRequest`] when there is no list.
pub(super) fn parse_list<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<Vec<T>, Refusal> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Option<Vec<T>>>();
    let first = values.next().and_then(Result::ok).ok_or(Refusal::BadRequest)?;
    Ok(first.unwrap_or_default())
}

/// Both lists, and what it takes to work them off.
pub(super) struct Maintenance {
    pub(super) pulls: Queue<Pull>,
    pub(super) trash: Queue<Trash>,
    store: Arc<Store>,
    buffers: Buffers,
    signer: Option<Signer>,
    deleting: Deleting,
    era: Era,
    http: Client<HttpConnector, Empty<Bytes>>,
}

impl Maintenance {
    /// Nothing is to be done yet. Blocks that are fetched go to `store`, and take one of the
    /// `buffers` meanwhile.
    pub(super) fn new(
        store: Arc<Store>,
        buffers: Buffers,
        signer: Option<Signer>,
        deleting: Deleting,
        era: Era,
    ) -> Self {
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(CLIENT_IDLE)
            .build_http();
        let (pulls, trash) = (Queue::new(), Queue::new());
        Self { pulls, trash, store, buffers, signer, deleting, era, http }
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

    /// Begins to delete what `unwanted` names, instead of what was named before.
    pub(super) fn trash(self: &Arc<Self>, unwanted: Vec<Trash>) {
        if !self.trash.replace(unwanted) {
            return;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(trash) = this.trash.next() {
                let worker = Arc::clone(&this);
                // A failure is in the log.
                let _ = blocking(move || worker.delete(&trash)).await;
            }
        });
    }

    fn delete(&self, trash: &Trash) {
        let say = |what: &dyn std::fmt::Display| {
            log::line(format_args!("keepstore: trash {}: {what}", trash.locator));
        };
        let Some(locator) = Locator::parse_loosely(&trash.locator) else {
            return say(&"this is no locator");
        };
        if !self.deleting.enabled {
            return say(&"blocks are never deleted here");
        }
        for (_, volume) in self.store.writable().filter(|(_, it)| is_meant(it, &trash.mount_uuid)) {
            let at = volume.root().display();
            match self.delete_from(volume, locator.hash, trash.block_mtime) {
                Ok(what) => say(&format_args!("{at}: {what}")),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => say(&format_args!("{at}: {error}")),
            }
        }
    }

    fn delete_from(&self, volume: &Volume, hash: &str, time: i64) -> std::io::Result<&'static str> {
        if self.time_of(volume.stored_at(hash)?) != time {
            return Ok("was stored again since");
        }
        Ok(match volume.delete(hash, self.deleting)? {
            Deleted::Gone => "deleted",
            Deleted::TooNew => "is too new to be deleted",
        })
    }

    /// A time as lists have it in this era.
    fn time_of(&self, time: SystemTime) -> i64 {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        match keepstore::TIMES_ARE_NANOSECONDS.of(self.era) {
            true => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            false => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        }
    }

    async fn fetch_from_any(&self, pull: &Pull) -> anyhow::Result<()> {
        let locator = Locator::parse(&pull.locator);
        let locator = locator.ok_or_else(|| anyhow::anyhow!("this is no locator"))?;
        let mut last = anyhow::anyhow!("no server is named");
        for server in &pull.servers {
            match timeout(PATIENCE, self.fetch(server, pull, locator.hash)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => last = error.context(format!("from {server}")),
                Err(_) => last = anyhow::anyhow!("{server} did not answer in time"),
            }
        }
        Err(last)
    }

    /// Copies a block. Keepstores share a key: ours signs the locator for a token made up for this.
    async fn fetch(&self, server: &str, pull: &Pull, hash: &str) -> anyhow::Result<()> {
        let token = random_base36(50);
        let hint = self.signer.as_ref().map(|signer| format!("+{}", signer.hint(hash, &token)));
        let scheme = if server.contains("://") { "" } else { "http://" };
        let (server, locator) = (server.trim_end_matches('/'), &pull.locator);
        let request =
            Request::get(format!("{scheme}{server}/{locator}{}", hint.unwrap_or_default()))
                .header(AUTHORIZATION, format!("OAuth2 {token}"))
                .body(Empty::new())?;
        let _buffer = self.buffers.get().await.map_err(failed)?;
        let response = self.http.request(request).await?;
        anyhow::ensure!(response.status() == StatusCode::OK, "answered {}", response.status());
        let (wanted, mount) = (hash.to_owned(), pull.mount_uuid.clone());
        let put = move |store: &Store, block: Received| put(store, block, &wanted, &mount);
        let store = Arc::clone(&self.store);
        receive(store, hash.to_owned(), None, response.into_body(), put).await.map_err(failed)
    }
}

/// Stores what was fetched, on the volume with this uuid or on any.
fn put(store: &Store, block: Received, wanted: &str, mount: &str) -> Result<(), Refusal> {
    if block.hash != wanted {
        return Err(Refusal::HashMismatch);
    }
    if mount.is_empty() {
        return store.write(block, Vec::new()).map(drop);
    }
    let volume = store.writable().find(|(_, volume)| is_meant(volume, mount));
    let (_, volume) = volume.filter(|(_, volume)| !volume.is_full()).ok_or(Refusal::Full)?;
    volume.write(&block.hash, &block.content).map_err(|error| {
        log::line(format_args!("keepstore: {}: {error}", volume.root().display()));
        Refusal::Failed
    })
}

fn is_meant(volume: &Volume, uuid: &str) -> bool {
    uuid.is_empty() || volume.mount().uuid == uuid
}

fn failed(refusal: Refusal) -> anyhow::Error {
    anyhow::anyhow!("the block cannot be stored: {refusal:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_go_reads_them() {
        let count = |text: &str| parse_list::<Pull>(text.as_bytes()).map(|list| list.len());
        for (text, expected) in [
            ("[]", Ok(0)),
            ("null", Ok(0)),
            ("[{}, {\"locator\": null, \"other\": 1}] and more", Ok(2)),
            ("", Err(Refusal::BadRequest)),
            ("{}", Err(Refusal::BadRequest)),
            ("[{\"locator\": 3}]", Err(Refusal::BadRequest)),
            ("[{}", Err(Refusal::BadRequest)),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }
}
