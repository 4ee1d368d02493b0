//! One command at a time works on a stack.

use crate::output::say;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};

use anyhow::Context;

use super::StackFolder;

/// Held while a command changes a stack; let go however it ends.
#[derive(Debug)]
pub(crate) struct StackLock {
    _file: File,
    is_first: bool,
}

impl StackLock {
    /// The same for a stack that may have no folder: then there is nothing to lock.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub(crate) fn take_if_exists(
        folder: &StackFolder,
        command: &str,
    ) -> anyhow::Result<Option<Self>> {
        match Self::take(folder, command) {
            Err(_) if !folder.path().exists() => Ok(None),
            result => result.map(Some),
        }
    }

    /// Takes the lock for `command`, and says whom it waits for if it has to.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub(crate) fn take(folder: &StackFolder, command: &str) -> anyhow::Result<Self> {
        let path = folder.stack_lock();
        let mut file = fs_err::OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)?
            .into_parts()
            .0;
        let cannot = || format!("cannot lock {}", path.display());
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                let holder = holder.trim();
                let holder = if holder.is_empty() { "another command" } else { holder };
                say(&format!("waiting for {holder}, which works on stack {}", folder.name()));
                file.lock().with_context(cannot)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        let is_first = file.metadata()?.len() == 0;
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "`{command}` (pid {})", std::process::id())?;
        Ok(Self { _file: file, is_first })
    }

    /// Whether nobody has had it before: the folder is new.
    pub(crate) fn is_first(&self) -> bool {
        self.is_first
    }
}
