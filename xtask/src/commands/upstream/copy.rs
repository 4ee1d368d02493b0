//! A copy of a part of the user's checkout.

use std::path::Path;

/// What tools leave in a checkout, and a suite neither needs nor may find: a `tmp` would have the
/// pids of other servers.
const LEFT_OUT: [&str; 6] = [".git", "__pycache__", "build", "dist", "log", "tmp"];

/// Copies a file, or a folder with what is in it. Links stay links, as within a checkout they lead
/// to other parts of it. Nothing is copied if it is not there, or was copied before.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if from.symlink_metadata().is_err() || to.symlink_metadata().is_ok() {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs_err::create_dir_all(parent)?;
    }
    copy_all(from, to)
}

fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    let kind = fs_err::symlink_metadata(from)?.file_type();
    if kind.is_symlink() {
        return fs_err::os::unix::fs::symlink(fs_err::read_link(from)?, to);
    }
    if !kind.is_dir() {
        // What is neither, such as a socket, is no part of a checkout.
        return if kind.is_file() { fs_err::copy(from, to).map(drop) } else { Ok(()) };
    }
    fs_err::create_dir(to)?;
    for entry in fs_err::read_dir(from)? {
        let name = entry?.file_name();
        let is_left_out = name.to_str().is_some_and(|name| {
            LEFT_OUT.contains(&name) || name.ends_with(".egg-info") || name.ends_with(".pyc")
        });
        if !is_left_out {
            copy_all(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_have_left_is_not_copied_and_links_stay_links() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("deep/to"));
        for name in ["a/tests", "a/tmp", "a/x.egg-info", "b"] {
            fs_err::create_dir_all(from.join(name)).unwrap();
        }
        fs_err::write(from.join("a/tests/test_a.py"), "x").unwrap();
        fs_err::write(from.join("a/tmp/api.pid"), "1").unwrap();
        fs_err::os::unix::fs::symlink("../a/tests", from.join("b/tests")).unwrap();
        copy(&from, &to).unwrap();
        copy(&from, &to).unwrap();
        copy(&from.join("nothing"), &to.join("nothing")).unwrap();
        assert_eq!(fs_err::read_to_string(to.join("b/tests/test_a.py")).unwrap(), "x");
        assert!(to.join("b/tests").is_symlink());
        for left_out in ["a/tmp", "a/x.egg-info", "nothing"] {
            assert!(!to.join(left_out).exists(), "{left_out}");
        }
    }
}
