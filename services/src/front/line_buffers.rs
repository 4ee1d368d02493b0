//! How nginx keeps the head of a request: each line whole in one of a few buffers, one behind the other.

/// The buffer that every connection has (`client_header_buffer_size`).
const FIRST: usize = 1 << 10;

/// Those that come when it is full (`large_client_header_buffers`), and so the most a line may have.
const LARGE: usize = 8 << 10;
const MOST: usize = 4;

/// What is left of them.
#[derive(Debug)]
pub(super) struct LineBuffers {
    /// Bytes left in the last one.
    left: usize,
    /// How many more there may be.
    more: usize,
}

/// A line has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl LineBuffers {
    /// With nothing in them.
    pub(super) fn new() -> Self {
        Self { left: FIRST, more: MOST }
    }

    /// Takes a line, which has `length` bytes with its end.
    ///
    /// # Errors
    /// When there is no place for it.
    pub(super) fn take(&mut self, length: usize) -> Result<(), Full> {
        if length > self.left {
            self.more = self.more.checked_sub(1).ok_or(Full)?;
            self.left = LARGE;
        }
        self.left = self.left.checked_sub(length).ok_or(Full)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many lines have a place behind a short one.
    fn fit(lines: usize, length: usize) -> usize {
        let mut buffers = LineBuffers::new();
        buffers.take(24).unwrap();
        (0..lines).take_while(|_| buffers.take(length).is_ok()).count()
    }

    #[test]
    fn a_line_has_eight_kilobytes_and_stays_whole() {
        assert_eq!(fit(1, LARGE), 1);
        assert_eq!(fit(1, LARGE + 1), 0);
        assert_eq!(fit(9, LARGE), 4);
        // Of one that has more than half, there is one in each.
        assert_eq!(fit(9, LARGE / 2 + 1), 4);
        assert_eq!(fit(9, LARGE / 2), 8);
        // The first buffer has room, too.
        assert_eq!(fit(99, 1000), 1 + 4 * 8);
        assert_eq!(fit(999, 100), 10 + 4 * 81);
    }
}
