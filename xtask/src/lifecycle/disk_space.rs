//! How much room there is where a stack lies.

use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::stack::StackFolder;

/// Keepstores take no block when less than this is free, in MiB: a block may be as large.
const NEEDED: u64 = 64;

/// With less than this, in KiB, whatever fails has probably failed for want of it.
const FULL: u64 = 2048;

/// What a user has to know of it; nothing if there is room enough, or the system does not tell.
pub(crate) fn warning(folder: &StackFolder) -> Option<String> {
    let free = free_kilobytes(folder.path())? >> 10;
    (free < NEEDED).then(|| {
        format!(
            "warning: only {free} MiB are free in {}; keepstores take no block with less than \
             {NEEDED} MiB",
            folder.path().display()
        )
    })
}

/// A failure with its cause, if that is a full disk: programs that we run do not always say so.
pub(super) fn explain(folder: &StackFolder, error: anyhow::Error) -> anyhow::Error {
    match free_kilobytes(folder.path()) {
        Some(free) if free < FULL => {
            let folder = folder.path().display();
            error.context(format!("the disk is full: {free} KiB are left in {folder}"))
        }
        _ => error,
    }
}

/// KiB that are free where `folder` lies, if the system tells.
pub(crate) fn free_kilobytes(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    Some(disk.blocks_available().saturating_mul(disk.fragment_size()) >> 10)
}
