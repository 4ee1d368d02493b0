//! In how large pieces blocks pass through a service. With many connections these are smaller, so that
//! memory grows little with them.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The largest piece, in bytes: with smaller ones, large blocks take longer.
pub(crate) const LARGEST: usize = 128 << 10;

/// The smallest: with 16 KiB, 64 clients store large blocks at three quarters of the rate.
const SMALLEST: usize = 32 << 10;

/// So many bytes may wait for a service, or from one, before no more piece is taken. With more, memory
/// grows with every connection, and nothing is faster.
pub(crate) const WAITING: usize = SMALLEST;

/// Up to so many connections have the largest pieces.
const FEW: usize = 8;

/// How many connections clients have to this process.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Counts as an open connection while it is there.
pub(crate) struct Open(());

impl Open {
    /// One more.
    pub(crate) fn count() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many bytes a piece should have now.
pub(crate) fn size() -> usize {
    size_among(OPEN.load(Ordering::Relaxed))
}

fn size_among(connections: usize) -> usize {
    (LARGEST * FEW / connections.max(1)).clamp(SMALLEST, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_connections_the_smaller_are_pieces() {
        assert_eq!([0, 1, 8].map(size_among), [LARGEST; 3]);
        assert_eq!([16, 32].map(size_among), [LARGEST / 2, LARGEST / 4]);
        assert_eq!(size_among(1000), SMALLEST);
    }
}
