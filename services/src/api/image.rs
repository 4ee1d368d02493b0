//! The prepared image of the fixture database, made once for each content of the fixtures.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use md5::{Digest, Md5};
use rusqlite::Connection;
use sdk_fixtures::Fixtures;

use super::fixture_load;
use super::schema;
use super::seeds;
use super::store;
use crate::era::Era;
use crate::signature::to_hex;

/// Part of every image's name: to be raised when fixtures are to be loaded in another way.
const LOADER_VERSION: u32 = 2;

/// How many images are kept. Whoever edits fixtures makes one with each change.
const MAX_IMAGES: usize = 16;

/// What ends the name of an image.
const SUFFIX: &str = "sqlite";

/// What begins the name of an image that is not finished.
const DRAFT: &str = ".image";

/// A prepared database.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) path: PathBuf,
    /// Whether it was made just now: then its times relative to now are right.
    pub(crate) is_new: bool,
}

/// The image of `fixtures` in the folder `cache`, made now if it is not there.
///
/// # Errors
/// When a fixture is wrong, with its file and label, or the folder cannot be written.
pub(crate) fn prepare(fixtures: &Fixtures, cache: &Path, era: Era) -> anyhow::Result<Image> {
    let path = cache.join(format!("{}.{SUFFIX}", key(fixtures, era)?));
    if is_there(&path) {
        return Ok(Image { path, is_new: false });
    }
    fs_err::create_dir_all(cache)?;
    let _turn = take_turn(cache)?;
    remove_drafts(cache)?;
    // Another server may have made it, while we waited for our turn.
    let is_new = !is_there(&path);
    if is_new {
        remove_oldest(cache)?;
        let draft = tempfile::Builder::new().prefix(DRAFT).tempfile_in(cache)?;
        build(draft.path(), fixtures, era)?;
        draft
            .persist(&path)
            .with_context(|| format!("keep the database image {}", path.display()))?;
    }
    Ok(Image { path, is_new })
}

/// Whether there is such an image; then it is used now.
fn is_there(image: &Path) -> bool {
    let Ok(file) = File::open(image) else { return false };
    // Only that it is kept for longer depends on it.
    let _ = file.set_modified(SystemTime::now());
    true
}

/// Makes room for one more image: those that have not been used for longest go. Whoever still has one
/// open keeps what is in it.
fn remove_oldest(cache: &Path) -> anyhow::Result<()> {
    let mut images = Vec::new();
    for entry in fs_err::read_dir(cache)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == SUFFIX) {
            images.push((fs_err::metadata(&path)?.modified()?, path));
        }
    }
    images.sort();
    let too_many = (images.len() + 1).saturating_sub(MAX_IMAGES);
    for (_, path) in images.into_iter().take(too_many) {
        fs_err::remove_file(path)?;
    }
    Ok(())
}

/// Waits until no other server makes an image there: of as many as start at once, one makes it for
/// all. The turn is over when the file is closed, also by the end of the process.
fn take_turn(cache: &Path) -> anyhow::Result<File> {
    let path = cache.join("image.lock");
    let file = fs_err::File::create(&path)?.into_parts().0;
    file.lock().with_context(|| format!("lock {}", path.display()))?;
    Ok(file)
}

/// Removes what servers have left that were killed in the middle: as it is our turn, no other draft is
/// anybody's.
fn remove_drafts(cache: &Path) -> anyhow::Result<()> {
    for entry in fs_err::read_dir(cache)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(DRAFT.as_bytes()) {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn key(fixtures: &Fixtures, era: Era) -> anyhow::Result<String> {
    let mut hash = Md5::new();
    hash.update(fixtures.content_hash()?);
    hash.update(schema::statements(era));
    hash.update(format!("{era:?} {LOADER_VERSION}"));
    Ok(to_hex(&hash.finalize()))
}

fn build(path: &Path, fixtures: &Fixtures, era: Era) -> anyhow::Result<()> {
    let mut db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "OFF")?;
    db.pragma_update(None, "synchronous", "OFF")?;
    // The ids of fixtures are in no order: what does not fit is written and read again and again.
    db.pragma_update(None, "cache_size", -store::LOADER_CACHE_KIB)?;
    let transaction = db.transaction()?;
    transaction.execute_batch(&schema::tables(era))?;
    fixture_load::load(&transaction, fixtures, era)?;
    transaction.execute_batch(&schema::indexes(era))?;
    seeds::plant(&transaction, era)?;
    transaction.commit()?;
    db.close().map_err(|(_, error)| error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::time::Duration;

    use super::*;

    fn names(cache: &Path) -> Vec<String> {
        let entries = fs_err::read_dir(cache).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn servers_that_start_at_once_make_one_image() {
        let cache = tempfile::tempdir().unwrap();
        let prepare = || prepare(&Fixtures::builtin(), cache.path(), Era::Current).unwrap();
        let made = || prepare().path.metadata().unwrap().ino();
        let inodes = std::thread::scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(made));
            threads.map(|thread| thread.join().unwrap())
        });
        assert_eq!(inodes, [inodes[0]; 3]);
        assert_eq!(names(cache.path()).len(), 2, "the image and its lock");
    }

    #[test]
    fn images_that_were_not_used_for_long_make_room() {
        let cache = tempfile::tempdir().unwrap();
        let path = |number: usize| cache.path().join(format!("{number:02}.{SUFFIX}"));
        for number in 0..=MAX_IMAGES {
            let file = fs_err::File::create(path(number)).unwrap();
            let age = Duration::from_secs(1000 - number as u64);
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        assert!(is_there(&path(0)));
        remove_oldest(cache.path()).unwrap();
        let expected: Vec<_> = std::iter::once(0).chain(3..=MAX_IMAGES).collect();
        let expected: Vec<_> =
            expected.iter().map(|number| format!("{number:02}.{SUFFIX}")).collect();
        assert_eq!(names(cache.path()), expected);
    }
}
