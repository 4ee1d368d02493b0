//! The list of the blocks on a volume, for the data manager.

use std::fmt::Write as _;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;

use super::volume::Volume;
use crate::era::{Era, keepstore};
use crate::locator::is_hash;

/// Appends a line `HASH+SIZE MTIME` for each block whose hash starts with `prefix`.
///
/// # Errors
/// When a directory cannot be listed; one that vanishes meanwhile is empty.
pub(super) fn list(volume: &Volume, prefix: &str, era: Era, into: &mut String) -> io::Result<()> {
    for entry in entries(volume.root())? {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| may_hold(name, prefix)) else {
            continue;
        };
        for block in entries(&volume.root().join(name))? {
            let hash = block.file_name();
            let Some(hash) = hash.to_str().filter(|hash| is_listed(hash, name, prefix)) else {
                continue;
            };
            let Ok(found) = block.metadata() else {
                continue;
            };
            let time = match keepstore::TIMES_ARE_NANOSECONDS.of(era) {
                true => nanoseconds(found.mtime(), found.mtime_nsec()),
                false => found.mtime(),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(into, "{hash}+{} {time}", found.len());
        }
    }
    Ok(())
}

/// A file's time may be beyond what nanoseconds can say.
fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

/// Whether the directory `name` may hold blocks whose hash starts with `prefix`.
fn may_hold(name: &str, prefix: &str) -> bool {
    name.len() == 3 && (name.starts_with(prefix) || prefix.starts_with(name))
}

fn is_listed(hash: &str, directory: &str, prefix: &str) -> bool {
    is_hash(hash) && hash.starts_with(directory) && hash.starts_with(prefix)
}

/// What is in a directory; nothing, if there is none.
///
/// # Errors
/// When it cannot be listed.
pub(super) fn entries(directory: &std::path::Path) -> io::Result<Vec<fs_err::DirEntry>> {
    match fs_err::read_dir(directory).and_then(Iterator::collect) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keepstore::arrival::Content;

    #[test]
    fn a_time_that_nanoseconds_cannot_say_is_the_last_that_they_can() {
        assert_eq!(nanoseconds(-1, 1), -999_999_999);
        assert_eq!(nanoseconds(1 << 34, 1), i64::MAX);
    }

    #[test]
    fn only_whole_blocks_in_their_place_are_listed() {
        let root = tempfile::tempdir().unwrap();
        let volume = Volume::new(root.path().into(), false, false);
        let foo = "acbd18db4cc2f85cedef654fccc4a4d8";
        let bar = "37b51d194a7513e45b56f6524f2d51f2";
        volume.write(foo, &Content::Small(b"foo".to_vec())).unwrap();
        volume.write(bar, &Content::Small(b"bar".to_vec())).unwrap();
        fs_err::write(volume.path(foo).with_extension("trash.1"), "foo").unwrap();
        fs_err::write(root.path().join("acb").join(format!("tmp{foo}123")), "f").unwrap();
        fs_err::write(root.path().join("37b").join(foo), "misplaced").unwrap();
        fs_err::write(root.path().join("abc"), "a file").unwrap();
        let listed = |prefix| {
            let mut text = String::new();
            list(&volume, prefix, Era::Y2015, &mut text).unwrap();
            let mut blocks: Vec<_> = text.lines().map(|line| line[..34].to_owned()).collect();
            blocks.sort();
            blocks
        };
        assert_eq!(listed(""), [format!("{bar}+3"), format!("{foo}+3")]);
        assert_eq!(listed("a"), [format!("{foo}+3")]);
        assert_eq!(listed(foo), [format!("{foo}+3")]);
        assert_eq!(listed("acbf"), Vec::<String>::new());
    }
}
