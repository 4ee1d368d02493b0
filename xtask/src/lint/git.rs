//! What git knows of the checkout: its files, and what is staged.

use std::ffi::{OsStr, OsString};
use std::io::{Seek, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::environment;

const INDEX_VARIABLE: &str = "GIT_INDEX_FILE";

/// The repository that a checkout belongs to.
#[derive(Debug)]
pub(super) struct Repository {
    /// The checkout, which may be a folder within the repository's work tree.
    folder: PathBuf,
    /// Where it is in the repository; empty if it is all of that.
    prefix: PathBuf,
    /// What the next commit is made of, if not the repository's usual index: while git makes one of
    /// some files only, it is another.
    index: Option<PathBuf>,
}

impl Repository {
    /// The one of this folder, whatever repository we were called for.
    ///
    /// # Errors
    /// When there is none, or no git; in git's words.
    pub(super) fn of(folder: &Path) -> anyhow::Result<Self> {
        let prefix = rev_parse(clean_git(folder), &["--show-prefix"])?;
        let index = match std::env::var_os(INDEX_VARIABLE) {
            Some(_) => index_of_hook(folder)?,
            None => None,
        };
        Ok(Self { folder: folder.to_owned(), prefix, index })
    }

    /// What the next commit changes in the folder, deleted files among it.
    ///
    /// # Errors
    /// When git cannot tell.
    pub(super) fn staged(&self) -> anyhow::Result<Vec<PathBuf>> {
        // Unlike `diff-index`, this also works before the first commit.
        self.paths(&["diff", "--cached", "--name-only", "--no-renames", "--relative", "-z"])
    }

    /// The files that are the project's: tracked ones, and new ones that are not ignored.
    ///
    /// # Errors
    /// When git cannot tell.
    pub(super) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        self.paths(&[
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
            "-z",
        ])
    }

    /// What the index has.
    ///
    /// # Errors
    /// When git cannot tell.
    pub(super) fn indexed(&self) -> anyhow::Result<Vec<PathBuf>> {
        self.paths(&["ls-files", "--cached", "--deduplicate", "-z"])
    }

    /// Lays what the index has at `paths` into `target`; returns where the folder is in there.
    ///
    /// # Errors
    /// When git cannot do it.
    pub(super) fn check_out(&self, paths: &[PathBuf], target: &Path) -> anyhow::Result<PathBuf> {
        let mut prefix = OsString::from("--prefix=");
        prefix.push(target.join(""));
        let mut list = tempfile::tempfile()?;
        for path in paths {
            list.write_all(path.as_os_str().as_bytes())?;
            list.write_all(b"\0")?;
        }
        list.rewind()?;
        let mut git = self.git();
        git.args(["checkout-index", "--stdin", "-z"]).arg(prefix).stdin(list);
        output(&mut git)?;
        // Without the slash that may be at the end.
        Ok(target.join(&self.prefix).components().collect())
    }

    fn paths(&self, arguments: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
        let listed = output(self.git().args(arguments))?;
        Ok(listed.split(|byte| *byte == 0).filter(|it| !it.is_empty()).map(path).collect())
    }

    fn git(&self) -> Command {
        let mut git = clean_git(&self.folder);
        git.envs(self.index.iter().map(|index| (INDEX_VARIABLE, index)));
        // A commit that is being made has the lock of the index.
        git.env("GIT_OPTIONAL_LOCKS", "0");
        git
    }
}

/// The index that git has told a hook of, if it is one of this folder's repository: that of another
/// repository is none of our business.
fn index_of_hook(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    const REPOSITORY: [&str; 2] = ["--path-format=absolute", "--git-dir"];
    let called_for = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.stdin(Stdio::null());
        rev_parse(git, arguments)
    };
    let own = rev_parse(clean_git(folder), &REPOSITORY)?;
    match called_for(&REPOSITORY) {
        Ok(repository) if repository.canonicalize()? == own.canonicalize()? => {
            called_for(&["--path-format=absolute", "--git-path", "index"]).map(Some)
        }
        _ => Ok(None),
    }
}

/// git in `folder`, without what a hook sets for another repository, and with what says how to
/// configure it: without that it may not trust the folder.
fn clean_git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    environment::clean(&mut git);
    let is_configuration = |name: &OsStr| name.as_bytes().starts_with(b"GIT_CONFIG");
    git.envs(std::env::vars_os().filter(|(name, _)| is_configuration(name)));
    git.current_dir(folder).stdin(Stdio::null());
    git
}

/// # Errors
/// When it fails, in its words.
fn output(git: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = git.output().context("cannot start git")?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let advice = match told.contains("is unmerged") {
            true => "; settle the conflict, and `git add` the file",
            false => "",
        };
        bail!("{}{advice}", told.trim());
    }
    Ok(output.stdout)
}

/// The path that `git rev-parse` answers with.
fn rev_parse(mut git: Command, arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let answer = output(git.arg("rev-parse").args(arguments))?;
    Ok(path(answer.strip_suffix(b"\n").unwrap_or(&answer)))
}

fn path(bytes: &[u8]) -> PathBuf {
    OsString::from_vec(bytes.to_vec()).into()
}
