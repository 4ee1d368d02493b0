//! A block that comes in: hashed as it comes; a small one in memory, a large one written aside on a
//! volume, where it only has to be renamed.

use std::io::{self, Read, Seek, SeekFrom};

use fast_md5::Md5;
use tempfile::NamedTempFile;

use super::block::SMALL_BYTES;
use super::refusal::Refusal;
use super::store::Store;
use crate::locator::MAX_BLOCK_SIZE;
use crate::log;
use crate::signature::to_hex;

/// A block of which some has come. Its functions wait for the disk: they are for blocking threads.
pub(super) struct Arrival<'a> {
    store: &'a Store,
    /// Names the file aside. What has come may yet turn out to have another hash.
    hash: &'a str,
    hasher: Md5,
    length: u64,
    /// Whether it is to stay in memory, as far as its length is known.
    may_be_small: bool,
    content: Content,
}

/// A block that has come whole.
pub(super) struct Received {
    /// Its MD5 in hexadecimal.
    pub(super) hash: String,
    /// How many bytes it has.
    pub(super) length: u64,
    pub(super) content: Content,
}

/// What has come.
pub(super) enum Content {
    /// In memory.
    Small(Vec<u8>),
    /// In a file on the volume of this number.
    Aside(usize, NamedTempFile),
    /// In the block's own file on a volume.
    InPlace(std::fs::File),
}

impl<'a> Arrival<'a> {
    /// Nothing has come yet of a block that is to have this hash, and `length` bytes if that is
    /// known.
    pub(super) fn new(store: &'a Store, hash: &'a str, length: Option<usize>) -> Self {
        let may_be_small = length.is_none_or(|length| length <= SMALL_BYTES);
        let room = length.filter(|_| may_be_small).unwrap_or(0);
        let content = Content::Small(Vec::with_capacity(room));
        Self { store, hash, hasher: Md5::new(), length: 0, may_be_small, content }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When it is too much for a block, or for the volumes.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        self.length += piece.len() as u64;
        if self.length > MAX_BLOCK_SIZE {
            return Err(Refusal::TooLarge);
        }
        self.hasher.update(piece);
        match &mut self.content {
            Content::Small(content) if self.may_be_small && self.length <= SMALL_BYTES as u64 => {
                content.extend_from_slice(piece);
                return Ok(());
            }
            Content::Aside(number, file) => match self.store.append(*number, file, piece) {
                Ok(()) => return Ok(()),
                Err(error) => log::line(format_args!("keepstore: {}: {error}", self.hash)),
            },
            _ => {}
        }
        // It is large, or the disk is full.
        let known = self.length - piece.len() as u64;
        self.content = self.store.set_aside(self.hash, &self.content, known, piece)?;
        Ok(())
    }

    /// All has come.
    pub(super) fn finish(self) -> Received {
        let hash = to_hex(&self.hasher.finalize());
        Received { hash, length: self.length, content: self.content }
    }
}

impl Content {
    /// Reads from the start.
    ///
    /// # Errors
    /// When the file aside is not readable.
    pub(super) fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Small(content) => Box::new(&content[..]),
            Self::Aside(_, file) => from_start(file.as_file())?,
            Self::InPlace(file) => from_start(file)?,
        })
    }
}

fn from_start(mut file: &std::fs::File) -> io::Result<Box<dyn Read + '_>> {
    file.seek(SeekFrom::Start(0))?;
    Ok(Box::new(file))
}
