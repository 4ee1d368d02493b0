//! Standard output for a command that goes on until somebody ends it.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;

use nix::libc::PIPE_BUF;
use nix::poll::{PollFd, PollFlags};

use crate::failure::Interrupted;
use crate::process::poll::until_ready;
use crate::signals::Interrupt;

/// Standard output, as long as its reader is there and nobody asks us to end: a reader that does
/// not read cannot keep us from noticing that.
pub(crate) struct Stdout<'a> {
    stdout: io::Stdout,
    interrupt: &'a Interrupt,
}

impl<'a> Stdout<'a> {
    /// Until `interrupt`.
    pub(crate) fn new(interrupt: &'a Interrupt) -> Self {
        Self { stdout: io::stdout(), interrupt }
    }

    /// Waits until one of `objects` is readable, and tells which are.
    ///
    /// # Errors
    /// When a signal has arrived, or the reader has gone away: see [`ended`].
    pub(crate) fn wait_for(&self, objects: &[&dyn AsFd]) -> io::Result<Vec<usize>> {
        self.wait(PollFlags::empty(), objects)
    }

    fn wait(&self, output: PollFlags, objects: &[&dyn AsFd]) -> io::Result<Vec<usize>> {
        const OURS: usize = 2;
        let mut polled = vec![
            PollFd::new(self.interrupt.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.stdout.as_fd(), output),
        ];
        let objects = objects.iter();
        polled.extend(objects.map(|object| PollFd::new(object.as_fd(), PollFlags::POLLIN)));
        let ready = until_ready(&mut polled, None)?;
        // What has been read is written as long as somebody takes it: else it would be lost.
        if ready.contains(&1) && !output.is_empty() {
            return Ok(Vec::new());
        }
        self.interrupt.check().map_err(io::Error::other)?;
        match ready.contains(&1) {
            true => Err(ErrorKind::BrokenPipe.into()),
            false => Ok(ready.into_iter().filter_map(|index| index.checked_sub(OURS)).collect()),
        }
    }
}

impl Write for Stdout<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(PollFlags::POLLOUT, &[])?;
        // So much, a pipe that can be written to takes at once.
        let bytes = &bytes[..bytes.len().min(PIPE_BUF)];
        Ok(nix::unistd::write(&self.stdout, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What it means for a command that its output has `ended` so: a reader that has gone away, as
/// `head` does, has seen what it wanted.
///
/// # Errors
/// [`Interrupted`] by a signal, or the failure.
pub(crate) fn ended(output: io::Result<()>) -> anyhow::Result<()> {
    match output {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => match error.downcast::<Interrupted>() {
            Ok(interrupted) => Err(interrupted.into()),
            Err(error) => Err(error.into()),
        },
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_that_has_gone_away_is_no_failure() {
        assert!(ended(Ok(())).is_ok());
        assert!(ended(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(ended(Err(ErrorKind::StorageFull.into())).is_err());
        let interrupted = ended(Err(io::Error::other(Interrupted(2)))).unwrap_err();
        assert!(interrupted.is::<Interrupted>());
    }
}
