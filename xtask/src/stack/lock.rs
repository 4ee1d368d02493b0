//! One command at a time works on a stack.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Context;

use super::StackFolder;
use crate::output::say;

/// Held while a command changes a stack; let go however it ends.
#[derive(Debug)]
pub(crate) struct StackLock {
    file: File,
    is_first: bool,
}

/// How often the folder may be removed under us.
const ATTEMPTS: usize = 100;

/// Whether to wait for another command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Wait,
    DoNotWait,
}

impl StackLock {
    /// Makes the stack's folder if it is missing, takes the lock for `command`, and says whom it
    /// waits for if it has to.
    ///
    /// # Errors
    /// When the folder or the file cannot be made or locked.
    pub(crate) fn take(folder: &StackFolder, command: &str) -> anyhow::Result<Self> {
        for _ in 0..ATTEMPTS {
            // A command may just be removing the folder, which it has found unused.
            match folder.create() {
                Err(error) if is_not_found(&error) => {}
                created => created?,
            }
            if let Some(lock) = Self::attempt(folder, command, Patience::Wait)? {
                return Ok(lock);
            }
        }
        anyhow::bail!("{} is removed again and again", folder.path().display())
    }

    /// The same for a stack that may have no folder: then there is nothing to lock.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub(crate) fn take_if_exists(
        folder: &StackFolder,
        command: &str,
    ) -> anyhow::Result<Option<Self>> {
        while folder.path().exists() {
            if let Some(lock) = Self::attempt(folder, command, Patience::Wait)? {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    /// The same, unless another command has it.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub(crate) fn take_if_free(
        folder: &StackFolder,
        command: &str,
    ) -> anyhow::Result<Option<Self>> {
        Self::attempt(folder, command, Patience::DoNotWait)
    }

    /// Whether no command works on the stack now.
    pub(crate) fn is_free(folder: &StackFolder) -> bool {
        File::open(folder.stack_lock()).is_ok_and(|file| file.try_lock_shared().is_ok())
    }

    /// Whether nobody has had it before: the folder is new.
    pub(crate) fn is_first(&self) -> bool {
        self.is_first
    }

    /// `None` if what was locked is gone by then: who had the lock has removed the whole folder.
    fn attempt(
        folder: &StackFolder,
        command: &str,
        patience: Patience,
    ) -> anyhow::Result<Option<Self>> {
        let path = folder.stack_lock();
        let mut options = fs_err::OpenOptions::new();
        let file = options.create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = match file {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                let path = path.display();
                return Err(error).with_context(|| {
                    format!(
                        "{path} is a folder, where commands have a file of that name: remove it"
                    )
                });
            }
            file => file?.into_parts().0,
        };
        let cannot = || format!("cannot lock {}", path.display());
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if patience == Patience::DoNotWait => return Ok(None),
            Err(TryLockError::WouldBlock) => {
                say_whom_we_wait_for(&mut file, folder)?;
                file.lock().with_context(cannot)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        if !is_at(&file, &path) {
            return Ok(None);
        }
        let is_first = file.metadata()?.len() == 0;
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "`{command}` (pid {})", std::process::id()).with_context(cannot)?;
        Ok(Some(Self { file, is_first }))
    }
}

impl Drop for StackLock {
    fn drop(&mut self) {
        // Not by closing it: a process that another thread is just starting has it open as well,
        // until it runs its own program.
        let _closed_next = self.file.unlock();
    }
}

fn say_whom_we_wait_for(file: &mut File, folder: &StackFolder) -> anyhow::Result<()> {
    let mut holder = String::new();
    file.read_to_string(&mut holder)?;
    let holder = holder.trim();
    let holder = if holder.is_empty() { "another command" } else { holder };
    say(&format!("waiting for {holder}, which works on stack {}", folder.name()));
    Ok(())
}

fn is_not_found(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Whether `file` is the one that is at `path` now.
fn is_at(file: &File, path: &Path) -> bool {
    let same =
        |a: &std::fs::Metadata, b: &std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => same(&ours, &there),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_for_a_lock_whose_folder_was_removed_has_the_one_of_the_new_folder() {
        let place = tempfile::tempdir().unwrap();
        let folder = StackFolder::at(&place.path().join("stack")).unwrap();
        let lock = StackLock::take(&folder, "first").unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| StackLock::take(&folder, "second"));
            folder.remove().unwrap();
            drop(lock);
            let second = waiting.join().unwrap().unwrap();
            assert!(second.is_first());
            assert!(StackLock::take_if_free(&folder, "third").unwrap().is_none());
        });
        folder.remove().unwrap();
        assert!(StackLock::take_if_exists(&folder, "fourth").unwrap().is_none());
    }
}
