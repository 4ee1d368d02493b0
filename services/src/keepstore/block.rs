//! A block's content: a small one in memory, a large one in a file, so that memory stays bounded
//! whatever the size of blocks and the number of clients.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use bytes::Bytes;
use fast_md5::Md5;
use fs_err::File;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::pieces;
use crate::serve::{Body, BoxError, full};
use crate::signature::to_hex;

/// The most bytes that are kept in memory: no more than of a larger block.
pub(super) const SMALL_BYTES: usize = pieces::LARGEST;

/// How much is read at a time: what was just read is still in the cache when it is hashed.
pub(super) const STEP_BYTES: usize = 64 << 10;

/// The content of a block.
#[derive(Debug)]
pub(super) enum Block {
    /// All of it.
    Small(Vec<u8>),
    /// A file that nobody changes, and its length.
    Large(File, u64),
}

impl Block {
    /// How many bytes it has.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Small(content) => content.len() as u64,
            Self::Large(_, length) => *length,
        }
    }

    /// Takes the content of `file`, which has `size` bytes, and its MD5 in hexadecimal. For a blocking
    /// thread.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(mut file: File, size: u64) -> io::Result<(Self, String)> {
        let mut hasher = Md5::new();
        if let Ok(small) = usize::try_from(size)
            && small <= SMALL_BYTES
        {
            let mut content = Vec::with_capacity(small);
            // Not to its end, which would be looked for once more.
            file.take(size).read_to_end(&mut content)?;
            hasher.update(&content);
            return Ok((Self::Small(content), to_hex(&hasher.finalize())));
        }
        let length = each_step(&mut file, |step| hasher.update(step))?;
        file.seek(SeekFrom::Start(0))?;
        Ok((Self::Large(file, length), to_hex(&hasher.finalize())))
    }

    /// The content to be sent.
    pub(super) fn into_body(self) -> Body {
        match self {
            Self::Small(content) => full(content),
            Self::Large(file, length) => pieces(file, length),
        }
    }
}

/// Reads `file` to its end, step by step; returns how many bytes that were.
///
/// # Errors
/// When it cannot be read.
pub(super) fn each_step(file: &mut File, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![0; STEP_BYTES];
    let mut length = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(length),
            read => {
                take(&buffer[..read]);
                length += read as u64;
            }
        }
    }
}

/// The next `left` bytes of `file`, of which few are in memory however slowly they are taken.
fn pieces(file: File, left: u64) -> Body {
    let pieces = stream::try_unfold((file, left), |(file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        // It was hashed a moment ago, and lies in the kernel's memory.
        let piece = read_piece(&file, left)?;
        let left = left - piece.len() as u64;
        Ok::<_, BoxError>(Some((Frame::data(Bytes::from(piece)), (file, left))))
    });
    StreamBody::new(pieces).boxed()
}

fn read_piece(mut file: &File, left: u64) -> io::Result<Vec<u8>> {
    let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(pieces::size());
    let mut piece = vec![0; wanted];
    let read = file.read(&mut piece)?;
    piece.truncate(read);
    match piece.is_empty() {
        true => Err(ErrorKind::UnexpectedEof.into()),
        false => Ok(piece),
    }
}

#[cfg(test)]
mod tests {
    use md5::Digest;

    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block");
        fs_err::write(&path, content).unwrap();
        let file = File::open(path).unwrap();
        (folder, file)
    }

    #[tokio::test]
    async fn blocks_of_every_size_go_out_as_they_are() {
        for size in [0, 1, SMALL_BYTES, SMALL_BYTES + 1, 3 * pieces::LARGEST] {
            let content: Vec<u8> = (0..size).map(|at| (at >> 8) as u8).collect();
            let (_folder, file) = file(&content);
            let (block, hash) = Block::read(file, size as u64).unwrap();
            assert_eq!(matches!(block, Block::Small(_)), size <= SMALL_BYTES);
            assert_eq!(block.length(), size as u64);
            assert_eq!(hash, to_hex(&md5::Md5::digest(&content)));
            let sent = block.into_body().collect().await.unwrap().to_bytes();
            assert!(sent == content);
        }
    }

    #[tokio::test]
    async fn a_file_that_was_cut_off_meanwhile_ends_the_reply() {
        let (_folder, file) = file(b"cut off");
        assert!(pieces(file, 8).collect().await.is_err());
    }
}
