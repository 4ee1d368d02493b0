//! Removes from the trash of volumes what can no longer be taken out of it.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::index::entries;
use super::receive::blocking;
use super::store::Store;
use super::volume::{Volume, unix_now};
use crate::locator::is_hash;
use crate::log;

/// Sweeps the writable volumes at once, and then each time after `interval`, for ever.
pub(super) async fn sweep_for_ever(store: Arc<Store>, interval: Duration) {
    loop {
        let store = Arc::clone(&store);
        let sweep = move || {
            for (_, volume) in store.writable() {
                if let Err(error) = volume.sweep(unix_now()) {
                    let at = volume.root().display();
                    log::line(format_args!("keepstore: {at}: the trash stays: {error}"));
                }
            }
        };
        // A failure is in the log.
        let _ = blocking(sweep).await;
        tokio::time::sleep(interval).await;
    }
}

impl Volume {
    /// Removes the blocks from the trash whose time was over at `now`, a Unix time.
    ///
    /// # Errors
    /// When a directory cannot be listed.
    fn sweep(&self, now: u64) -> io::Result<()> {
        for directory in entries(self.root())? {
            if directory.file_name().len() != 3 {
                continue;
            }
            for file in entries(&directory.path())? {
                let name = file.file_name();
                let deadline = name.to_str().and_then(deadline);
                if deadline.is_some_and(|deadline| deadline <= now) {
                    remove(&file.path());
                }
            }
        }
        Ok(())
    }
}

/// Removes a file, or says in the log why it stays: the others are to go all the same.
fn remove(file: &Path) {
    match fs_err::remove_file(file) {
        // It was taken out in the last moment.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => log::line(format_args!("keepstore: the trash stays: {error}")),
        Ok(()) => {}
    }
}

/// Until when the block in the file of this name can be taken out; `None` if it is not in the trash.
fn deadline(name: &str) -> Option<u64> {
    let (hash, deadline) = name.split_once(".trash.")?;
    deadline.parse().ok().filter(|_| is_hash(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_over_is_removed_and_only_from_the_trash() {
        let root = tempfile::tempdir().unwrap();
        let volume = Volume::new(root.path().into(), false, false);
        let foo = "acbd18db4cc2f85cedef654fccc4a4d8";
        let directory = root.path().join("acb");
        fs_err::create_dir(&directory).unwrap();
        let over = format!("{foo}.trash.1000");
        let kept = [
            foo.to_owned(),
            format!("{foo}.trash.1001"),
            format!("{foo}.trash.x"),
            "other.trash.1".to_owned(),
        ];
        for name in kept.iter().chain([&over]) {
            fs_err::write(directory.join(name), "foo").unwrap();
        }
        volume.sweep(999).unwrap();
        assert!(directory.join(&over).exists());
        volume.sweep(1000).unwrap();
        assert!(!directory.join(&over).exists());
        assert!(kept.iter().all(|name| directory.join(name).exists()));
    }

    #[test]
    fn what_cannot_be_removed_does_not_keep_the_rest() {
        let root = tempfile::tempdir().unwrap();
        let volume = Volume::new(root.path().into(), false, false);
        let foo = root.path().join("acb/acbd18db4cc2f85cedef654fccc4a4d8.trash");
        fs_err::create_dir_all(foo.with_extension("trash.2")).unwrap();
        let over = ["trash.1", "trash.3"].map(|name| foo.with_extension(name));
        over.iter().for_each(|file| fs_err::write(file, "foo").unwrap());
        volume.sweep(9).unwrap();
        assert!(over.iter().all(|file| !file.exists()));
    }

    #[test]
    fn a_volume_that_is_gone_has_no_trash() {
        let volume = Volume::new("/no/such/volume".into(), false, false);
        assert!(volume.sweep(u64::MAX).is_ok());
    }
}
