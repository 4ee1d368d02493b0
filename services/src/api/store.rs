//! The database: one connection that writes, as many as needed that read, and the image of the
//! fixture database that a reset returns to.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use rusqlite::hooks::Action;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::watch;

use super::changed_rows::ChangedRows;
use super::error::{ApiError, Result};
use super::full_text;
use super::image::Image;
use super::json_containment;
use super::like;
use super::relative;
use super::reset;
use super::schema;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 128;

/// How much of a database whoever loads fixtures keeps in memory.
pub(crate) const LOADER_CACHE_KIB: i64 = 256 << 10;

/// How much of the database the writer keeps in memory, if it is so large: a reset may write all of it.
const WRITER_CACHE_KIB: i64 = 4 << 10;

/// How much of it a reader keeps: with the next write of another connection SQLite gives all of that
/// back, piece by piece, and whichever thread had made room for it keeps the room.
const READER_CACHE_KIB: i64 = 512;

/// An open database.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    /// Rows that may differ from the image, values that are relative to now apart.
    changed: Arc<Mutex<ChangedRows>>,
    readers: Mutex<Vec<Connection>>,
    written: watch::Sender<()>,
}

impl Store {
    /// Opens the database at `path`; if there is none, it becomes a copy of `image`.
    ///
    /// # Errors
    /// When a file cannot be read, made or understood.
    pub(crate) fn open(path: &Path, image: &Image) -> anyhow::Result<Self> {
        let mut changed = ChangedRows::unknown();
        if !path.exists() {
            create(path, image).with_context(|| format!("create database {}", path.display()))?;
            changed = ChangedRows::none();
        }
        let changed = Arc::new(Mutex::new(changed));
        let open = || -> rusqlite::Result<Connection> {
            let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            writer.pragma_update(None, "journal_mode", "WAL")?;
            writer.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
            reset::attach(&writer, &image.path)?;
            let changed = Arc::clone(&changed);
            // It is told of every row, save when a table is emptied without a condition.
            writer.update_hook(Some(move |_: Action, _: &str, table: &str, id| {
                lock(&changed).note(table, id);
            }))?;
            Ok(writer)
        };
        let writer = open().with_context(|| format!("open database {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            changed,
            readers: Mutex::new(Vec::new()),
            written: watch::Sender::new(()),
        })
    }

    /// Runs `work` on one unchanging state of the database.
    ///
    /// # Errors
    /// Those of `work` and of the database.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = lock(&self.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => {
                let reader = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                reader.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
                reader
            }
        };
        reader.prepare_cached("BEGIN")?.execute([])?;
        let result = work(&reader);
        reader.prepare_cached("ROLLBACK")?.execute([])?;
        lock(&self.readers).push(reader);
        result
    }

    /// Runs `work` as the only writer; what it changed stays only if it succeeds.
    ///
    /// # Errors
    /// Those of `work` and of the database.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.write_with(&mut lock(&self.writer), work)
    }

    /// Runs `work` as the only writer. It is told which rows may differ from the image, and when it has
    /// succeeded none does.
    ///
    /// # Errors
    /// Those of `work` and of the database.
    pub(crate) fn reset<T>(
        &self,
        work: impl FnOnce(&Connection, &ChangedRows) -> Result<T>,
    ) -> Result<T> {
        let mut writer = lock(&self.writer);
        // What `work` itself changes is noted meanwhile, and forgotten only with its success.
        let changed = lock(&self.changed).clone();
        let result = self.write_with(&mut writer, |db| work(db, &changed))?;
        *lock(&self.changed) = ChangedRows::none();
        Ok(result)
    }

    fn write_with<T>(
        &self,
        writer: &mut Connection,
        work: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit().map_err(ApiError::from)?;
        self.written.send_replace(());
        Ok(result)
    }

    /// Tells of each change from now on, of several at once.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }
}

/// A panic elsewhere rolled its transaction back: the connection behind the lock is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A killed server loses nothing by this; only a crashed machine would.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    like::install(&connection)?;
    full_text::install(&connection)?;
    json_containment::install(&connection)?;
    relative::install(&connection)?;
    Ok(connection)
}

/// Makes the database beside its place and moves it there when it is complete.
fn create(path: &Path, image: &Image) -> anyhow::Result<()> {
    let folder = path.parent().context("the path has no folder")?;
    let draft = tempfile::Builder::new().prefix(".api-database").tempfile_in(folder)?;
    fs_err::copy(&image.path, draft.path())?;
    let mut connection = connect(draft.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "cache_size", -LOADER_CACHE_KIB)?;
    let transaction = connection.transaction()?;
    if !image.is_new {
        relative::refresh(&transaction, "main")?;
    }
    schema::touch_permissions(&transaction)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    draft.persist(path)?;
    Ok(())
}
