//! Deleting blocks from a volume, and what can be undone of it: a block in the trash is the file
//! `HASH.trash.DEADLINE`, with a Unix time.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err::File;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::volume::{Volume, unix_now};

/// When and how blocks may be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deleting {
    /// Whether at all.
    pub(super) enabled: bool,
    /// A block that was stored less than this ago stays: signatures for it may be about.
    pub(super) min_age: Duration,
    /// How long it can be taken out of the trash; zero if there is none.
    pub(super) trash_seconds: u64,
    /// How often what can no longer be taken out of the trash is removed; `None` for never.
    pub(super) sweep_every: Option<Duration>,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deleted {
    /// It is gone, or in the trash.
    Gone,
    /// It was stored too recently.
    TooNew,
}

impl Volume {
    /// Deletes a block that is old enough.
    ///
    /// # Errors
    /// When it is not there, or cannot be deleted.
    pub(super) fn delete(&self, hash: &str, deleting: Deleting) -> io::Result<Deleted> {
        let path = self.path(hash);
        // Whoever refreshes its time waits, and then finds it gone; or we find the new time.
        let file = locked(&path)?;
        let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age < deleting.min_age {
            return Ok(Deleted::TooNew);
        }
        match deleting.trash_seconds {
            0 => fs_err::remove_file(&path)?,
            seconds => {
                let deadline = unix_now().saturating_add(seconds);
                fs_err::rename(&path, path.with_extension(format!("trash.{deadline}")))?;
            }
        }
        Ok(Deleted::Gone)
    }

    /// Takes a block out of the trash.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn undelete(&self, hash: &str) -> io::Result<()> {
        fs_err::rename(self.in_trash(hash)?, self.path(hash))
    }

    fn in_trash(&self, hash: &str) -> io::Result<PathBuf> {
        let path = self.path(hash);
        let prefix = format!("{hash}.trash.");
        for entry in fs_err::read_dir(path.parent().unwrap_or(&path))? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
                return Ok(entry.path());
            }
        }
        Err(ErrorKind::NotFound.into())
    }
}

/// Opens a block's file, and locks it against others who change its time, or delete it.
///
/// # Errors
/// When it is not there, or no longer when it is our turn.
pub(super) fn locked(path: &Path) -> io::Result<Flock<std::fs::File>> {
    loop {
        if let Some(file) = locked_at(path, File::open(path)?)? {
            return Ok(file);
        }
    }
}

/// `file`, which was at `path`, locked; `None` if another one is there now.
fn locked_at(path: &Path, file: File) -> io::Result<Option<Flock<std::fs::File>>> {
    let file = lock(file.into_parts().0)?;
    // Who had the lock may have deleted it, or somebody may have put another in its place.
    let is_there = same_file(&file.metadata()?, &fs_err::metadata(path)?);
    Ok(Some(file).filter(|_| is_there))
}

fn lock(file: std::fs::File) -> io::Result<Flock<std::fs::File>> {
    let locked = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        // Another program may have it for long: what else this thread serves is not to wait, too.
        Err((file, Errno::EWOULDBLOCK)) => {
            tokio::task::block_in_place(|| Flock::lock(file, FlockArg::LockExclusive))
        }
        locked => locked,
    };
    locked.map_err(|(_, errno)| errno.into())
}

fn same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keepstore::arrival::Content;

    const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8";
    const AT_ONCE: Deleting =
        Deleting { enabled: true, min_age: Duration::ZERO, trash_seconds: 0, sweep_every: None };

    fn volume_with_foo() -> (tempfile::TempDir, Volume) {
        let root = tempfile::tempdir().unwrap();
        let volume = Volume::new(root.path().into(), false, false);
        volume.write(FOO, &Content::Small(b"foo".to_vec())).unwrap();
        (root, volume)
    }

    #[test]
    fn a_new_block_stays_and_an_old_one_goes() {
        let (_root, volume) = volume_with_foo();
        let careful = Deleting { min_age: Duration::from_secs(3600), ..AT_ONCE };
        assert_eq!(volume.delete(FOO, careful).unwrap(), Deleted::TooNew);
        let file = File::options().write(true).open(volume.path(FOO)).unwrap();
        file.file().set_modified(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(volume.delete(FOO, careful).unwrap(), Deleted::Gone);
        assert_eq!(volume.delete(FOO, careful).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(volume.undelete(FOO).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_block_that_went_while_one_waited_for_it_is_not_taken_for_there() {
        let (_root, volume) = volume_with_foo();
        let path = volume.path(FOO);
        let file = File::open(&path).unwrap();
        volume.delete(FOO, AT_ONCE).unwrap();
        assert_eq!(locked_at(&path, file).unwrap_err().kind(), ErrorKind::NotFound);
        volume.write(FOO, &Content::Small(b"foo".to_vec())).unwrap();
        let file = File::open(&path).unwrap();
        volume.write(FOO, &Content::Small(b"foo".to_vec())).unwrap();
        assert!(locked_at(&path, file).unwrap().is_none());
        volume.touch(FOO).unwrap();
    }

    #[test]
    fn what_is_in_the_trash_can_be_taken_out_again() {
        let (_root, volume) = volume_with_foo();
        let deleting = Deleting { trash_seconds: 60, ..AT_ONCE };
        assert_eq!(volume.delete(FOO, deleting).unwrap(), Deleted::Gone);
        assert!(!volume.path(FOO).exists());
        volume.undelete(FOO).unwrap();
        assert_eq!(fs_err::read(volume.path(FOO)).unwrap(), b"foo");
    }
}
