//! All volumes of a keepstore as one: which to read from, and which to write to.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::refusal::Refusal;
use super::volume::{Comparison, Found, Volume};
use crate::log;

/// The volumes, in the order of the command line. Its functions wait for the disk: they are for
/// blocking threads.
pub(super) struct Store {
    volumes: Vec<Volume>,
    /// Counts the blocks written, so that the writable volumes take turns.
    written: AtomicUsize,
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

    /// Reads a block from the first volume that has it whole.
    ///
    /// # Errors
    /// [`Refusal::Corrupt`] if all that was found is damaged, else [`Refusal::NotFound`].
    pub(super) fn read(&self, hash: &str) -> Result<Vec<u8>, Refusal> {
        let mut refusal = Refusal::NotFound;
        for volume in &self.volumes {
            match volume.read(hash) {
                Ok(Found::Block(content)) => return Ok(content),
                Ok(Found::Nothing) => {}
                Ok(Found::Corrupt) => {
                    report(volume, "block is corrupt", hash);
                    refusal = Refusal::Corrupt;
                }
                Err(error) => report(volume, "cannot read block", error),
            }
        }
        Err(refusal)
    }

    /// Makes sure that some writable volume has the block, freshly used. `content` must have the
    /// hash.
    ///
    /// # Errors
    /// [`Refusal::Collision`], [`Refusal::Full`] or [`Refusal::Failed`].
    pub(super) fn write(&self, hash: &str, content: &[u8]) -> Result<(), Refusal> {
        for volume in self.writable() {
            match volume.compare(hash, content) {
                Ok(Comparison::Same) => match volume.touch(hash) {
                    Ok(()) => return Ok(()),
                    Err(error) => report(volume, "cannot refresh block", error),
                },
                Ok(Comparison::Collision) => return Err(Refusal::Collision),
                Ok(Comparison::Corrupt) => {
                    report(volume, "block is corrupt, and is written again", hash);
                    if self.write_to(volume, hash, content).is_ok() {
                        return Ok(());
                    }
                }
                Ok(Comparison::Absent) => {}
                Err(error) => report(volume, "cannot read block", error),
            }
        }
        self.write_anywhere(hash, content)
    }

    fn write_anywhere(&self, hash: &str, content: &[u8]) -> Result<(), Refusal> {
        let writable: Vec<_> = self.writable().collect();
        let first = self.written.fetch_add(1, Ordering::Relaxed) % writable.len().max(1);
        let (later, sooner) = writable.split_at(first);
        let mut refusal = Refusal::Full;
        for volume in sooner.iter().chain(later) {
            match self.write_to(volume, hash, content) {
                Err(Refusal::Full) => {}
                Err(other) => refusal = other,
                Ok(()) => return Ok(()),
            }
        }
        Err(refusal)
    }

    fn write_to(&self, volume: &Volume, hash: &str, content: &[u8]) -> Result<(), Refusal> {
        if volume.is_full() {
            return Err(Refusal::Full);
        }
        volume.write(hash, content).map_err(|error| {
            report(volume, "cannot write block", &error);
            match error.kind() {
                std::io::ErrorKind::StorageFull => {
                    volume.remember_full();
                    Refusal::Full
                }
                _ => Refusal::Failed,
            }
        })
    }

    fn writable(&self) -> impl Iterator<Item = &Volume> {
        self.volumes.iter().filter(|volume| !volume.is_read_only())
    }
}

fn report(volume: &Volume, what: &str, why: impl std::fmt::Display) {
    log::line(format_args!("keepstore: {}: {what}: {why}", volume.root().display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8";

    struct Disk {
        directories: Vec<tempfile::TempDir>,
        store: Store,
    }

    /// A store on new directories, read-only where `read_only` says so.
    fn disk(read_only: &[bool]) -> Disk {
        let directories: Vec<_> = read_only.iter().map(|_| tempfile::tempdir().unwrap()).collect();
        let volumes = directories.iter().zip(read_only);
        let volumes =
            volumes.map(|(at, read_only)| Volume::new(at.path().into(), true, *read_only));
        let store = Store::new(volumes.collect());
        Disk { directories, store }
    }

    impl Disk {
        fn file(&self, volume: usize) -> std::path::PathBuf {
            self.directories[volume].path().join("acb").join(FOO)
        }

        fn place(&self, volume: usize, content: &[u8]) {
            let file = self.file(volume);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, content).unwrap();
        }
    }

    #[test]
    fn a_corrupt_block_is_passed_over_for_a_good_one() {
        let disk = disk(&[false, false]);
        disk.place(0, b"bar");
        assert_eq!(disk.store.read(FOO), Err(Refusal::Corrupt));
        disk.place(1, b"foo");
        assert_eq!(disk.store.read(FOO).unwrap(), b"foo");
    }

    #[test]
    fn a_corrupt_block_is_replaced_by_a_good_one() {
        let disk = disk(&[false]);
        for damaged in [&b"bar"[..], b"", b"foo and more"] {
            disk.place(0, damaged);
            disk.store.write(FOO, b"foo").unwrap();
            assert_eq!(fs_err::read(disk.file(0)).unwrap(), b"foo");
        }
    }

    #[test]
    fn writing_again_refreshes_the_time_and_writes_nothing() {
        let disk = disk(&[false]);
        disk.store.write(FOO, b"foo").unwrap();
        let file = fs_err::File::options().write(true).open(disk.file(0)).unwrap();
        file.file().set_modified(std::time::UNIX_EPOCH).unwrap();
        disk.store.write(FOO, b"foo").unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        assert!(modified.elapsed().unwrap().as_secs() < 60);
    }

    #[test]
    fn writable_volumes_take_turns_and_read_only_ones_take_none() {
        let disk = disk(&[false, true, false]);
        for text in ["a", "b"] {
            let hash = crate::signature::to_hex(&<md5::Md5 as md5::Digest>::digest(text));
            disk.store.write(&hash, text.as_bytes()).unwrap();
        }
        let used = disk.directories.iter().map(|at| fs_err::read_dir(at.path()).unwrap().count());
        assert_eq!(used.collect::<Vec<_>>(), [1, 0, 1]);
    }

    #[test]
    fn a_volume_marked_full_is_not_written_for_an_hour() {
        let disk = disk(&[false]);
        let link = disk.directories[0].path().join("full");
        disk.store.volumes()[0].remember_full();
        assert_eq!(disk.store.write(FOO, b"foo"), Err(Refusal::Full));
        fs_err::remove_file(&link).unwrap();
        fs_err::os::unix::fs::symlink("1000000000", &link).unwrap();
        assert_eq!(disk.store.write(FOO, b"foo"), Ok(()));
        assert!(!link.is_symlink());
    }

    #[test]
    fn without_a_writable_volume_the_store_is_full() {
        assert_eq!(disk(&[true]).store.write(FOO, b"foo"), Err(Refusal::Full));
    }

    #[test]
    fn a_volume_that_was_removed_is_made_again() {
        let disk = disk(&[false]);
        fs_err::remove_dir_all(disk.directories[0].path()).unwrap();
        assert_eq!(disk.store.read(FOO), Err(Refusal::NotFound));
        disk.store.write(FOO, b"foo").unwrap();
        assert_eq!(disk.store.read(FOO).unwrap(), b"foo");
    }
}
