//! Something that happens once, and that many threads may wait for while they wait for other things.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

/// Readable, for all who wait, once it has been set.
#[derive(Debug)]
pub(crate) struct Latch {
    reader: PipeReader,
    /// Its end is what the others see.
    writer: Mutex<Option<PipeWriter>>,
}

impl Latch {
    /// # Errors
    /// When there is no descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self { reader, writer: Mutex::new(Some(writer)) })
    }

    /// To set it again changes nothing.
    pub(crate) fn set(&self) {
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl AsFd for Latch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::process::poll;

    #[test]
    fn a_latch_is_readable_once_it_is_set_and_stays_so() {
        let latch = Latch::new().unwrap();
        let ready = || poll::until_readable(&[&latch], Some(Instant::now())).unwrap();
        assert_eq!(ready(), [0; 0]);
        latch.set();
        latch.set();
        assert_eq!((ready(), ready()), (vec![0], vec![0]));
    }
}
