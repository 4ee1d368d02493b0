//! Answers keepstore's requests: permission first, then memory, then the disk.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response};
use percent_encoding::percent_decode_str;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::block::{self, Block};
use super::config::Config;
use super::maintenance::Maintenance;
use super::refusal::Refusal;
use super::routes::{Route, route};
use super::store::Store;
use super::{index, status};
use crate::era::{Era, keepstore};
use crate::locator::{Locator, MAX_BLOCK_SIZE};
use crate::log;
use crate::serve::{Body, empty, full};
use crate::signature::Signer;
use crate::{authorization, unread_body};

/// How many pieces of a body may wait for the thread that hashes them.
const PIECES_WAITING: usize = 4;

/// How long a client may pause within a body: a buffer is kept for it meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest list of blocks to fetch or to delete.
const MAX_LIST_BYTES: usize = 64 << 20;

/// A running keepstore.
pub(super) struct Keepstore {
    era: Era,
    signer: Option<Signer>,
    enforce: bool,
    data_manager_token: Option<String>,
    store: Arc<Store>,
    /// One permit for each block in memory.
    buffers: Arc<Semaphore>,
    max_buffers: usize,
    maintenance: Arc<Maintenance>,
}

impl Keepstore {
    /// Sets up what `config` says.
    pub(super) fn new(config: Config) -> Self {
        let store = Arc::new(Store::new(config.volumes));
        let buffers = Arc::new(Semaphore::new(config.max_buffers));
        let maintenance =
            Maintenance::new(Arc::clone(&store), Arc::clone(&buffers), config.signer.clone());
        Self {
            era: config.era,
            signer: config.signer,
            enforce: config.enforce,
            data_manager_token: config.data_manager_token,
            store,
            buffers,
            max_buffers: config.max_buffers,
            maintenance: Arc::new(maintenance),
        }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        let result = match route(&parts.method, &path, self.era) {
            Some(Route::Write(hash)) => self.write(hash, &parts.headers, body).await,
            Some(list @ (Route::Pull | Route::Trash)) if self.is_data_manager(&parts.headers) => {
                self.take_list(list, body).await
            }
            other => {
                unread_body::discard(&parts.headers, body);
                match other {
                    Some(route) => self.answer_bodiless(route, &parts.method, &parts.headers).await,
                    None => Err(Refusal::BadRequest),
                }
            }
        };
        let mut response = result.unwrap_or_else(|refusal| refusal.reply(self.era));
        add_headers(&mut response, keepstore::CORS.of(self.era));
        response
    }

    async fn answer_bodiless(
        &self,
        route: Route<'_>,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Refusal> {
        match route {
            Route::Read(locator) => self.read(&locator, method, headers).await,
            Route::Delete if !self.is_data_manager(headers) => Err(Refusal::MayNotDelete),
            Route::Delete => Err(Refusal::NeverDelete),
            Route::Index(_) if !self.is_data_manager(headers) => Err(Refusal::NotDataManager),
            Route::Index(prefix) => self.index(prefix).await,
            Route::Status => self.status().await,
            Route::Preflight => Ok(Response::new(empty())),
            Route::Pull | Route::Trash => Err(Refusal::NotDataManager),
            Route::Write(_) => Err(Refusal::BadRequest),
        }
    }

    /// Takes a list of blocks to fetch or to delete, and answers before that is done.
    async fn take_list(&self, list: Route<'_>, body: Incoming) -> Result<Response<Body>, Refusal> {
        let body = Limited::new(body, MAX_LIST_BYTES).collect().await;
        let body = body.map_err(|_| Refusal::BadRequest)?.to_bytes();
        let (count, name) = if list == Route::Pull {
            let pulls: Vec<_> = serde_json::from_slice(&body).map_err(|_| Refusal::BadRequest)?;
            let count = pulls.len();
            self.maintenance.pull(pulls);
            (count, "pull")
        } else {
            let trash: Vec<_> = serde_json::from_slice(&body).map_err(|_| Refusal::BadRequest)?;
            let count = trash.len();
            self.maintenance.trash(trash);
            (count, "trash")
        };
        let mut response = Response::new(full(format!("Received {count} {name} requests\n")));
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        Ok(response)
    }

    async fn read(
        &self,
        locator: &Locator<'_>,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Refusal> {
        self.check_permission(locator, headers)?;
        let permit = self.buffer().await?;
        let store = Arc::clone(&self.store);
        let hash = locator.hash.to_owned();
        let content = blocking(move || store.read(&hash)).await??;
        let length = content.len();
        let body = match *method {
            Method::HEAD => empty(),
            _ => full(Block::new(content, permit).into_bytes()),
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, length.into());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        Ok(response)
    }

