//! Being asked to end: noticed while we wait for something else.

use std::fs::File;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::failure::Interrupted;

/// Becomes readable, for all who wait at once, when SIGINT, SIGTERM or SIGHUP arrives.
#[derive(Debug)]
pub(crate) struct Interrupt {
    arrived: Arc<AtomicUsize>,
    reader: PipeReader,
    writer: PipeWriter,
}

impl Interrupt {
    /// From now on these signals do not end the process by themselves: whoever holds this has to
    /// look, as [`Self::check`] does.
    ///
    /// # Errors
    /// When there is no descriptor left.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let (reader, writer) = io::pipe().context("cannot catch signals")?;
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).context("cannot catch signals")?;
        let arrived = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal)?;
            // The number is stored before the pipe is written to: they run in this order.
            signal_hook::flag::register_usize(signal, Arc::clone(&arrived), number)
                .context("cannot catch signals")?;
            signal_hook::low_level::pipe::register(signal, writer.try_clone()?)
                .context("cannot catch signals")?;
        }
        Ok(Self { arrived, reader, writer })
    }

    /// The signal that has arrived, if one has: from now on, the next one is waited for.
    ///
    /// # Errors
    /// When the kernel does not let us read.
    pub(crate) fn take(&self) -> io::Result<Option<Signal>> {
        self.drain()?;
        let number = self.arrived.swap(0, Ordering::SeqCst);
        Ok(i32::try_from(number).ok().and_then(|number| Signal::try_from(number).ok()))
    }

    /// Empties the pipe.
    fn drain(&self) -> io::Result<()> {
        loop {
            match (&self.reader).read(&mut [0; 64]) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// # Errors
    /// [`Interrupted`] if a signal has arrived.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.arrived.load(Ordering::SeqCst) == 0 {
            // A signal that was taken while it arrived: nobody is to be woken by it again.
            let _ = self.drain();
            if self.arrived.load(Ordering::SeqCst) == 0 {
                return Ok(());
            }
            // One has arrived just now, and others may wait for it as well.
            let _ = (&self.writer).write(&[0]);
        }
        let signal = self.arrived.load(Ordering::SeqCst);
        Err(Interrupted(i32::try_from(signal).unwrap_or(SIGTERM)))
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
