//! A handle to one process, which a recycled pid cannot deceive. Linux: pidfd.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::libc;
use nix::sys::signal::Signal;

use super::identity::Identity;

/// Becomes readable when the process ends.
#[derive(Debug)]
pub(crate) struct PidFd(OwnedFd);

impl PidFd {
    /// A handle to `identity`; `None` if that process has ended.
    ///
    /// # Errors
    /// When the kernel has no such handles, or no descriptor is left.
    pub(crate) fn open(identity: Identity) -> io::Result<Option<Self>> {
        match Self::open_pid(identity.pid) {
            // Looked at only now: from here on the handle stays with whom it was opened for.
            Ok(handle) => Ok(identity.is_alive().then_some(handle)),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A handle to whatever process has `pid` now: right for a child that is not yet waited for.
    ///
    /// # Errors
    /// When there is no such process, or no descriptor left.
    pub(crate) fn open_pid(pid: i32) -> io::Result<Self> {
        // SAFETY: pidfd_open takes two numbers and returns a new descriptor or -1.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let fd =
            RawFd::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: the descriptor was just made for us, and nothing else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Sends `signal`; a process that has ended is no error.
    ///
    /// # Errors
    /// When we may not, because it belongs to another user.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let info = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: the descriptor is open, and a null siginfo asks for what kill(2) would send.
        let sent = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal as i32, info, 0)
        };
        match sent {
            0 => Ok(()),
            _ => match io::Error::last_os_error() {
                error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
                error => Err(error),
            },
        }
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
