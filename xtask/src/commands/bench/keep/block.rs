//! Blocks that are all different, and of which only the end has to be hashed.

use std::sync::Arc;

use md5::{Digest, Md5};

/// The end of a block, by which it differs from all others.
pub(super) const STAMP: usize = 16;

/// All blocks of one size.
pub(super) struct Blocks {
    /// Shared by all: what comes before the stamp.
    beginning: Arc<[u8]>,
    hash_so_far: Md5,
}

/// One of them.
#[derive(Clone)]
pub(super) struct Block {
    /// Its MD5, in hexadecimal digits.
    pub(super) hash: String,
    pub(super) beginning: Arc<[u8]>,
    pub(super) stamp: [u8; STAMP],
}

impl Blocks {
    /// Blocks of `size` bytes, more than a stamp has. Their bytes do not compress.
    pub(super) fn new(size: usize) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = (0..size / 8 - STAMP / 8).flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        let beginning: Arc<[u8]> = words.collect();
        let hash_so_far = Md5::new_with_prefix(&beginning);
        Self { beginning, hash_so_far }
    }

    /// The block of that number.
    pub(super) fn block(&self, number: u64) -> Block {
        let mut stamp = [0; STAMP];
        stamp[..8].copy_from_slice(&number.to_le_bytes());
        let hash = self.hash_so_far.clone().chain_update(stamp).finalize();
        let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Block { hash, beginning: Arc::clone(&self.beginning), stamp }
    }
}

impl Block {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.beginning.len() + STAMP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_its_size_and_its_own_hash() {
        let blocks = Blocks::new(1024);
        let (one, two) = (blocks.block(1), blocks.block(2));
        assert_eq!(one.len(), 1024);
        assert_ne!(one.hash, two.hash);
        let whole = [&one.beginning[..], &one.stamp[..]].concat();
        let hash: String = Md5::digest(whole).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(one.hash, hash);
    }
}
