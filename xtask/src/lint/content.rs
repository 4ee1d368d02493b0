//! What is checked: the work tree, or a copy of what the next commit would have.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::git::Repository;
use super::{Check, Skipped};
use crate::failure::Usage;

/// A tree of files, and which of them are looked at one by one.
#[derive(Debug)]
pub(crate) struct Content {
    folder: PathBuf,
    /// Relative to the folder. Where git knows none, why.
    files: Result<Vec<PathBuf>, String>,
    /// What changed, deleted files among it; nothing where everything is looked at.
    staged: Option<Vec<PathBuf>>,
    /// Gone with us.
    _copy: Option<TempDir>,
}

impl Content {
    /// All of the checkout as it lies there.
    pub(crate) fn of_work_tree(root: &Path) -> Self {
        let files = Repository::of(root).and_then(|repository| repository.files());
        let files = files.map_err(|error| format!("git does not know the files: {error:#}"));
        let files = files.map(|files| ordinary(root, files));
        Self { folder: root.to_owned(), files, staged: None, _copy: None }
    }

    /// What is staged, and beside it what the index has that `checks` of it need.
    ///
    /// # Errors
    /// Wrong usage where there is no repository; else when git or the disk does not do its part.
    pub(crate) fn of_index(root: &Path, checks: &[&Check]) -> anyhow::Result<Self> {
        let repository =
            Repository::of(root).map_err(|error| Usage(format!("--staged: {error:#}")))?;
        let mut staged = repository.staged()?;
        staged.sort();
        if staged.is_empty() {
            let (folder, files) = (root.to_owned(), Ok(Vec::new()));
            return Ok(Self { folder, files, staged: Some(staged), _copy: None });
        }
        let mut wanted = repository.indexed()?;
        let needs = needs(checks, &staged);
        let is_staged = |path: &PathBuf| staged.binary_search(path).is_ok();
        wanted.retain(|path| is_staged(path) || needs.iter().any(|need| path.starts_with(need)));
        let copy = tempfile::Builder::new().prefix("staged-").tempdir()?;
        // Programs say where a file really is.
        let folder = repository.check_out(&wanted, &copy.path().canonicalize()?)?;
        let files = Ok(ordinary(&folder, staged.clone()));
        Ok(Self { folder, files, staged: Some(staged), _copy: Some(copy) })
    }

    /// Where it lies.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn is_staged(&self) -> bool {
        self.staged.is_some()
    }

    /// The files that are looked at one by one, relative to the folder: no links, no submodules.
    ///
    /// # Errors
    /// [`Skipped`] where nobody knows which files are the project's.
    pub(crate) fn files(&self) -> Result<&[PathBuf], Skipped> {
        self.files.as_deref().map_err(|reason| Skipped(reason.clone()))
    }

    /// Whether a check has anything to look at.
    pub(crate) fn concerns(&self, is_concerned: fn(&Path) -> bool) -> bool {
        self.staged.as_ref().is_none_or(|all| all.iter().any(|path| is_concerned(path)))
    }

    /// What a program says of the files, with their places as an editor wants them: relative to
    /// the checkout.
    pub(crate) fn relative(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.display()), "")
    }
}

/// What those of `checks` need that these changes concern.
fn needs(checks: &[&Check], changes: &[PathBuf]) -> Vec<&'static str> {
    let is_concerned = |check: &&&Check| changes.iter().any(|path| (check.concerns)(path));
    checks.iter().filter(is_concerned).flat_map(|check| check.needs).copied().collect()
}

/// Those of `paths` that are files.
fn ordinary(folder: &Path, paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_file = |path: &PathBuf| {
        folder.join(path).symlink_metadata().is_ok_and(|metadata| metadata.is_file())
    };
    paths.into_iter().filter(is_file).collect()
}
