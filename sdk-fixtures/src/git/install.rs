//! Copies of prepared repositories, quick enough to be made at every reset.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::Error;

/// Makes `target` the same as `prepared` (by [`super::prepare`]): repositories that differ are copied
/// again, what does not belong there is removed, and what is as it should be is left alone, since to
/// compare takes a small part of the time. A symbolic link there is removed, never followed.
///
/// # Errors
/// When `prepared` cannot be read or `target` not be written.
pub fn install(prepared: &Path, target: &Path) -> Result<(), Error> {
    let repositories = sorted_names(prepared)?;
    if !is_folder(target) {
        remove(target)?;
    }
    fs_err::create_dir_all(target)?;
    for name in sorted_names(target)? {
        if repositories.binary_search(&name).is_err() {
            remove(&target.join(name))?;
        }
    }
    for name in repositories {
        let (from, to) = (prepared.join(&name), target.join(&name));
        // What cannot be compared differs.
        if !is_same(&from, &to).unwrap_or(false) {
            remove(&to)?;
            copy(&from, &to, Kind::Mutable)?;
        }
    }
    Ok(())
}

fn is_folder(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

fn sorted_names(folder: &Path) -> io::Result<Vec<OsString>> {
    let names = fs_err::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Whether there are the same names, permissions and contents in both.
fn is_same(prepared: &Path, copy: &Path) -> io::Result<bool> {
    let [wanted, found] = [fs_err::symlink_metadata(prepared)?, fs_err::symlink_metadata(copy)?];
    let inode = |file: &Metadata| (file.dev(), file.ino());
    if inode(&wanted) == inode(&found) {
        return Ok(true);
    }
    if wanted.mode() != found.mode() {
        return Ok(false);
    }
    if !wanted.is_dir() {
        let is_as_long = wanted.len() == found.len();
        return Ok(is_as_long && fs_err::read(prepared)? == fs_err::read(copy)?);
    }
    let names = sorted_names(prepared)?;
    if names != sorted_names(copy)? {
        return Ok(false);
    }
    for name in names {
        if !is_same(&prepared.join(&name), &copy.join(&name))? {
            return Ok(false);
        }
    }
    Ok(true)
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
