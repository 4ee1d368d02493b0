//! A directory of blocks: each in `ROOT/first 3 digits/HASH`, written aside and then renamed.

use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use fs_err::File;
use md5::{Digest, Md5};
use nix::sys::statvfs::{Statvfs, statvfs};
use tempfile::NamedTempFile;

use super::arrival::Content;
use super::block::{Block, STEP_BYTES};
use super::trash::locked;
use crate::locator::MAX_BLOCK_SIZE;
use crate::log;
use crate::signature::to_hex;

/// With less than this many bytes free, a volume takes no more blocks.
const MIN_FREE_BYTES: u64 = 64 << 20;

/// How many seconds a volume that was found full is left alone.
const FULL_FOR_SECONDS: u64 = 3600;

/// How often to begin again when the directory is removed under us, as a reset does.
const WRITE_TRIES: usize = 5;

/// One directory of blocks. All paths below are built from checked hashes.
pub(super) struct Volume {
    root: PathBuf,
    read_only: bool,
    mount: Mount,
    /// Held around each use of the disk, if uses are to come one after another.
    turns: Option<Mutex<()>>,
}

/// What a volume is to the data manager, and to clients with wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// `zzzzz-nyw5e-` and 15 characters.
    pub(super) uuid: String,
    /// Its storage classes.
    pub(super) classes: Vec<String>,
    /// For how many copies one on it counts.
    pub(super) replication: usize,
}

impl Mount {
    /// That of a volume of which no more is known than where it is.
    pub(super) fn of(root: &Path) -> Self {
        let digits = to_hex(&Md5::digest(root.as_os_str().as_encoded_bytes()));
        let uuid = format!("zzzzz-nyw5e-{}", &digits[..15]);
        Self { uuid, classes: vec!["default".to_owned()], replication: 1 }
    }
}

/// What a volume has under a hash.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// Bytes with another hash.
    Corrupt,
    /// The block.
    Block(Block),
}

/// How a block on disk relates to one in memory of the same hash.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// It is not there.
    Absent,
    /// It is there, byte for byte.
    Same,
    /// Something else is there, which does not even have the hash.
    Corrupt,
    /// Something else is there that has the same hash.
    Collision,
}

/// A file system's space, in bytes.
pub(super) struct Space {
    pub(super) device: u64,
    pub(super) free: u64,
    pub(super) used: u64,
}

impl Volume {
    /// A volume in the directory `root`.
    pub(super) fn new(root: PathBuf, serialize: bool, read_only: bool) -> Self {
        let mount = Mount::of(&root);
        Self { root, read_only, mount, turns: serialize.then(Mutex::default) }
    }

    /// The same, known as `mount`.
    pub(super) fn mounted_as(self, mount: Mount) -> Self {
        Self { mount, ..self }
    }

    /// What it is known as.
    pub(super) fn mount(&self) -> &Mount {
        &self.mount
    }

    /// Whether blocks are only read from here.
    pub(super) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether uses of the disk come one after another.
    pub(super) fn takes_turns(&self) -> bool {
        self.turns.is_some()
    }

