//! The file that the real programs write with `-pid`: locked, with the pid and no newline, and
//! removed when the program ends.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use fs_err::OpenOptions;
use nix::fcntl::{Flock, FlockArg};

/// Holds the lock on the file, and removes it when dropped.
pub(crate) struct PidFile {
    path: PathBuf,
    _lock: Flock<std::fs::File>,
}

impl PidFile {
    /// Locks `path`, then writes our pid to it.
    ///
    /// # Errors
    /// When another process holds the lock, whose pid is then left as it is.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let mut lock = Flock::lock(file.into_parts().0, FlockArg::LockExclusiveNonblock)
            .map_err(|(_, errno)| errno)
            .with_context(|| format!("flock pidfile ({})", path.display()))?;
        lock.set_len(0)?;
        write!(lock, "{}", std::process::id())?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Nobody is left to tell: the process is about to end, and a stale file is recognised by
        // its lock.
        let _ = fs_err::remove_file(&self.path);
    }
}
