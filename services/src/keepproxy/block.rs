//! A block on its way to keepstores: what has come of it goes out at once, to as many as want it, and
//! once more to another where one fails. A small one is in memory, a large one in a file without a
//! name, so that a client takes no more memory than a piece or two, however slowly its block comes.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fast_md5::Md5;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::refusal::Refusal;
use crate::log;
use crate::pieces;
use crate::serve::{Body, BoxError, full};
use crate::signature::to_hex;

/// The most bytes of a block that are kept in memory: those of a piece.
const SMALL_BYTES: usize = pieces::LARGEST;

/// How long a client may pause within a body.
const PATIENCE: Duration = Duration::from_secs(60);

/// A block of which all or some has come.
pub(super) struct Block {
    content: Content,
    length: u64,
}

enum Content {
    Small(Bytes),
    Large { file: Arc<std::fs::File>, come: watch::Receiver<Come> },
}

/// How much has come of a large block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Come {
    /// So many bytes.
    Bytes(u64),
    /// The client is gone.
    Interrupted,
}

/// What is still to come of a block.
pub(super) enum Rest {
    /// Nothing: it is small.
    Nothing(Bytes),
    /// All of it.
    All { body: Incoming, file: Arc<std::fs::File>, come: watch::Sender<Come>, length: u64 },
}

impl Block {
    /// A block of `length` bytes in `body`. A small one has come when this returns; the rest of a
    /// large one comes with [`Rest::receive`].
    ///
    /// # Errors
    /// When the body of a small one ends early, or there is no room for a large one.
    pub(super) async fn of(body: Incoming, length: usize) -> Result<(Self, Rest), Refusal> {
        let size = length as u64;
        if length <= SMALL_BYTES {
            let content = all(body, length).await?;
            let block = Self { content: Content::Small(content.clone()), length: size };
            return Ok((block, Rest::Nothing(content)));
        }
        let file = blocking(tempfile::tempfile).await?;
        let file = Arc::new(file);
        let (sender, come) = watch::channel(Come::Bytes(0));
        let content = Content::Large { file: Arc::clone(&file), come };
        Ok((Self { content, length: size }, Rest::All { body, file, come: sender, length: size }))
    }

    /// How many bytes it has.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The block from its start, each piece as soon as it has come.
    pub(super) fn body(&self) -> Body {
        let (file, come) = match &self.content {
            Content::Small(content) => return full(content.clone()),
            Content::Large { file, come } => (Arc::clone(file), come.clone()),
        };
        let length = self.length;
        let pieces = stream::try_unfold((file, come, 0), move |(file, mut come, at)| async move {
            if at == length {
                return Ok(None);
            }
            let come_so_far = *come.wait_for(|come| *come != Come::Bytes(at)).await?;
            let Come::Bytes(until) = come_so_far else {
                return Err("the client is gone".into());
            };
            // It was written a moment ago, and lies in the kernel's memory.
            let piece = read_piece(&file, at, until)?;
            let next = at + piece.len() as u64;
            Ok::<_, BoxError>(Some((Frame::data(piece), (file, come, next))))
        });
        StreamBody::new(pieces).boxed()
    }

    /// Waits until all of it has come, or no more will.
    pub(super) async fn has_come(&self) {
        if let Content::Large { come, .. } = &self.content {
            let (mut come, all) = (come.clone(), Come::Bytes(self.length));
            // Whoever would tell is gone: no more will come.
            let _ = come.wait_for(|come| *come == all || *come == Come::Interrupted).await;
        }
    }
}

impl Rest {
    /// Receives the rest, and returns the MD5 of the whole block in hexadecimal if that `is_wanted`.
    ///
    /// # Errors
    /// When the client is gone before all has come, or the disk is full.
    pub(super) async fn receive(self, is_wanted: bool) -> Result<Option<String>, Refusal> {
        let mut hasher = is_wanted.then(Md5::new);
        match self {
            Self::Nothing(content) => {
                if let Some(hasher) = &mut hasher {
                    hasher.update(&content);
                }
            }
            Self::All { mut body, file, come, length } => {
                let mut at = 0;
                while at < length {
                    let Some(piece) = next(&mut body).await else {
                        come.send_replace(Come::Interrupted);
                        return Err(Refusal::Interrupted);
                    };
                    let (target, size) = (Arc::clone(&file), piece.len() as u64);
                    let write = move || {
                        target.write_all_at(&piece, at)?;
                        if let Some(hasher) = &mut hasher {
                            hasher.update(&piece);
                        }
                        Ok(hasher)
                    };
                    hasher = blocking(write).await?;
                    at += size;
                    come.send_replace(Come::Bytes(at));
                }
            }
        }
        Ok(hasher.map(|hasher| to_hex(&hasher.finalize())))
    }
}

/// A body of `length` bytes.
async fn all(mut body: Incoming, length: usize) -> Result<Bytes, Refusal> {
    let mut block = Vec::with_capacity(length);
    while block.len() < length {
        block.extend_from_slice(&next(&mut body).await.ok_or(Refusal::Interrupted)?);
    }
    Ok(block.into())
}

/// The next piece; `None` if the client is gone.
async fn next(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = timeout(PATIENCE, body.frame()).await.ok()??.ok()?;
        if let Ok(piece) = frame.into_data() {
            return Some(piece);
        }
    }
}

fn read_piece(file: &std::fs::File, at: u64, until: u64) -> io::Result<Bytes> {
    let length = usize::try_from(until - at).unwrap_or(usize::MAX).min(pieces::size());
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, at)?;
    Ok(piece.into())
}

/// Runs what waits for the disk on a thread where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let done = spawn_blocking(work).await.map_err(io::Error::other).and_then(|done| done);
    done.map_err(|error| {
        let folder = std::env::temp_dir();
        log::line(format_args!("keepproxy: a block cannot be in {}: {error}", folder.display()));
        Refusal::NotStored
    })
}
