//! The body of a request on its way to the disk: it comes in here, and goes on to a thread that may
//! hash it and wait for the disk.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::arrival::{Arrival, Received};
use super::block::SMALL_BYTES;
use super::refusal::Refusal;
use super::store::Store;
use crate::in_place::at_once;
use crate::locator::MAX_BLOCK_SIZE;
use crate::log;

/// How many pieces of a body may wait for the thread that hashes them.
const PIECES_WAITING: usize = 1;

/// How long a sender may pause within a body: a buffer is kept for it meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// Receives a block that is to have this hash, and `length` bytes if that is known, and hands it to
/// `then` on the blocking thread. Whether it has the hash is for `then` to see.
///
/// # Errors
/// What `then` says, and why the block did not come whole.
pub(super) async fn receive<T: Send + 'static>(
    store: Arc<Store>,
    hash: String,
    length: Option<usize>,
    body: Incoming,
    then: impl FnOnce(&Store, Received) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match length {
        Some(length) if length <= SMALL_BYTES => {
            let pieces = all(body).await?.into_iter();
            match store.is_quick_with(length as u64) {
                true => at_once(|| collect(&store, &hash, Some(length), pieces, then))?,
                false => {
                    blocking(move || collect(&store, &hash, Some(length), pieces, then)).await?
                }
            }
        }
        _ => {
            let (sender, mut receiver) = mpsc::channel(PIECES_WAITING);
            let work = blocking(move || {
                let pieces = std::iter::from_fn(|| receiver.blocking_recv());
                collect(&store, &hash, length, pieces, then)
            });
            let (worked, ()) = tokio::join!(work, forward(body, sender));
            worked?
        }
    }
}

/// A piece of a body, or that it ended early.
type Piece = Result<Bytes, Refusal>;

fn collect<T>(
    store: &Store,
    hash: &str,
    length: Option<usize>,
    pieces: impl Iterator<Item = Piece>,
    then: impl FnOnce(&Store, Received) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut arrival = Arrival::new(store, hash, length);
    for piece in pieces {
        arrival.take(&piece?)?;
    }
    let received = arrival.finish();
    match length {
        Some(length) if length as u64 != received.length => Err(Refusal::Interrupted),
        _ => then(store, received),
    }
}

/// All pieces of a small body.
async fn all(mut body: Incoming) -> Result<Vec<Piece>, Refusal> {
    let mut pieces = Vec::new();
    while let Some(piece) = next(&mut body).await {
        pieces.push(Ok(piece?));
    }
    Ok(pieces)
}

/// Passes the pieces on. When nobody wants them any more, the rest of a block is still read, since
/// a client listens only when it has sent all.
async fn forward(mut body: Incoming, sender: mpsc::Sender<Piece>) {
    let mut left = MAX_BLOCK_SIZE;
    loop {
        // Nothing is read before there is room for it.
        let wanted = sender.reserve().await;
        let Some(piece) = next(&mut body).await else { break };
        let (length, is_over) =
            piece.as_ref().map_or((0, true), |piece| (piece.len() as u64, false));
        if let Ok(wanted) = wanted {
            wanted.send(piece);
        }
        if is_over || length > left {
            break;
        }
        left -= length;
    }
}

/// The next piece; `None` at the end.
async fn next(body: &mut Incoming) -> Option<Piece> {
    loop {
        return match timeout(PATIENCE, body.frame()).await {
            Ok(None) => None,
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(piece) => Some(Ok(piece)),
                // Trailers say nothing of the block.
                Err(_) => continue,
            },
            Ok(Some(Err(_))) | Err(_) => Some(Err(Refusal::Interrupted)),
        };
    }
}

/// Runs what waits for the disk, or computes for long, on a thread where it may.
///
/// # Errors
/// When it panicked.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    spawn_blocking(work).await.map_err(|error| {
        log::line(format_args!("keepstore: {error}"));
        Refusal::Failed
    })
}
