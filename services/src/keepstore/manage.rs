//! What only the data manager may: list blocks and volumes, delete blocks, and hand in lists of blocks
//! to fetch and to delete.

use std::sync::Arc;

use form_urlencoded::parse;
use http_body_util::{BodyExt, Limited};
use hyper::Response;
use hyper::body::Incoming;
use serde_json::json;

use super::maintenance::{Pull, parse_list};
use super::receive::blocking;
use super::refusal::Refusal;
use super::routes::is_prefix;
use super::server::{Keepstore, said};
use super::{index, mounts, status};
use crate::era::keepstore;
use crate::locator::is_hash;
use crate::log;
use crate::serve::{Body, empty, full};

/// The longest list of blocks to fetch or to delete.
const MAX_LIST_BYTES: usize = 64 << 20;

impl Keepstore {
    /// Takes a list of blocks to fetch, and answers before that is done.
    ///
    /// # Errors
    /// When it is no list.
    pub(super) async fn take_pulls(&self, body: Incoming) -> Result<Response<Body>, Refusal> {
        let pulls: Vec<Pull> = parse_list(&list(body).await?)?;
        let lacks_size = pulls.first().is_some_and(|pull| is_hash(&pull.locator));
        if lacks_size && keepstore::PULLS_NEED_SIZES.of(self.era) {
            return Err(Refusal::NoSize);
        }
        let count = pulls.len();
        self.maintenance.pull(pulls);
        Ok(self.received(count, "pull"))
    }

    /// Takes a list of blocks to delete, and answers before that is done.
    ///
    /// # Errors
    /// When it is no list.
    pub(super) async fn take_trash(&self, body: Incoming) -> Result<Response<Body>, Refusal> {
        let trash = parse_list(&list(body).await?)?;
        let count = trash.len();
        self.maintenance.trash(trash);
        Ok(self.received(count, "trash"))
    }

    fn received(&self, count: usize, name: &str) -> Response<Body> {
        match keepstore::COUNTS_WHAT_IS_ASKED.of(self.era) {
            true => {
                said("text/plain; charset=utf-8", format!("Received {count} {name} requests\n"))
            }
            false => Response::new(empty()),
        }
    }

    /// Deletes a block from all volumes.
    ///
    /// # Errors
    /// When it is on none, or could not be deleted from any.
    pub(super) async fn delete(&self, hash: &str) -> Result<Response<Body>, Refusal> {
        let deleting = self.deleting;
        if !deleting.enabled {
            return Err(Refusal::NeverDelete);
        }
        let (store, hash) = (Arc::clone(&self.store), hash.to_owned());
        let done = blocking(move || store.delete(&hash, deleting)).await?;
        if done.deleted + done.failed == 0 {
            return Err(Refusal::NothingToDelete);
        }
        Ok(match keepstore::COUNTS_WHAT_IS_ASKED.of(self.era) {
            true => {
                let count = json!({"copies_deleted": done.deleted, "copies_failed": done.failed});
                said("text/plain; charset=utf-8", count.to_string())
            }
            false if done.failed > 0 => return Err(Refusal::Failed),
            false => Response::new(empty()),
        })
    }

    /// Takes a block out of the trash.
    ///
    /// # Errors
    /// When it is in none.
    pub(super) async fn undelete(&self, hash: &str) -> Result<Response<Body>, Refusal> {
        let (store, hash) = (Arc::clone(&self.store), hash.to_owned());
        let undelete = move || {
            store.on_each_copy("cannot take a block out of the trash", |it| it.undelete(&hash))
        };
        blocking(undelete).await?.map(|()| done())
    }

    /// Marks a block as used.
    ///
    /// # Errors
    /// When it is on no volume.
    pub(super) async fn touch(&self, hash: &str) -> Result<Response<Body>, Refusal> {
        let (store, hash) = (Arc::clone(&self.store), hash.to_owned());
        let touch =
            move || store.on_each_copy("cannot refresh a block", |volume| volume.touch(&hash));
        blocking(touch).await?.map(|()| done())
    }

    /// Lists the blocks on all volumes, or on the one with this uuid, whose hash begins so. The prefix
    /// may also be in the query.
    ///
    /// # Errors
    /// When there is no such volume, or one cannot be read.
    pub(super) async fn index(
        &self,
        mount: Option<&str>,
        prefix: &str,
        query: &str,
    ) -> Result<Response<Body>, Refusal> {
        let asked = parse(query.as_bytes()).find(|(name, _)| name == "prefix");
        let prefix = asked.map_or(prefix.to_owned(), |(_, value)| value.into_owned());
        let (store, era, mount) = (Arc::clone(&self.store), self.era, mount.map(str::to_owned));
        let listed = blocking(move || {
            let mut text = String::new();
            let is_meant = |uuid: &str| mount.as_deref().is_none_or(|mount| mount == uuid);
            let mut volumes =
                store.volumes().iter().filter(|it| is_meant(&it.mount().uuid)).peekable();
            if volumes.peek().is_none() || !is_prefix(&prefix) {
                return Ok(None);
            }
            for volume in volumes {
                index::list(volume, &prefix, era, &mut text)?;
            }
            // The empty line tells the reader that the list is whole.
            text.push('\n');
            Ok(Some(text))
        });
        let listed = listed.await?.map_err(|error: std::io::Error| {
            log::line(format_args!("keepstore: index: {error}"));
            Refusal::Failed
        })?;
        Ok(said("text/plain; charset=utf-8", listed.ok_or(Refusal::NotFound)?))
    }

    /// Lists the volumes.
    pub(super) fn mounts(&self) -> Response<Body> {
        let list = mounts::document(self.store.volumes(), self.deleting.enabled);
        said("text/plain; charset=utf-8", format!("{list}\n"))
    }

    /// Tells about volumes, buffers and lists.
    ///
    /// # Errors
    /// When the work was given up.
    pub(super) async fn status(&self) -> Result<Response<Body>, Refusal> {
        let (store, buffers) = (Arc::clone(&self.store), self.buffers.clone());
        let maintenance = Arc::clone(&self.maintenance);
        let document =
            blocking(move || status::document(store.volumes(), &maintenance, &buffers)).await?;
        Ok(said("application/json", document.to_string()))
    }
}

async fn list(body: Incoming) -> Result<bytes::Bytes, Refusal> {
    let body = Limited::new(body, MAX_LIST_BYTES).collect().await;
    Ok(body.map_err(|_| Refusal::BadRequest)?.to_bytes())
}

fn done() -> Response<Body> {
    Response::new(full(""))
}
