//! Storing a block.

use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Response};

use super::progress::Progress;
use super::receive::receive;
use super::refusal::Refusal;
use super::server::{Keepstore, said};
use crate::era::keepstore;
use crate::locator::MAX_BLOCK_SIZE;
use crate::serve::Body;
use crate::{authorization, unread_body};

impl Keepstore {
    /// Answers PUT.
    ///
    /// # Errors
    /// When the body is no such block, or no volume takes it.
    pub(super) async fn write(
        &self,
        hash: &str,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Response<Body>, Refusal> {
        let headers = &parts.headers;
        let (length, buffer) = match self.prepared(&body).await {
            Ok(prepared) => prepared,
            Err(refusal) => {
                let ended = unread_body::discard(headers, body).await;
                return Ok(ended.mark(refusal.reply(self.era)));
            }
        };
        let classes = match keepstore::PUT_HEEDS_STORAGE_CLASSES.of(self.era) {
            true => storage_classes(headers),
            false => Vec::new(),
        };
        let (store, wanted) = (Arc::clone(&self.store), hash.to_owned());
        let stored = receive(store, hash.to_owned(), length, body, move |store, block| {
            let _buffer = buffer;
            if block.hash != wanted {
                return Err(Refusal::HashMismatch);
            }
            Ok((block.length, store.write(block, classes)?))
        });
        let (length, progress) = stored.await?;
        let mut locator = format!("{hash}+{length}");
        if let (Some(signer), Some(token)) = (&self.signer, authorization::token(headers)) {
            locator = format!("{locator}+{}", signer.hint(hash, token));
        }
        let mut response = said("text/plain; charset=utf-8", locator + "\n");
        if keepstore::CONFIRMS_COPIES.of(self.era) {
            confirm(response.headers_mut(), &progress);
        }
        Ok(response)
    }

    /// The length of the block, if it is known, and a buffer for it.
    async fn prepared(
        &self,
        body: &Incoming,
    ) -> Result<(Option<usize>, super::buffers::Buffer), Refusal> {
        let length = body.size_hint().exact();
        if length.is_none() && !keepstore::PUT_TAKES_UNKNOWN_LENGTH.of(self.era) {
            return Err(Refusal::LengthRequired);
        }
        if length.is_some_and(|length| length > MAX_BLOCK_SIZE) {
            return Err(Refusal::TooLarge);
        }
        if self.store.is_read_only() {
            return Err(Refusal::Full);
        }
        let length = length.map(usize::try_from).transpose().map_err(|_| Refusal::TooLarge)?;
        Ok((length, self.buffers.get().await?))
    }
}

/// Says how many copies there are now.
fn confirm(headers: &mut HeaderMap, progress: &Progress) {
    headers.insert("x-keep-replicas-stored", progress.copies.into());
    if let Ok(classes) = HeaderValue::try_from(progress.classes()) {
        headers.insert("x-keep-storage-classes-confirmed", classes);
    }
}

/// In which classes the client wants its block.
fn storage_classes(headers: &HeaderMap) -> Vec<String> {
    let wish = headers.get("x-keep-storage-classes").and_then(|wish| wish.to_str().ok());
    let classes = wish.unwrap_or_default().split(',').map(str::trim);
    classes.filter(|class| !class.is_empty()).map(str::to_owned).collect()
}
