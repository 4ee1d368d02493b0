//! Writing a block to volumes: where it goes, and on where one is full or fails.

use std::io::{self, ErrorKind, Read, Write};

use tempfile::NamedTempFile;

use super::arrival::{Content, Received};
use super::progress::Progress;
use super::refusal::Refusal;
use super::store::{Store, report};
use super::volume::{Comparison, Volume};

impl Store {
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
        let _turn = self.volumes().get(number).and_then(Volume::turn);
        file.write_all(piece)
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::keepstore::arrival::Arrival;
    use crate::keepstore::block::{Block, SMALL_BYTES};
    use crate::keepstore::store::tests::{FOO, disk};

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
