//! All volumes of a keepstore as one: which to read from, and whose turn it is to be written to.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::block::Block;
use super::refusal::Refusal;
use super::trash::{Deleted, Deleting};
use super::volume::{Found, Volume};
use crate::log;

/// A block of so many bytes is a matter of a few pages.
const QUICK_BYTES: u64 = 64 << 10;

/// The volumes, in the order of the command line. Its functions wait for the disk: they are for
/// blocking threads, unless the block [is small](Self::is_quick_with).
pub(super) struct Store {
    volumes: Vec<Volume>,
    /// Counts the blocks written, so that the writable volumes take turns.
    written: AtomicUsize,
}

/// On how many volumes a block was deleted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Deletion {
    /// Or left because it is too new, which is as good.
    pub(super) deleted: usize,
    pub(super) failed: usize,
}

impl Store {
    /// Joins `volumes`.
    pub(super) fn new(volumes: Vec<Volume>) -> Self {
        Self { volumes, written: AtomicUsize::new(0) }
    }

    /// The volumes, in their order.
    pub(super) fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// Whether no block can be stored, however small.
    pub(super) fn is_read_only(&self) -> bool {
        self.writable().next().is_none()
    }

    /// Whether a block of that many bytes is read or written in less time than another thread takes to
    /// wake up: it is hashed at once, is in the kernel's memory or comes from there, and does not wait
    /// for its turn.
    pub(super) fn is_quick_with(&self, bytes: u64) -> bool {
        bytes <= QUICK_BYTES && !self.volumes.iter().any(Volume::takes_turns)
    }

    /// How many bytes the first file has that is under `hash`.
    pub(super) fn length(&self, hash: &str) -> Option<u64> {
        self.volumes.iter().find_map(|volume| volume.length(hash))
    }

    /// Reads a block from the first volume that has it whole.
    ///
    /// # Errors
    /// [`Refusal::Corrupt`] or [`Refusal::Unreadable`] if all that was found is, else
    /// [`Refusal::NotFound`].
    pub(super) fn read(&self, hash: &str) -> Result<Block, Refusal> {
        let mut refusal = Refusal::NotFound;
        for volume in &self.volumes {
            match volume.read(hash) {
                Ok(Found::Block(block)) => return Ok(block),
                Ok(Found::Nothing) => {}
                Ok(Found::Corrupt) => {
                    report(volume, "block is corrupt", hash);
                    refusal = Refusal::Corrupt;
                }
                Err(error) => {
                    report(volume, "cannot read block", error);
                    if refusal == Refusal::NotFound {
                        refusal = Refusal::Unreadable;
                    }
                }
            }
        }
        Err(refusal)
    }

    /// Deletes the block from every writable volume.
    pub(super) fn delete(&self, hash: &str, deleting: Deleting) -> Deletion {
        let mut deletion = Deletion::default();
        for (_, volume) in self.writable() {
            match volume.delete(hash, deleting) {
                Ok(Deleted::Gone | Deleted::TooNew) => deletion.deleted += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    report(volume, "cannot delete block", error);
                    deletion.failed += 1;
                }
            }
        }
        deletion
    }

    /// Does something to the block on every writable volume that has it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if none has it, [`Refusal::Unreadable`] if it could be done on none.
    pub(super) fn on_each_copy(
        &self,
        what: &str,
        act: impl Fn(&Volume) -> io::Result<()>,
    ) -> Result<(), Refusal> {
        let mut done = Err(Refusal::NotFound);
        for (_, volume) in self.writable() {
            match act(volume) {
                Ok(()) => done = Ok(()),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    report(volume, what, error);
                    done = done.or(Err(Refusal::Unreadable));
                }
            }
        }
        done
    }

    /// The writable volumes, beginning with the one at this position among them, or with another one
    /// each time.
    pub(super) fn in_turn(
        &self,
        first: Option<usize>,
    ) -> impl Iterator<Item = (usize, &Volume)> + use<'_> {
        let mut writable: Vec<_> = self.writable().collect();
        let first = first.unwrap_or_else(|| self.written.fetch_add(1, Ordering::Relaxed));
        let count = writable.len().max(1);
        writable.rotate_left(first % count);
        writable.into_iter()
    }

    /// The writable volumes with their numbers.
    pub(super) fn writable(&self) -> impl Iterator<Item = (usize, &Volume)> {
        self.volumes.iter().enumerate().filter(|(_, volume)| !volume.is_read_only())
    }
}

/// Says in the log what is wrong with a volume.
pub(super) fn report(volume: &Volume, what: &str, why: impl std::fmt::Display) {
    log::line(format_args!("keepstore: {}: {what}: {why}", volume.root().display()));
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::arrival::Arrival;
    use super::*;

    pub(in crate::keepstore) const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8";

    pub(in crate::keepstore) struct Disk {
        pub(in crate::keepstore) directories: Vec<tempfile::TempDir>,
        pub(in crate::keepstore) store: Store,
    }

    /// A store on new directories, read-only where `read_only` says so.
    pub(in crate::keepstore) fn disk(read_only: &[bool]) -> Disk {
        let directories: Vec<_> = read_only.iter().map(|_| tempfile::tempdir().unwrap()).collect();
        let volumes = directories.iter().zip(read_only);
        let volumes =
            volumes.map(|(at, read_only)| Volume::new(at.path().into(), true, *read_only));
        let store = Store::new(volumes.collect());
        Disk { directories, store }
    }

    impl Disk {
        pub(in crate::keepstore) fn file(&self, volume: usize) -> std::path::PathBuf {
            self.directories[volume].path().join("acb").join(FOO)
        }

        pub(in crate::keepstore) fn write(&self, content: &[u8]) -> Result<(), Refusal> {
            let mut arrival = Arrival::new(&self.store, FOO, None);
            arrival.take(content)?;
            self.store.write(arrival.finish(), vec![]).map(drop)
        }

        pub(in crate::keepstore) fn read(&self) -> Result<Vec<u8>, Refusal> {
            match self.store.read(FOO)? {
                Block::Small(content) => Ok(content),
                Block::Large(..) => panic!("it is small"),
            }
        }

        pub(in crate::keepstore) fn place(&self, volume: usize, content: &[u8]) {
            let file = self.file(volume);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, content).unwrap();
        }
    }

    #[test]
    fn a_corrupt_block_is_passed_over_for_a_good_one() {
        let disk = disk(&[false, false]);
        disk.place(0, b"bar");
        assert_eq!(disk.read().unwrap_err(), Refusal::Corrupt);
        disk.place(1, b"foo");
        assert_eq!(disk.read().unwrap(), b"foo");
    }

    #[test]
    fn what_cannot_be_read_is_not_said_to_be_absent() {
        let disk = disk(&[false]);
        fs_err::write(disk.directories[0].path().join("acb"), "no directory").unwrap();
        assert_eq!(disk.read().unwrap_err(), Refusal::Unreadable);
        let touched = disk.store.on_each_copy("cannot refresh a block", |it| it.touch(FOO));
        assert_eq!(touched, Err(Refusal::Unreadable));
    }
}
