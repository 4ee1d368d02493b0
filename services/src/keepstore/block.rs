//! A block in memory: how it is received, and how long it counts against the bound on memory.

use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Receiver;

use crate::signature::to_hex;

/// A block's content, for as long as anyone uses it, with its permit to take up memory.
pub(super) struct Block {
    /// The bytes.
    pub(super) content: Vec<u8>,
    /// Given back when the block is dropped.
    _permit: OwnedSemaphorePermit,
}

impl Block {
    /// Takes the content that `permit` was got for.
    pub(super) fn new(content: Vec<u8>, permit: OwnedSemaphorePermit) -> Self {
        Self { content, _permit: permit }
    }

    /// The content to be sent; the permit is given back when the last byte is out.
    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

/// Collects a body of `length` bytes and hashes it as it comes. For a blocking thread.
///
/// Returns the content and its MD5 in hexadecimal, or `None` when the body ended early.
pub(super) fn receive(chunks: &mut Receiver<Bytes>, length: usize) -> Option<(Vec<u8>, String)> {
    let mut content = Vec::with_capacity(length);
    let mut hasher = Md5::new();
    while let Some(chunk) = chunks.blocking_recv() {
        hasher.update(&chunk);
        content.extend_from_slice(&chunk);
    }
    (content.len() == length).then(|| (content, to_hex(&hasher.finalize())))
}
