//! Answers keepproxy's requests: what is asked for, whether the token is good, then the keepstores.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::config::Config;
use super::keep_services::KeepServices;
use super::known_tokens::KnownTokens;
use super::refusal::Refusal;
use super::routes::{Route, route};
use super::upstream::{Caller, Upstream};
use super::write::Stored;
use super::{read, write};
use crate::api_client::{self, ApiClient};
use crate::era::keepproxy;
use crate::locator::{Locator, MAX_BLOCK_SIZE};
use crate::log;
use crate::request_log::RequestId;
use crate::serve::{Body, empty, full};
use crate::signature::to_hex;
use crate::{authorization, unread_body};

/// How many blocks may be in memory at a time; reading takes none.
const MAX_BLOCKS: usize = 16;

/// How long a client may pause within a body: memory is kept for it meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running keepproxy.
pub(super) struct Keepproxy {
    config: Config,
    pub(super) api: ApiClient,
    pub(super) services: KeepServices,
    pub(super) upstream: Upstream,
    tokens: KnownTokens,
    /// One permit for each block in memory.
    blocks: Semaphore,
}

impl Keepproxy {
    /// Sets up what `config` and the environment say; asks nobody yet.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub(super) fn from_environment(config: Config) -> anyhow::Result<Self> {
        let token = std::env::var("ARVADOS_API_TOKEN").ok().filter(|token| !token.is_empty());
        let token = token.context("ARVADOS_API_TOKEN is not set: keepstores are listed with it")?;
        let tls = api_client::tls_from_environment()?;
        Ok(Self {
            api: ApiClient::from_environment(tls.clone())?,
            services: KeepServices::new(token),
            upstream: Upstream::new(tls, config.patience),
            tokens: KnownTokens::default(),
            blocks: Semaphore::new(MAX_BLOCKS),
            config,
        })
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        let config = &self.config;
        let Some(route) = route(&parts.method, &path, config.reading, config.writing) else {
            unread_body::discard(&parts.headers, body);
            return Refusal::BadRequest.reply(config.era);
        };
        let text = path.trim_start_matches('/');
        let result = match route {
            Route::Read(locator) => {
                unread_body::discard(&parts.headers, body);
                self.read(text, &locator, &parts).await
            }
            Route::Write(locator) => self.write(Some((text, locator)), &parts, body).await,
            Route::WriteUnnamed => self.write(None, &parts, body).await,
            Route::Preflight => Ok(Response::new(empty())),
        };
        let response = result.unwrap_or_else(|refusal| refusal.reply(config.era));
        self.with_cors(response)
    }

    async fn read(
        &self,
        text: &str,
        locator: &Locator<'_>,
        parts: &Parts,
    ) -> Result<Response<Body>, Refusal> {
        let caller = self.caller(parts).await?;
        read::read(self, &parts.method, text, locator, &caller).await
    }

    /// Stores a block under the locator that the client gave, or else under its hash.
    async fn write(
        &self,
        named: Option<(&str, Locator<'_>)>,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Response<Body>, Refusal> {
        let size = named.and_then(|(_, locator)| locator.size);
        let checked = match block_length(&body, size) {
            Ok(length) => self.caller(parts).await.map(|caller| (length, caller)),
            Err(refusal) => Err(refusal),
        };
        let (length, caller) = match checked {
            Ok(checked) => checked,
            Err(refusal) => {
                unread_body::discard(&parts.headers, body);
                return Err(refusal);
            }
        };
        let permit = self.blocks.acquire().await;
        let _permit = permit.map_err(|_closed| Refusal::NotStored)?;
        let block = receive(body, length).await.ok_or(Refusal::Interrupted)?;
        let wanted = self.wanted_replicas(parts);
        let stored = match named {
            Some((text, locator)) => {
                write::write(self, text, &locator, &caller, &block, wanted).await?
            }
            None => {
                let hash = hash_of(block.clone()).await?;
                let locator = Locator::parse(&hash).ok_or(Refusal::NotStored)?;
                write::write(self, &hash, &locator, &caller, &block, wanted).await?
            }
        };
        Ok(self.stored(&stored))
    }

    fn stored(&self, stored: &Stored) -> Response<Body> {
        let mut response = Response::new(full(stored.locator.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert("x-keep-replicas-stored", stored.replicas.into());
        if keepproxy::CONFIRMS_STORAGE_CLASSES.of(self.config.era)
            && let Ok(classes) = HeaderValue::try_from(stored.classes_text())
        {
            headers.insert("x-keep-storage-classes-confirmed", classes);
        }
        response
    }

    /// Who asks, if the API server knows the token.
    async fn caller(&self, parts: &Parts) -> Result<Caller, Refusal> {
        let id = parts.extensions.get::<RequestId>().cloned();
        let id = id.unwrap_or_else(|| RequestId::of(&parts.headers));
        let presented = authorization::token(&parts.headers);
        let presented = presented.and_then(|_| parts.headers.get(AUTHORIZATION));
        let authorization = presented.ok_or(Refusal::NotAuthorized)?;
        match self.tokens.is_valid(&self.api, authorization, &id).await {
            true => Ok(Caller { authorization: authorization.clone(), id }),
            false => Err(Refusal::NotAuthorized),
        }
    }

    /// To how many keepstores a block is to go.
    fn wanted_replicas(&self, parts: &Parts) -> usize {
        let wish = parts.headers.get("x-keep-desired-replicas");
        let wish = wish.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        match wish {
            Some(wish @ 1..) if keepproxy::HEEDS_WISHED_REPLICAS.of(self.config.era) => wish,
            _ => self.config.default_replicas,
        }
    }

    fn with_cors(&self, mut response: Response<Body>) -> Response<Body> {
        for (name, value) in [
            ("access-control-allow-methods", "GET, HEAD, POST, PUT, OPTIONS"),
            ("access-control-allow-origin", "*"),
            ("access-control-allow-headers", keepproxy::CORS_REQUEST_HEADERS.of(self.config.era)),
            ("access-control-max-age", "86486400"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The length of a body that is announced, within bounds, and as the locator says.
fn block_length(body: &Incoming, size: Option<u64>) -> Result<usize, Refusal> {
    let length = body.size_hint().exact().ok_or(Refusal::LengthRequired)?;
    if length > MAX_BLOCK_SIZE {
        return Err(Refusal::TooLarge);
    }
    if size.is_some_and(|size| size != length) {
        return Err(Refusal::LengthMismatch);
    }
    usize::try_from(length).map_err(|_| Refusal::TooLarge)
}

/// Reads a body of `length` bytes; `None` when it ends early.
async fn receive(mut body: Incoming, length: usize) -> Option<Bytes> {
    let mut block = Vec::with_capacity(length);
    while let Ok(Some(frame)) = timeout(PATIENCE, body.frame()).await {
        if let Ok(data) = frame.ok()?.into_data() {
            block.extend_from_slice(&data);
        }
    }
    (block.len() == length).then(|| block.into())
}

/// The MD5 of a block, computed on a thread where it may take its time.
async fn hash_of(block: Bytes) -> Result<String, Refusal> {
    let hashed = tokio::task::spawn_blocking(move || to_hex(&Md5::digest(&block))).await;
    hashed.map_err(|error| {
        log::line(format_args!("keepproxy: {error}"));
        Refusal::NotStored
    })
}
