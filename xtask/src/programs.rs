//! Where a program is found.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::services::Check;

/// Looked at after PATH: daemons are often there, and users' PATH often lacks them.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The path of the program `name`, if it can be used. One with a slash in it is a path itself,
/// relative to `folder`.
///
/// # Errors
/// Says why it cannot be used.
pub(crate) fn look_up(folder: &Path, name: &str, check: Check) -> Result<PathBuf, String> {
    let found = match name.contains('/') {
        true => Some(folder.join(name)).filter(|path| is_executable(path)),
        false => find(name),
    };
    let path = found.ok_or_else(|| format!("{name} is not installed"))?;
    check(&path).map(|()| path)
}

/// The path of the program `name`, if it is installed.
///
/// The `bin` folders of GOPATH come first, then PATH, then the folders of daemons.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let of = |variable| std::env::var_os(variable).unwrap_or_default();
    let (gopath, path) = (of("GOPATH"), of("PATH"));
    let go = std::env::split_paths(&gopath).map(|folder| folder.join("bin"));
    let folders = go.chain(std::env::split_paths(&path)).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    find_in(folders, name)
}

/// The path of the program `name` in the first of these folders that has it.
pub(crate) fn find_in(folders: impl Iterator<Item = PathBuf>, name: &str) -> Option<PathBuf> {
    folders
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| is_executable(program))
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_and_a_missing_one_is_not() {
        assert!(find("sh").is_some_and(|path| path.ends_with("sh")));
        assert_eq!(find("no-such-program"), None);
    }
}
