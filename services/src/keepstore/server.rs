//! Answers keepstore's requests: who may ask for what. [`super::read`], [`super::write`] and
//! [`super::manage`] have what comes of it.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response};
use percent_encoding::percent_decode_str;

use super::buffers::Buffers;
use super::config::Config;
use super::maintenance::Maintenance;
use super::refusal::Refusal;
use super::routes::{Route, route};
use super::store::Store;
use super::trash::Deleting;
use super::trash_sweep;
use crate::era::{Era, keepstore};
use crate::request_log::RequestId;
use crate::serve::{Body, empty, full};
use crate::signature::Signer;
use crate::{authorization, go_request_rules, unread_body};

/// A running keepstore.
pub(super) struct Keepstore {
    pub(super) era: Era,
    pub(super) signer: Option<Signer>,
    pub(super) enforce: bool,
    data_manager_tokens: Vec<String>,
    pub(super) deleting: Deleting,
    pub(super) store: Arc<Store>,
    pub(super) buffers: Buffers,
    pub(super) maintenance: Arc<Maintenance>,
}

impl Keepstore {
    /// Sets up what `config` says.
    pub(super) fn new(config: Config) -> Self {
        let era = config.era;
        let store = Arc::new(Store::new(config.volumes));
        let buffers =
            Buffers::new(config.max_buffers, keepstore::MAY_WAIT_FOR_A_BUFFER.of(config.era));
        let maintenance = Maintenance::new(
            Arc::clone(&store),
            buffers.clone(),
            config.signer.clone(),
            config.deleting,
            era,
        );
        Self {
            era,
            signer: config.signer,
            enforce: config.enforce,
            data_manager_tokens: config.data_manager_tokens,
            deleting: config.deleting,
            store,
            buffers,
            maintenance: Arc::new(maintenance),
        }
    }

    /// Has the trash swept from now on, if it is ever filled.
    pub(super) fn begin_to_sweep(&self) {
        if let Some(interval) = self.deleting.sweep_every.filter(|_| self.deleting.enabled) {
            tokio::spawn(trash_sweep::sweep_for_ever(Arc::clone(&self.store), interval));
        }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let (parts, body) = match go_request_rules::checked(parts, body) {
            Ok(good) => good,
            Err(refusal) => return *refusal,
        };
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        let route = match route(&parts.method, &path, self.era) {
            Some(route) => self.allowed(route, &parts.headers),
            None => Err(Refusal::BadRequest),
        };
        let result = match route {
            Ok(Route::Write(hash)) => self.write(hash, &parts, body).await,
            Ok(Route::Pull) => self.take_pulls(body).await,
            Ok(Route::Trash) => self.take_trash(body).await,
            bodiless => {
                let ended = unread_body::discard(&parts.headers, body).await;
                let result = match bodiless {
                    Ok(route) => self.answer_bodiless(route, &parts).await,
                    Err(refusal) => Err(refusal),
                };
                result.or_else(|refusal| Ok(ended.mark(refusal.reply(self.era))))
            }
        };
        let mut response = result.unwrap_or_else(|refusal| refusal.reply(self.era));
        if keepstore::TELLS_REQUEST_ID.of(self.era) {
            RequestId::given_to(&parts).tell(response.headers_mut());
        }
        add_headers(&mut response, keepstore::CORS.of(self.era));
        response
    }

    async fn answer_bodiless(
        &self,
        route: Route<'_>,
        parts: &Parts,
    ) -> Result<Response<Body>, Refusal> {
        match route {
            Route::Read(locator) => self.read(&locator, parts).await,
            Route::Delete(hash) => self.delete(hash).await,
            Route::Undelete(hash) => self.undelete(hash).await,
            Route::Touch(hash) => self.touch(hash).await,
            Route::Index { mount, prefix } => {
                self.index(mount, prefix, parts.uri.query().unwrap_or_default()).await
            }
            Route::Mounts => Ok(self.mounts()),
            Route::Status => self.status().await,
            Route::Preflight => Ok(Response::new(empty())),
            // These have bodies.
            Route::Write(_) | Route::Pull | Route::Trash => Err(Refusal::BadRequest),
        }
    }

    /// The route, if the caller may take it as far as the token is concerned.
    fn allowed<'a>(&self, route: Route<'a>, headers: &HeaderMap) -> Result<Route<'a>, Refusal> {
        let [no_token, other_token] = match route {
            Route::Read(_) | Route::Write(_) | Route::Status | Route::Preflight => {
                return Ok(route);
            }
            Route::Delete(_) => [Refusal::NoTokenToDelete, Refusal::MayNotDelete],
            Route::Undelete(_)
            | Route::Touch(_)
            | Route::Index { .. }
            | Route::Mounts
            | Route::Pull
            | Route::Trash => [Refusal::NoManagerToken, Refusal::NotDataManager],
        };
        match authorization::token(headers) {
            None => Err(no_token),
            Some(token) if self.data_manager_tokens.iter().any(|known| known == token) => Ok(route),
            Some(_) => Err(other_token),
        }
    }
}

/// A reply with a line of plain text, or with a document.
pub(super) fn said(kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(full(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Adds constant headers.
pub(super) fn add_headers(response: &mut Response<Body>, headers: &'static [(&str, &str)]) {
    for (name, value) in headers {
        response.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
}
