//! The folder of a stack's logs, held so that it cannot be mistaken for that of the next stack of
//! the same name.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstatat};

/// Which file it is, whatever its name. It is nobody else's as long as we have the file open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    pub(super) fn of(file: &Metadata) -> Self {
        Self(file.dev(), file.ino())
    }
}

/// An open folder.
#[derive(Debug)]
pub(super) struct LogFolder {
    path: PathBuf,
    handle: File,
}

impl LogFolder {
    /// # Errors
    /// When there is no such folder, or it cannot be read.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let handle = fs_err::File::open(&path)?.into_parts().0;
        Ok(Self { path, handle })
    }

    /// The file of that name; `None` if it does not exist.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn file(&self, name: &str) -> io::Result<Option<File>> {
        // Without that, a named pipe would be waited for.
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        match openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.error(name, &errno.into())),
        }
    }

    /// Which file has that name now, if any has.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn identity(&self, name: &str) -> io::Result<Option<Identity>> {
        match fstatat(&self.handle, name, AtFlags::empty()) {
            Ok(status) => Ok(Some(Identity(status.st_dev, status.st_ino))),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.error(name, &errno.into())),
        }
    }

    /// Whether it still is where it was found.
    pub(super) fn is_in_place(&self) -> bool {
        let identity = |metadata: io::Result<Metadata>| metadata.ok().as_ref().map(Identity::of);
        let now = identity(std::fs::metadata(&self.path));
        now.is_some() && now == identity(self.handle.metadata())
    }

    /// Says which file it was.
    pub(super) fn error(&self, name: &str, error: &io::Error) -> io::Error {
        let path = self.path.join(name);
        io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
    }
}
