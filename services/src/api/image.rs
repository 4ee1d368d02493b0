//! The prepared image of the fixture database, made once for each content of the fixtures.

use std::path::{Path, PathBuf};

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

/// The image of `fixtures` in the folder `cache`, made now if it is not there.
///
/// # Errors
/// When a fixture is wrong, with its file and label, or the folder cannot be written.
pub(crate) fn prepare(fixtures: &Fixtures, cache: &Path, era: Era) -> anyhow::Result<PathBuf> {
    let image = cache.join(format!("{}.sqlite", key(fixtures, era)?));
    if !image.exists() {
        fs_err::create_dir_all(cache)?;
        let draft = tempfile::Builder::new().prefix(".image").tempfile_in(cache)?;
        build(draft.path(), fixtures, era)?;
        draft
            .persist(&image)
            .with_context(|| format!("keep the database image {}", image.display()))?;
    }
    Ok(image)
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
    db.pragma_update(None, "temp_store", "MEMORY")?;
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
