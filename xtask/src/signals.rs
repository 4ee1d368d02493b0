//! Being asked to end: noticed while we wait for something else.

use std::fs::File;
use std::io::{PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use nix::sys::signal::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::failure::Interrupted;

/// Becomes readable, for all who wait at once, when SIGINT, SIGTERM or SIGHUP arrives.
#[derive(Debug)]
pub(crate) struct Interrupt {
    arrived: Arc<AtomicUsize>,
    reader: PipeReader,
}

impl Interrupt {
    /// From now on these signals do not end the process by themselves: whoever holds this has to
    /// look, as [`Self::check`] does.
    ///
    /// # Errors
    /// When there is no descriptor left.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let (reader, writer) = std::io::pipe().context("cannot catch signals")?;
        let arrived = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal)?;
            // The number is stored before the pipe is written to: they run in this order.
            signal_hook::flag::register_usize(signal, Arc::clone(&arrived), number)
                .context("cannot catch signals")?;
            signal_hook::low_level::pipe::register(signal, writer.try_clone()?)
                .context("cannot catch signals")?;
        }
        Ok(Self { arrived, reader })
    }

    /// Waits for the next signal, and takes it: it is not waited for again.
    ///
    /// # Errors
    /// When the kernel does not let us read.
    pub(crate) fn receive(&self) -> anyhow::Result<Signal> {
        (&self.reader).read_exact(&mut [0])?;
        Ok(Signal::try_from(i32::try_from(self.arrived.load(Ordering::SeqCst))?)?)
    }

    /// # Errors
    /// [`Interrupted`] if a signal has arrived.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        match self.arrived.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => Err(Interrupted(i32::try_from(signal).unwrap_or(SIGTERM))),
        }
    }
}

/// Whether what is typed at a terminal comes to our whole process group, and so to what we run
/// in it.
pub(crate) fn come_from_a_terminal() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    nix::unistd::tcgetpgrp(terminal).is_ok_and(|group| group == nix::unistd::getpgrp())
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