    async fn write(
        &self,
        hash: &str,
        headers: &HeaderMap,
        body: Incoming,
    ) -> Result<Response<Body>, Refusal> {
        let length = match block_length(&body) {
            Ok(length) => length,
            Err(refusal) => {
                unread_body::discard(headers, body);
                return Err(refusal);
            }
        };
        let permit = self.buffer().await?;
        self.receive(hash, length, body, permit).await?;
        let mut locator = format!("{hash}+{length}");
        if let (Some(signer), Some(token)) = (&self.signer, authorization::token(headers)) {
            locator = format!("{locator}+{}", signer.hint(hash, token));
        }
        let mut response = Response::new(full(locator + "\n"));
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        add_headers(&mut response, keepstore::STORED.of(self.era));
        Ok(response)
    }

    /// Passes the body on to a thread that hashes it as it comes, and then writes it.
    async fn receive(
        &self,
        hash: &str,
        length: usize,
        mut body: Incoming,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), Refusal> {
        let (sender, mut receiver) = mpsc::channel::<Bytes>(PIECES_WAITING);
        let store = Arc::clone(&self.store);
        let hash = hash.to_owned();
        let written = blocking(move || {
            let received = block::receive(&mut receiver, length);
            let (content, found) = received.ok_or(Refusal::Interrupted)?;
            let block = Block::new(content, permit);
            match found == hash {
                true => store.write(&hash, &block.content),
                false => Err(Refusal::HashMismatch),
            }
        });
        let forward = async move {
            while let Ok(Some(Ok(frame))) = timeout(PATIENCE, body.frame()).await {
                if let Ok(piece) = frame.into_data()
                    && sender.send(piece).await.is_err()
                {
                    break;
                }
            }
        };
        let (written, ()) = tokio::join!(written, forward);
        written?
    }

    /// Whether the caller may read the block.
    fn check_permission(&self, locator: &Locator<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(signer) = self.signer.as_ref().filter(|_| self.enforce) else {
            return Ok(());
        };
        let token = authorization::token(headers).ok_or(Refusal::NoToken)?;
        Ok(signer.check(locator, token)?)
    }

    fn is_data_manager(&self, headers: &HeaderMap) -> bool {
        let known = self.data_manager_token.as_deref();
        known.is_some_and(|known| !known.is_empty() && authorization::token(headers) == Some(known))
    }

    async fn index(&self, prefix: &str) -> Result<Response<Body>, Refusal> {
        let (store, prefix, era) = (Arc::clone(&self.store), prefix.to_owned(), self.era);
        let listed = blocking(move || {
            let mut text = String::new();
            for volume in store.volumes() {
                index::list(volume, &prefix, era, &mut text)?;
            }
            // The empty line tells the reader that the list is whole.
            text.push('\n');
            Ok::<_, std::io::Error>(text)
        });
        let text = listed.await?.map_err(|error| {
            log::line(format_args!("keepstore: index: {error}"));
            Refusal::Failed
        })?;
        Ok(Response::new(full(text)))
    }

    async fn status(&self) -> Result<Response<Body>, Refusal> {
        let (store, max_buffers) = (Arc::clone(&self.store), self.max_buffers);
        let in_use = max_buffers - self.buffers.available_permits().min(max_buffers);
        let maintenance = Arc::clone(&self.maintenance);
        let document =
            blocking(move || status::document(store.volumes(), &maintenance, in_use, max_buffers));
        let mut response = Response::new(full(document.await?.to_string()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Ok(response)
    }

    /// Waits until one more block may be in memory.
    async fn buffer(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let permit = Arc::clone(&self.buffers).acquire_owned().await;
        permit.map_err(|_closed| Refusal::Failed)
    }
}

fn add_headers(response: &mut Response<Body>, headers: &'static [(&str, &str)]) {
    for (name, value) in headers {
        response.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
}

/// The length of a body that is announced and within bounds.
fn block_length(body: &Incoming) -> Result<usize, Refusal> {
    let length = body.size_hint().exact().ok_or(Refusal::LengthRequired)?;
    if length > MAX_BLOCK_SIZE {
        return Err(Refusal::TooLarge);
    }
    usize::try_from(length).map_err(|_| Refusal::TooLarge)
}

/// Runs what waits for the disk, or computes for long, on a thread where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    spawn_blocking(work).await.map_err(|error| {
        log::line(format_args!("keepstore: {error}"));
        Refusal::Failed
    })
}
