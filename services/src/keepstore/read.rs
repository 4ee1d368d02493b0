//! Reading a block: permission first, then the disk; no byte goes out before all are checked.

use std::sync::Arc;

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response};

use super::receive::blocking;
use super::refusal::Refusal;
use super::server::{Keepstore, add_headers};
use crate::authorization;
use crate::era::keepstore;
use crate::in_place::at_once;
use crate::locator::Locator;
use crate::serve::{Body, empty};

impl Keepstore {
    /// Answers GET and HEAD.
    ///
    /// # Errors
    /// When the caller may not read the block, or it is not there.
    pub(super) async fn read(
        &self,
        locator: &Locator<'_>,
        parts: &Parts,
    ) -> Result<Response<Body>, Refusal> {
        self.check_permission(locator, &parts.headers)?;
        let buffer = self.buffers.get().await?;
        let bytes = self.store.length(locator.hash).unwrap_or(0);
        let store = Arc::clone(&self.store);
        let hash = locator.hash.to_owned();
        // The buffer is for checking; a client may then take its time.
        let read = move || {
            let _buffer = buffer;
            store.read(&hash)
        };
        let block = match self.store.is_quick_with(bytes) {
            true => at_once(read)??,
            false => blocking(read).await??,
        };
        let length = block.length();
        let differs = locator.size.is_some_and(|size| size > 0 && size != length);
        if differs && keepstore::READING_CHECKS_SIZE.of(self.era) {
            return Err(Refusal::Corrupt);
        }
        let body = if parts.method == Method::HEAD { empty() } else { block.into_body() };
        let mut response = Response::new(body);
        add_headers(&mut response, keepstore::READ.of(self.era));
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, length.into());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if let Some(local) = self.local_locator(locator, length, &parts.headers) {
            headers.insert("x-keep-locator", local);
        }
        Ok(response)
    }

    /// Whether the caller may read the block.
    fn check_permission(&self, locator: &Locator<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
        // No other cluster can be asked for its block. Who has a signature as we would make it gets ours.
        let is_elsewhere = locator.is_elsewhere() && keepstore::KNOWS_CLUSTERS.of(self.era);
        if !self.enforce && !is_elsewhere {
            return Ok(());
        }
        let token = authorization::token(headers).ok_or(Refusal::NoToken)?;
        let signer = self.signer.as_ref().ok_or(Refusal::NotSigned)?;
        match is_elsewhere {
            true => Ok(signer.check_remote(locator, token)?),
            false => Ok(signer.check(locator, token)?),
        }
    }

    /// The locator with our own signature, for a client that has another cluster's and asks for it
    /// with `X-Keep-Signature: local, TIME`.
    fn local_locator(
        &self,
        locator: &Locator<'_>,
        length: u64,
        headers: &HeaderMap,
    ) -> Option<HeaderValue> {
        let wish = headers.get("x-keep-signature")?.to_str().ok()?;
        let is_local =
            wish.split(',').next() == Some("local") && keepstore::KNOWS_CLUSTERS.of(self.era);
        let is_remote = locator.hints().any(|hint| hint.starts_with('R'));
        let (signer, token) = (self.signer.as_ref()?, authorization::token(headers)?);
        let hash = locator.hash;
        let text = format!("{hash}+{length}+{}", signer.hint(hash, token));
        HeaderValue::try_from(text).ok().filter(|_| is_local && is_remote)
    }
}
