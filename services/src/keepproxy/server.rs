//! Answers keepproxy's requests: what is asked for, whether the token is good, then the keepstores.

use std::pin::pin;

use anyhow::Context;
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, VIA as VIA_HEADER,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response};
use percent_encoding::percent_decode_str;

use super::block::Block;
use super::config::Config;
use super::keep_services::KeepServices;
use super::known_tokens::{KnownTokens, Use};
use super::refusal::Refusal;
use super::routes::{Route, route};
use super::stored::{self, Stored, Wish};
use super::upstream::{Caller, Upstream};
use super::{index, read, write};
use crate::api_client::{self, ApiClient};
use crate::era::keepproxy;
use crate::locator::{EMPTY_HASH, Locator, MAX_BLOCK_SIZE};
use crate::request_log::RequestId;
use crate::serve::{Body, empty, full};
use crate::{authorization, go_request_rules, unread_body};

/// What it calls itself among the proxies that a request has come by.
const VIA: &str = "HTTP/1.1 keepproxy";

/// How it knows itself there, whatever the version.
const ALIAS: &str = " keepproxy";

/// A client's wish for a locator that this cluster has signed.
const SIGNATURE: HeaderName = HeaderName::from_static("x-keep-signature");

/// A running keepproxy.
pub(super) struct Keepproxy {
    config: Config,
    pub(super) api: ApiClient,
    pub(super) services: KeepServices,
    pub(super) upstream: Upstream,
    tokens: KnownTokens,
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
            config,
        })
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let (parts, body) = match go_request_rules::checked(parts, body) {
            Ok(good) => good,
            Err(refusal) => return *refusal,
        };
        let id = RequestId::given_to(&parts);
        let mut response = self.route(&parts, body).await;
        if keepproxy::TELLS_REQUEST_ID.of(self.config.era) {
            id.tell(response.headers_mut());
        }
        response
    }

    async fn route(&self, parts: &Parts, body: Incoming) -> Response<Body> {
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        let config = &self.config;
        let Some(route) = route(&parts.method, &path, config) else {
            let ended = unread_body::discard(&parts.headers, body).await;
            return ended.mark(Refusal::BadRequest.reply(config.era));
        };
        let text = path.trim_start_matches('/');
        let result = match route {
            Route::Write(locator) => self.write(Some((text, locator)), parts, body).await,
            Route::WriteUnnamed => self.write(None, parts, body).await,
            bodiless => {
                let ended = unread_body::discard(&parts.headers, body).await;
                let result = self.answer_bodiless(bodiless, text, parts).await;
                result.or_else(|refusal| Ok(ended.mark(refusal.reply(config.era))))
            }
        };
        let response = result.unwrap_or_else(|refusal| refusal.reply(config.era));
        self.with_constant_headers(response)
    }

    async fn answer_bodiless(
        &self,
        route: Route<'_>,
        text: &str,
        parts: &Parts,
    ) -> Result<Response<Body>, Refusal> {
        match route {
            Route::Read(locator) => {
                let caller = self.caller(parts).await?;
                let is_empty = locator.hash == EMPTY_HASH && locator.size == Some(0);
                if is_empty && keepproxy::HAS_THE_EMPTY_BLOCK.of(self.config.era) {
                    return Ok(read::nothing());
                }
                read::read(self, &parts.method, text, &locator, &caller).await
            }
            Route::Index(prefix) => index::index(self, prefix, &self.caller(parts).await?).await,
            Route::Preflight => Ok(Response::new(empty())),
            // These have bodies.
            Route::Write(_) | Route::WriteUnnamed => Err(Refusal::BadRequest),
        }
    }

    /// Stores a block under the locator that the client gave, or else under its hash.
    async fn write(
        &self,
        named: Option<(&str, Locator<'_>)>,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Response<Body>, Refusal> {
        let (length, caller) = match self.prepared(named, parts, &body).await {
            Ok(prepared) => prepared,
            Err(refusal) => {
                let ended = unread_body::discard(&parts.headers, body).await;
                return Ok(ended.mark(refusal.reply(self.config.era)));
            }
        };
        let wish = self.wish(parts);
        let (block, rest) = Block::of(body, length).await?;
        let stored = match named {
            Some((text, locator)) => {
                let write = write::write(self, text, &locator, &caller, &block, &wish);
                while_it_comes(rest.receive(false), write).await?
            }
            None => {
                let hash = rest.receive(true).await?.ok_or(Refusal::NotStored)?;
                let locator = Locator::parse(&hash).ok_or(Refusal::NotStored)?;
                write::write(self, &hash, &locator, &caller, &block, &wish).await?
            }
        };
        Ok(self.stored(&stored))
    }

    /// How long the block is, and whose.
    async fn prepared(
        &self,
        named: Option<(&str, Locator<'_>)>,
        parts: &Parts,
        body: &Incoming,
    ) -> Result<(usize, Caller), Refusal> {
        // A request without the header has a body of no bytes, and no length.
        let length =
            body.size_hint().exact().filter(|_| parts.headers.contains_key(CONTENT_LENGTH));
        let length = length.ok_or(Refusal::LengthRequired)?;
        let size = named.and_then(|(_, locator)| locator.size).filter(|size| *size > 0);
        if size.is_some_and(|size| size != length) {
            return Err(Refusal::LengthMismatch);
        }
        let caller = self.caller(parts).await?;
        if length > MAX_BLOCK_SIZE {
            return Err(Refusal::TooLarge);
        }
        Ok((usize::try_from(length).map_err(|_| Refusal::TooLarge)?, caller))
    }

    fn stored(&self, stored: &Stored) -> Response<Body> {
        let mut response = Response::new(full(stored.locator.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert("x-keep-replicas-stored", stored.replicas.into());
        if keepproxy::HAS_STORAGE_CLASSES.of(self.config.era)
            && let Ok(classes) = HeaderValue::try_from(stored.classes_text())
        {
            headers.insert("x-keep-storage-classes-confirmed", classes);
        }
        response
    }

    /// Who asks, if the API server knows the token.
    async fn caller(&self, parts: &Parts) -> Result<Caller, Refusal> {
        let era = self.config.era;
        let by = parts.headers.get(VIA_HEADER).and_then(|by| by.to_str().ok());
        if keepproxy::TELLS_ITS_WAY.of(era) && by.is_some_and(|by| by.contains(ALIAS)) {
            return Err(Refusal::Loop);
        }
        let id = RequestId::given_to(parts);
        let presented = authorization::token(&parts.headers);
        let presented = presented.and_then(|_| parts.headers.get(AUTHORIZATION));
        let authorization = presented.ok_or(Refusal::NotAuthorized)?;
        let usage = match parts.method {
            Method::GET | Method::HEAD => Use::Reading,
            _ => Use::Writing,
        };
        if !self.tokens.is_valid(&self.api, authorization, usage, era, &id).await {
            return Err(Refusal::NotAuthorized);
        }
        let authorization = authorization.clone();
        Ok(Caller { authorization, id, passed_on: self.passed_on(&parts.headers) })
    }

    /// What keepstores are told besides who asks.
    fn passed_on(&self, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        let era = self.config.era;
        let wish =
            headers.get(SIGNATURE).filter(|_| keepproxy::PASSES_ON_WISH_FOR_SIGNATURE.of(era));
        let wish = wish.map(|wish| (SIGNATURE, wish.clone()));
        let tells = keepproxy::TELLS_ITS_WAY.of(era);
        let way = tells.then_some((VIA_HEADER, HeaderValue::from_static(VIA)));
        wish.into_iter().chain(way).collect()
    }

    /// How many copies of a block are to be made, and in which storage classes.
    fn wish(&self, parts: &Parts) -> Wish {
        let era = self.config.era;
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let copies = text("x-keep-desired-replicas").and_then(|text| text.trim().parse().ok());
        let copies =
            copies.filter(|copies| *copies > 0 && keepproxy::HEEDS_WISHED_REPLICAS.of(era));
        let classes = text("x-keep-storage-classes").map(stored::parse_wished);
        let classes = classes.filter(|_| keepproxy::HAS_STORAGE_CLASSES.of(era));
        Wish {
            copies: copies.unwrap_or(self.config.default_replicas),
            classes: classes.unwrap_or_default(),
        }
    }

    fn with_constant_headers(&self, mut response: Response<Body>) -> Response<Body> {
        for (name, value) in [
            ("access-control-allow-methods", "GET, HEAD, POST, PUT, OPTIONS"),
            ("access-control-allow-origin", "*"),
            ("access-control-allow-headers", keepproxy::CORS_REQUEST_HEADERS.of(self.config.era)),
            ("access-control-max-age", "86486400"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if keepproxy::TELLS_ITS_WAY.of(self.config.era) {
            response.headers_mut().insert(VIA_HEADER, HeaderValue::from_static(VIA));
        }
        response
    }
}

/// What comes of `written`, unless the client is gone before `received` is done. A client listens only
/// when it has sent all: that is waited for, even where nobody wants the block.
async fn while_it_comes<T>(
    received: impl Future<Output = Result<Option<String>, Refusal>>,
    written: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let (mut received, mut written) = (pin!(received), pin!(written));
    tokio::select! {
        biased;
        all = &mut received => {
            all?;
            written.await
        }
        result = &mut written => {
            received.await?;
            result
        }
    }
}
