//! The git repositories of a Rails application's tests, which its checkout has as an archive.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::run::Task;

/// Where the application expects them.
pub(super) const FOLDER: &str = "tmp/git/test";

/// How long unpacking may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The archive, which has all of them in a folder `test`.
pub(super) fn archive(application: &Path) -> PathBuf {
    application.join("test/test.git.tar")
}

/// Puts what the archive has in place of what is there; without an archive nothing is done.
///
/// # Errors
/// When it cannot be unpacked, or the old ones not be removed.
pub(super) fn install(application: &Path) -> anyhow::Result<()> {
    let archive = archive(application);
    if !archive.exists() {
        return Ok(());
    }
    let installed = application.join(FOLDER);
    let parent = installed.parent().unwrap_or(application);
    fs_err::create_dir_all(parent)?;
    let aside = tempfile::Builder::new().prefix(".unpacked-").tempdir_in(parent)?;
    extract(&archive, aside.path())?;
    if installed.exists() {
        fs_err::rename(&installed, aside.path().join("replaced"))?;
    }
    fs_err::rename(aside.path().join("test"), &installed)?;
    Ok(aside.close()?)
}

/// Unpacks an archive over what is in a folder. All becomes the user's own, whoever packed it: git
/// refuses to read what belongs to somebody else.
///
/// # Errors
/// When it cannot be unpacked.
pub(crate) fn extract(archive: &Path, folder: &Path) -> anyhow::Result<()> {
    let archive = archive.to_string_lossy().into_owned();
    let command = ["tar", "--extract", "--no-same-owner", "--file", &archive];
    let command = command.map(str::to_owned).to_vec();
    let task = Task { command, folder: folder.to_owned(), environment: Vec::new() };
    task.start()?.finish(Instant::now() + PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_beside_the_fixtures_is_gone_after_a_reset() {
        let folder = tempfile::tempdir().unwrap();
        let application = folder.path();
        let packed = application.join("packed/test/foo");
        fs_err::create_dir_all(&packed).unwrap();
        fs_err::write(packed.join("HEAD"), "ref").unwrap();
        fs_err::create_dir_all(application.join("test")).unwrap();
        let tar = ["-C", "packed", "-cf", "test/test.git.tar", "test"];
        let mut command = std::process::Command::new("tar");
        assert!(command.args(tar).current_dir(application).status().unwrap().success());

        install(application).unwrap();
        let installed = application.join(FOLDER);
        fs_err::write(installed.join("extra"), "").unwrap();
        fs_err::remove_file(installed.join("foo/HEAD")).unwrap();
        install(application).unwrap();
        assert_eq!(fs_err::read_to_string(installed.join("foo/HEAD")).unwrap(), "ref");
        let names = |path: PathBuf| fs_err::read_dir(path).unwrap().count();
        assert_eq!((names(installed), names(application.join("tmp/git"))), (1, 1));
    }

    #[test]
    fn a_checkout_without_an_archive_has_none() {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path()).unwrap();
        assert!(!folder.path().join("tmp").exists());
    }
}
