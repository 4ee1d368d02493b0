//! The folder of a run's report: what suites have printed, the logs of their clusters, and the
//! report itself.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::failure::Usage;
use crate::lifecycle::disk_space::free_kilobytes;
use crate::workspace::Workspace;

/// Everything that a run writes there, and the next one removes.
const OURS: [&str; 5] = ["index.html", "junit.xml", "report.json", "logs", "output"];

/// With less than this, in KiB, some of what a suite prints may be lost.
const FULL: u64 = 64;

/// What tells a report from a folder of the user's. It is held by the run whose report it is.
const LOCK: &str = ".test-all.lock";

/// It belongs to one run at a time.
#[derive(Debug)]
pub(crate) struct ReportFolder {
    path: PathBuf,
    _lock: File,
}

impl ReportFolder {
    /// The one that was asked for, or else that of the checkout: `target/test-all`, or one of our
    /// own beside it as long as another run has that.
    ///
    /// # Errors
    /// When it cannot be made, is that of another run, or has something else in it.
    pub(crate) fn open(workspace: &Workspace, asked_for: Option<&Path>) -> anyhow::Result<Self> {
        let target = workspace.root().join("target");
        let path = asked_for.map_or_else(|| target.join("test-all"), Path::to_owned);
        // What is below `target` is cargo's and ours.
        if asked_for.is_some() {
            refuse_others(&path)?;
        }
        if let Some(folder) = Self::take(&path)? {
            return Ok(folder);
        }
        let own = target.join(format!("test-all-{}", std::process::id()));
        let free = if asked_for.is_none() { Self::take(&own)? } else { None };
        let in_use = || Usage(format!("{} is the report of a run that goes on", path.display()));
        Ok(free.ok_or_else(in_use)?)
    }

    /// `None` if another run has it.
    fn take(path: &Path) -> anyhow::Result<Option<Self>> {
        fs_err::create_dir_all(path)?;
        let lock = fs_err::File::create(path.join(LOCK))?.into_parts().0;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        for name in OURS {
            remove(&path.join(name))?;
        }
        fs_err::create_dir(path.join("output"))?;
        Ok(Some(Self { path: path.canonicalize()?, _lock: lock }))
    }

    /// Why what was printed may not be there as a whole.
    pub(crate) fn lack_of_room(&self) -> Option<String> {
        let full = free_kilobytes(&self.path).is_some_and(|free| free < FULL);
        let folder = self.path.display();
        full.then(|| format!("the disk is full: what it has printed in {folder} is incomplete"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A new file for what that attempt at a suite prints, relative to the folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn output(&self, suite: &str, attempt: usize) -> anyhow::Result<PathBuf> {
        let file = Path::new("output").join(format!("{}.txt", file_name(suite, attempt)));
        // Another suite may have removed the folder, as one that calls `cargo clean` does.
        fs_err::create_dir_all(self.path.join("output"))?;
        fs_err::File::create(self.path.join(&file))?;
        Ok(file)
    }

    /// Copies the logs of that attempt's services here. Their names, and where they are, relative
    /// to the folder.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub(crate) fn keep_logs(
        &self,
        suite: &str,
        attempt: usize,
        logs: &Path,
    ) -> anyhow::Result<Vec<(String, PathBuf)>> {
        let folder = Path::new("logs").join(file_name(suite, attempt));
        let mut kept = Vec::new();
        let entries = match fs_err::read_dir(logs) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(kept),
            entries => entries?,
        };
        fs_err::create_dir_all(self.path.join(&folder))?;
        for entry in entries {
            let file = PathBuf::from(entry?.file_name());
            fs_err::copy(logs.join(&file), self.path.join(&folder).join(&file))?;
            kept.push((file.with_extension("").display().to_string(), folder.join(&file)));
        }
        kept.sort();
        Ok(kept)
    }
}

/// A folder that is neither empty nor a report of ours.
fn refuse_others(path: &Path) -> anyhow::Result<()> {
    let is_empty = !path.exists() || fs_err::read_dir(path)?.next().is_none();
    match is_empty || path.join(LOCK).exists() {
        true => Ok(()),
        false => Err(Usage(format!(
            "{} is not empty, and no report of an earlier run: name a folder of its own for the \
             report",
            path.display()
        ))
        .into()),
    }
}

/// `python (many)` is `python@many`, and `python@many+2` the second time: names of suites have none of
/// these characters.
fn file_name(suite: &str, attempt: usize) -> String {
    let words = suite.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let name = words.join("@");
    if attempt == 1 { name } else { format!("{name}+{attempt}") }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = match path.is_dir() {
        true => fs_err::remove_dir_all(path),
        false => fs_err::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_suites_are_names_of_files() {
        assert_eq!(file_name("python", 1), "python");
        assert_eq!(file_name("python (many)", 2), "python@many+2");
    }

    #[test]
    fn what_a_run_left_is_gone_before_the_next_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let folder = ReportFolder::take(place.path()).unwrap().unwrap();
        folder.output("a", 1).unwrap();
        fs_err::write(place.path().join("mine"), "").unwrap();
        assert!(ReportFolder::take(place.path()).unwrap().is_none());
        drop(folder);
        let folder = ReportFolder::take(place.path()).unwrap().unwrap();
        assert_eq!(fs_err::read_dir(folder.path().join("output")).unwrap().count(), 0);
        assert!(place.path().join("mine").exists());
    }

    #[test]
    fn a_folder_of_somebody_elses_is_refused() {
        let place = tempfile::tempdir().unwrap();
        fs_err::create_dir(place.path().join("output")).unwrap();
        let error = refuse_others(place.path()).unwrap_err().to_string();
        assert!(error.contains(" is not empty, and no report of an earlier run"), "{error}");
        fs_err::remove_dir(place.path().join("output")).unwrap();
        refuse_others(place.path()).unwrap();
        drop(ReportFolder::take(place.path()).unwrap());
        refuse_others(place.path()).unwrap();
    }
}
