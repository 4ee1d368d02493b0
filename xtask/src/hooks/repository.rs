//! What git tells of the repository that the project lies in.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::Context;

use crate::environment;
use crate::failure::Usage;

/// Where the user's own configuration is, which a git that we run has to read as well.
const CONFIGURATION: [&str; 3] = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"];

/// The repository, as far as hooks are concerned.
#[derive(Debug)]
pub(super) struct Repository {
    /// Where the project lies in it, which need not be its top.
    pub(super) folder: PathBuf,
    /// Where git looks for hooks, for all of its work trees.
    pub(super) hooks: PathBuf,
    /// Where it would, if it were not configured.
    pub(super) own_hooks: PathBuf,
    /// Whether git is configured to look for them nowhere.
    pub(super) is_without_hooks: bool,
    /// In which configuration `core.hooksPath` is set, if it is: `local`, `global`, …
    pub(super) scope: Option<String>,
}

impl Repository {
    /// The one whose work tree has `root` in it.
    ///
    /// # Errors
    /// When there is none, or it does not have the project.
    pub(super) fn around(root: &Path) -> anyhow::Result<Self> {
        let top = git(root, &["rev-parse", "--show-toplevel"])?;
        let top = top.map(PathBuf::from).map_err(|told| {
            let root = root.display();
            Usage(format!("a hook needs a clone with a work tree, which {root} is not in: {told}"))
        })?;
        let told = |arguments: &[&str]| -> anyhow::Result<OsString> {
            git(&top, arguments)?.map_err(anyhow::Error::msg)
        };
        let folder = git(root, &["rev-parse", "--show-prefix"])?.map_err(anyhow::Error::msg)?;
        let is_part = || git(root, &["ls-files", "--error-unmatch", "xtask/services.yml"]);
        // As it is for who keeps a whole home folder in a repository.
        if !folder.is_empty() && is_part()?.is_err() {
            let (root, top) = (root.display(), top.display());
            anyhow::bail!(Usage(format!("{root} is not part of the repository in {top}")));
        }
        // A relative path is meant from the top.
        let hooks = top.join(told(&["rev-parse", "--git-path", "hooks"])?);
        let own_hooks = top.join(told(&["rev-parse", "--git-common-dir"])?).join("hooks");
        // The last line counts, if there are several.
        let path = git(&top, &["config", "--show-scope", "--get", "core.hooksPath"])?.ok();
        let path = path.as_deref().and_then(|path| path.to_str()?.split_once('\t'));
        let is_without_hooks = path.is_some_and(|(_, path)| path.is_empty());
        let scope = path.map(|(scope, _)| scope.to_owned());
        Ok(Self { folder: folder.into(), hooks, own_hooks, is_without_hooks, scope })
    }

    /// Whether other repositories have the same hooks.
    pub(super) fn shares_hooks(&self) -> bool {
        self.scope.as_ref().is_some_and(|scope| scope != "local" && scope != "worktree")
    }
}

/// What git prints, or why it refuses.
fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<Result<OsString, String>> {
    let mut command = Command::new("git");
    environment::clean(&mut command);
    for name in CONFIGURATION {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.current_dir(folder).args(arguments.iter().map(OsStr::new));
    let Output { status, mut stdout, stderr } =
        command.output().context("cannot start git, which hooks are for")?;
    if !status.success() {
        return Ok(Err(String::from_utf8_lossy(&stderr).trim().to_owned()));
    }
    stdout.pop_if(|last| *last == b'\n');
    Ok(Ok(OsString::from_vec(stdout)))
}
