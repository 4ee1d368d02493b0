//! All volumes of a keepstore as one: which to read from, and which to write to.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::NamedTempFile;

use super::arrival::{Content, Received};
use super::block::Block;
use super::progress::Progress;
use super::refusal::Refusal;
use super::trash::{Deleted, Deleting};
use super::volume::{Comparison, Found, Volume};
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

    /// Makes sure that writable volumes have the block, freshly used, in all of `classes`, or one of
    /// them has it if there are none.
    ///
    /// # Errors
    /// [`Refusal::Collision`]; and [`Refusal::Full`] or [`Refusal::Failed`] without any copy.
    pub(super) fn write(&self, block: Received, classes: Vec<String>) -> Result<Progress, Refusal> {
        let mut progress = Progress::towards(classes);
        for (_, volume) in self.writable() {
            if progress.wants(volume) && self.has(volume, &block)? {
                progress.add(volume);
            }
        }
        if progress.copies > 0 && !self.writable().any(|(_, volume)| progress.wants(volume)) {
            return Ok(progress);
        }
        let Received { hash, mut content, .. } = block;
        let mut refusal = Refusal::Full;
        // What is aside on a volume only has to be renamed there.
        let first = match content {
            Content::Aside(number, _) => self.writable().position(|(at, _)| at == number),
            _ => None,
        };
        for (number, volume) in self.in_turn(first) {
            if progress.wants(volume) {
                match write_to(number, volume, &hash, &mut content) {
                    Ok(()) => progress.add(volume),
                    Err(Refusal::Full) => {}
                    Err(other) => refusal = other,
                }
            }
        }
        if progress.copies == 0 { Err(refusal) } else { Ok(progress) }
    }

    /// Whether the volume has the block; it is then marked as used.
    fn has(&self, volume: &Volume, block: &Received) -> Result<bool, Refusal> {
        match volume.compare(&block.hash, &block.content) {
            Ok(Comparison::Same) => match volume.touch(&block.hash) {
                Ok(()) => return Ok(true),
                // It was deleted a moment ago.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => report(volume, "cannot refresh block", error),
            },
            Ok(Comparison::Collision) => return Err(Refusal::Collision),
            Ok(Comparison::Corrupt) => {
                report(volume, "block is corrupt, and is written again", &block.hash);
            }
            Ok(Comparison::Absent) => {}
            Err(error) => report(volume, "cannot read block", error),
        }
        Ok(false)
    }

    /// Writes the first `known` bytes of `content`, and the next `piece` of it, aside on some volume
    /// where it is not yet.
    ///
    /// # Errors
    /// [`Refusal::Full`] or [`Refusal::Failed`] if none takes it.
    pub(super) fn set_aside(
        &self,
        hash: &str,
        content: &Content,
        known: u64,
        piece: &[u8],
    ) -> Result<Content, Refusal> {
        let tried = match content {
            Content::Aside(number, _) => Some(*number),
            _ => None,
        };
        let written = |volume: &Volume| -> io::Result<NamedTempFile> {
            let _turn = volume.turn();
            let mut file = volume.aside(hash)?;
            io::copy(&mut content.reader()?.take(known), &mut file)?;
            file.write_all(piece)?;
            Ok(file)
        };
        let mut refusal = Refusal::Full;
        let untried = |(number, _): &(usize, &Volume)| Some(*number) != tried;
        for (number, volume) in self.in_turn(None).filter(untried) {
            if volume.is_full() {
                continue;
            }
            match written(volume) {
                Ok(file) => return Ok(Content::Aside(number, file)),
                Err(error) => refusal = failed_to_write(volume, &error),
            }
        }
        Err(refusal)
    }

    /// Writes the next `piece` to what is aside on the volume of this number.
    ///
    /// # Errors
    /// When its disk is full or fails.
    pub(super) fn append(
        &self,
        number: usize,
        file: &mut NamedTempFile,
        piece: &[u8],
    ) -> io::Result<()> {
        let _turn = self.volumes.get(number).and_then(Volume::turn);
        file.write_all(piece)
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
    fn in_turn(&self, first: Option<usize>) -> impl Iterator<Item = (usize, &Volume)> + use<'_> {
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

/// Writes the block to the volume of this number. What was aside on it is then no longer.
fn write_to(
    number: usize,
    volume: &Volume,
    hash: &str,
    content: &mut Content,
) -> Result<(), Refusal> {
    if volume.is_full() {
        return Err(Refusal::Full);
    }
    if matches!(content, Content::Aside(at, _) if *at == number) {
        return adopt(volume, hash, content);
    }
    volume.write(hash, content).map_err(|error| failed_to_write(volume, &error))
}

/// What is aside on the volume becomes the block.
fn adopt(volume: &Volume, hash: &str, content: &mut Content) -> Result<(), Refusal> {
    match std::mem::replace(content, Content::Small(Vec::new())) {
        Content::Aside(number, file) => match placed(volume, hash, file) {
            Ok(file) => {
                *content = Content::InPlace(file);
                return Ok(());
            }
            // Its directory was removed meanwhile, as a reset does: it is written anew.
            Err(failed) => *content = Content::Aside(number, failed.file),
        },
        other => *content = other,
    }
    volume.write(hash, content).map_err(|error| failed_to_write(volume, &error))
}

fn placed(
    volume: &Volume,
    hash: &str,
    file: NamedTempFile,
) -> Result<std::fs::File, tempfile::PersistError> {
    let _turn = volume.turn();
    volume.put_in_place(hash, file)
}

fn failed_to_write(volume: &Volume, error: &io::Error) -> Refusal {
    report(volume, "cannot write block", error);
    match error.kind() {
        ErrorKind::StorageFull => {
            volume.remember_full();
            Refusal::Full
        }
        _ => Refusal::Failed,
    }
}

fn report(volume: &Volume, what: &str, why: impl std::fmt::Display) {
    log::line(format_args!("keepstore: {}: {what}: {why}", volume.root().display()));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::super::arrival::Arrival;
    use super::super::block::SMALL_BYTES;
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

        fn write(&self, content: &[u8]) -> Result<(), Refusal> {
            let mut arrival = Arrival::new(&self.store, FOO, None);
            arrival.take(content)?;
            self.store.write(arrival.finish(), vec![]).map(drop)
        }

        fn read(&self) -> Result<Vec<u8>, Refusal> {
            match self.store.read(FOO)? {
                Block::Small(content) => Ok(content),
                Block::Large(..) => panic!("it is small"),
            }
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
        assert_eq!(disk.read().unwrap_err(), Refusal::Corrupt);
        disk.place(1, b"foo");
        assert_eq!(disk.read().unwrap(), b"foo");
    }

    #[test]
    fn a_corrupt_block_is_replaced_by_a_good_one() {
        let disk = disk(&[false]);
        for damaged in [&b"bar"[..], b"", b"foo and more"] {
            disk.place(0, damaged);
            disk.write(b"foo").unwrap();
            assert_eq!(fs_err::read(disk.file(0)).unwrap(), b"foo");
        }
    }

    #[test]
    fn writing_again_refreshes_the_time_and_writes_nothing() {
        let disk = disk(&[false]);
        disk.write(b"foo").unwrap();
        let file = fs_err::File::options().write(true).open(disk.file(0)).unwrap();
        file.file().set_modified(std::time::UNIX_EPOCH).unwrap();
        disk.write(b"foo").unwrap();
        let [opened, found] = [file.metadata(), fs_err::metadata(disk.file(0))].map(Result::unwrap);
        assert_eq!(opened.ino(), found.ino());
        assert_ne!(found.modified().unwrap(), std::time::UNIX_EPOCH);
    }

    #[test]
    fn writable_volumes_take_turns_and_read_only_ones_take_none() {
        let disk = disk(&[false, true, false]);
        // What is there already takes no turn.
        for text in ["a", "a", "b", "b"] {
            disk.write(text.as_bytes()).unwrap();
        }
        let used = disk.directories.iter().map(|at| fs_err::read_dir(at.path()).unwrap().count());
        assert_eq!(used.collect::<Vec<_>>(), [1, 0, 1]);
    }

    #[test]
    fn a_large_block_is_written_aside_and_ends_on_one_volume() {
        let disk = disk(&[false, false]);
        let content: Vec<u8> = (0..3 * SMALL_BYTES).map(|at| (at >> 10) as u8).collect();
        let mut used = Vec::new();
        for last in [1, 2] {
            let mut arrival = Arrival::new(&disk.store, FOO, None);
            for piece in content.chunks(SMALL_BYTES / 3) {
                arrival.take(piece).unwrap();
            }
            arrival.take(&[last]).unwrap();
            let received = arrival.finish();
            let hash = received.hash.clone();
            assert_eq!(received.length, content.len() as u64 + 1);
            assert_eq!(disk.store.write(received, vec![]).unwrap().copies, 1);
            assert!(
                matches!(disk.store.read(&hash), Ok(Block::Large(_, length)) if length == 3 * SMALL_BYTES as u64 + 1)
            );
            used.push(
                disk.directories
                    .iter()
                    .position(|at| at.path().join(&hash[..3]).join(&hash).exists()),
            );
        }
        assert_eq!(used, [Some(0), Some(1)]);
        let left = disk.directories.iter().flat_map(|at| walk(at.path()));
        assert_eq!(left.count(), 2, "nothing is left aside");
    }

    fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let paths = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn a_volume_marked_full_is_not_written_for_an_hour() {
        let disk = disk(&[false]);
        let link = disk.directories[0].path().join("full");
        disk.store.volumes()[0].remember_full();
        assert_eq!(disk.write(b"foo"), Err(Refusal::Full));
        fs_err::remove_file(&link).unwrap();
        fs_err::os::unix::fs::symlink("1000000000", &link).unwrap();
        assert_eq!(disk.write(b"foo"), Ok(()));
        assert!(!link.is_symlink());
    }

    #[test]
    fn nothing_of_a_large_block_is_written_to_a_full_volume() {
        let disk = disk(&[false, false]);
        disk.store.volumes()[0].remember_full();
        for _ in 0..2 {
            let mut arrival = Arrival::new(&disk.store, FOO, None);
            arrival.take(&vec![1; 2 * SMALL_BYTES]).unwrap();
            assert!(matches!(arrival.finish().content, Content::Aside(1, _)));
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_said_to_be_absent() {
        let disk = disk(&[false]);
        fs_err::write(disk.directories[0].path().join("acb"), "no directory").unwrap();
        assert_eq!(disk.read().unwrap_err(), Refusal::Unreadable);
        let touched = disk.store.on_each_copy("cannot refresh a block", |it| it.touch(FOO));
        assert_eq!(touched, Err(Refusal::Unreadable));
    }

    #[test]
    fn without_a_writable_volume_the_store_is_full() {
        assert_eq!(disk(&[true]).write(b"foo"), Err(Refusal::Full));
    }

    #[test]
    fn a_volume_that_was_removed_is_made_again() {
        let disk = disk(&[false]);
        fs_err::remove_dir_all(disk.directories[0].path()).unwrap();
        assert_eq!(disk.read().unwrap_err(), Refusal::NotFound);
        disk.write(b"foo").unwrap();
        assert_eq!(disk.read().unwrap(), b"foo");
    }
}