    /// The directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Reads a block and checks its hash.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(super) fn read(&self, hash: &str) -> io::Result<Found> {
        let _turn = self.turn();
        let Some(file) = open(&self.path(hash))? else {
            return Ok(Found::Nothing);
        };
        let size = file.metadata()?.len();
        if size > MAX_BLOCK_SIZE {
            return Ok(Found::Corrupt);
        }
        let (block, found) = Block::read(file, size)?;
        Ok(if found == hash { Found::Block(block) } else { Found::Corrupt })
    }

    /// Compares what is on disk under `hash` with `content`, which has that hash.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(super) fn compare(&self, hash: &str, content: &Content) -> io::Result<Comparison> {
        Ok(match self.same(hash, content)? {
            None => Comparison::Absent,
            Some(true) => Comparison::Same,
            Some(false) => match self.read(hash)? {
                Found::Nothing => Comparison::Absent,
                Found::Corrupt => Comparison::Corrupt,
                Found::Block(_) => Comparison::Collision,
            },
        })
    }

    /// Whether the file has this content; `None` without a file.
    fn same(&self, hash: &str, content: &Content) -> io::Result<Option<bool>> {
        let _turn = self.turn();
        open(&self.path(hash))?.map(|file| same(file, &mut *content.reader()?)).transpose()
    }

    /// Marks a block as used now.
    ///
    /// # Errors
    /// When it is no longer there, or not ours.
    pub(super) fn touch(&self, hash: &str) -> io::Result<()> {
        let _turn = self.turn();
        locked(&self.path(hash))?.set_modified(SystemTime::now())
    }

    /// How many bytes are stored under `hash`.
    pub(super) fn length(&self, hash: &str) -> Option<u64> {
        Some(fs_err::metadata(self.path(hash)).ok()?.len())
    }

    /// When a block was stored last.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn stored_at(&self, hash: &str) -> io::Result<SystemTime> {
        fs_err::metadata(self.path(hash))?.modified()
    }

    /// Stores a block: either all of it is there afterwards, or nothing.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub(super) fn write(&self, hash: &str, content: &Content) -> io::Result<()> {
        let _turn = self.turn();
        let mut tries = 1;
        loop {
            match self.try_write(hash, content) {
                Err(error) if error.kind() == ErrorKind::NotFound && tries < WRITE_TRIES => {
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    fn try_write(&self, hash: &str, content: &Content) -> io::Result<()> {
        let mut file = self.aside(hash)?;
        io::copy(&mut content.reader()?, &mut file)?;
        self.put_in_place(hash, file).map(drop).map_err(|failed| failed.error)
    }

    /// An empty file beside the place of the block.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn aside(&self, hash: &str) -> io::Result<NamedTempFile> {
        let path = self.path(hash);
        let directory = path.parent().unwrap_or(&self.root);
        let prefix = format!("tmp{hash}");
        let mut tries = 1;
        loop {
            match tempfile::Builder::new().prefix(&prefix).tempfile_in(directory) {
                Err(error) if error.kind() == ErrorKind::NotFound && tries < WRITE_TRIES => {
                    tries += 1;
                    fs_err::create_dir_all(directory)?;
                }
                result => return result,
            }
        }
    }

    /// Makes the file aside the block.
    ///
    /// # Errors
    /// When the directory was removed meanwhile. The file is given back.
    pub(super) fn put_in_place(
        &self,
        hash: &str,
        file: NamedTempFile,
    ) -> Result<std::fs::File, tempfile::PersistError> {
        // A file system's own clock may lag behind: a block would seem older than it is.
        let dated = file.as_file().set_modified(SystemTime::now());
        match dated {
            Ok(()) => file.persist(self.path(hash)),
            Err(error) => Err(tempfile::PersistError { error, file }),
        }
    }

    /// Whether the volume takes no blocks for now: its space is, or was within the last hour,
    /// below the minimum. The symbolic link `full` remembers when.
    pub(super) fn is_full(&self) -> bool {
        let link = self.root.join("full");
        if let Ok(target) = fs_err::read_link(&link) {
            let since: Option<u64> = target.to_str().and_then(|text| text.parse().ok());
            if since.is_some_and(|since| unix_now().saturating_sub(since) < FULL_FOR_SECONDS) {
                return true;
            }
            // It is only a memory: if it stays, it is as stale as before.
            let _ = fs_err::remove_file(&link);
        }
        // A volume that is gone is made again by the next write, which reports what is wrong.
        let full = statvfs(&self.root).is_ok_and(|found| free_bytes(&found) < MIN_FREE_BYTES);
        if full {
            self.remember_full();
        }
        full
    }

    /// Leaves the volume alone for an hour.
    pub(super) fn remember_full(&self) {
        let link = self.root.join("full");
        if let Err(error) = fs_err::os::unix::fs::symlink(unix_now().to_string(), link) {
            log::line(format_args!("keepstore: cannot mark a full volume: {error}"));
        }
    }

    /// The space on the file system.
    ///
    /// # Errors
    /// When the directory is gone.
    pub(super) fn space(&self) -> io::Result<Space> {
        let device = fs_err::metadata(&self.root)?.dev();
        let found = statvfs(&self.root)?;
        let used = found.blocks().saturating_sub(found.blocks_free());
        Ok(Space { device, free: free_bytes(&found), used: bytes(&found, used) })
    }

    /// Where a block is.
    pub(super) fn path(&self, hash: &str) -> PathBuf {
        self.root.join(&hash[..3]).join(hash)
    }

    /// Our turn to use the disk, until it is dropped.
    pub(super) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        let turns = self.turns.as_ref()?;
        Some(turns.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many bytes may still be written.
fn free_bytes(found: &Statvfs) -> u64 {
    bytes(found, found.blocks_available())
}

fn bytes(found: &Statvfs, blocks: u64) -> u64 {
    blocks.saturating_mul(found.fragment_size())
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether `file` has what `expected` gives.
fn same(mut file: File, expected: &mut dyn Read) -> io::Result<bool> {
    let [mut wanted, mut found] = [vec![0; STEP_BYTES], vec![0; STEP_BYTES]];
    loop {
        let length = expected.read(&mut wanted)?;
        // One byte more at the end: the file must not go on.
        let found = &mut found[..length.max(1)];
        match file.read_exact(found) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(length == 0),
            result => result?,
        }
        if *found != wanted[..length] {
            return Ok(false);
        }
    }
}

/// Now, as a Unix time.
pub(super) fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
