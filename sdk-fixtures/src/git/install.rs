//! Copies of prepared repositories, quick enough to be made at every reset.

use std::io::ErrorKind;
use std::path::Path;

use crate::error::Error;

/// Puts a fresh copy of the repositories in `prepared` (by [`super::prepare`]) at `target`, and
/// removes what was there. A symbolic link there is removed, never followed.
///
/// # Errors
/// When `prepared` cannot be read or `target` not be written.
pub fn install(prepared: &Path, target: &Path) -> Result<(), Error> {
    remove(target)?;
    copy(prepared, target, Kind::Mutable)
}

fn remove(target: &Path) -> Result<(), Error> {
    let removed = match fs_err::symlink_metadata(target) {
        Ok(found) if found.is_dir() => fs_err::remove_dir_all(target),
        Ok(_) => fs_err::remove_file(target),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// What git does with a file once it is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// May write into it.
    Mutable,
    /// An object or a pack: read or removed, never changed, so that copies may share it.
    Immutable,
}

fn copy(from: &Path, to: &Path, kind: Kind) -> Result<(), Error> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let destination = to.join(&name);
        if entry.file_type()?.is_dir() {
            let below = if name == "objects" { Kind::Immutable } else { kind };
            copy(&entry.path(), &destination, below)?;
        } else if kind == Kind::Mutable || fs_err::hard_link(entry.path(), &destination).is_err() {
            // A link fails across file systems, and on some within one.
            fs_err::copy(entry.path(), &destination)?;
        }
    }
    Ok(())
}
