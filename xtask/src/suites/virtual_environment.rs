//! Python packages for a suite: a virtual environment, made once for each list of packages.

use std::ffi::OsStr;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::Context;
use xshell::{Shell, cmd};

use crate::environment;
use crate::output::say;
use crate::programs;
use crate::workspace::Workspace;

use super::Suite;

/// What PATH is to be for the suite, if it has packages of its own.
///
/// # Errors
/// When Python or the package index cannot make them, or PATH is not text.
pub(crate) fn path_for(suite: &Suite, workspace: &Workspace) -> anyhow::Result<Option<String>> {
    let Some(requirements) = &suite.requirements else { return Ok(None) };
    let programs = programs_folder(&workspace.root().join(requirements), &workspace.cache())?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(programs).chain(std::env::split_paths(&path));
    let joined = std::env::join_paths(folders)?;
    let text = joined.into_string();
    let text = text.map_err(|path| anyhow::anyhow!("PATH is not text: {}", path.display()))?;
    Ok(Some(text))
}

/// The folder of the environment's programs, which is made first if it is not there.
///
/// # Errors
/// When Python or the package index cannot do it.
fn programs_folder(requirements: &Path, cache: &Path) -> anyhow::Result<PathBuf> {
    let python = programs::find("python3").context("python3 is not installed")?;
    let mut hasher = DefaultHasher::new();
    let shell = Shell::new()?;
    // Another Python at the same path would not find the packages.
    let version = cmd!(shell, "{python} --version").quiet().read()?;
    (fs_err::read(requirements)?, &python, version).hash(&mut hasher);
    let folder = cache.join(format!("python-{:016x}", hasher.finish()));
    fs_err::create_dir_all(cache)?;
    // It cannot be made elsewhere and moved here: its programs name their folder.
    let lock = fs_err::File::create(folder.with_extension("lock"))?.into_parts().0;
    File::lock(&lock)?;
    let complete = folder.join("complete");
    if !complete.exists() {
        make(&python, &folder, requirements)
            .with_context(|| format!("packages of {}", requirements.display()))?;
        fs_err::write(complete, "")?;
    }
    Ok(folder.join("bin"))
}

fn make(python: &Path, folder: &Path, requirements: &Path) -> anyhow::Result<()> {
    say(&format!("making a Python environment with the packages of {}", requirements.display()));
    if folder.exists() {
        fs_err::remove_dir_all(folder)?;
    }
    let shell = Shell::new()?;
    let pip = folder.join("bin/python");
    let commands = [
        cmd!(shell, "{python} -m venv {folder}"),
        cmd!(
            shell,
            "{pip} -m pip install --quiet --disable-pip-version-check --only-binary pycurl
             --requirement {requirements}"
        ),
    ];
    for command in commands {
        let mut command = std::process::Command::from(command.quiet());
        environment::clean(&mut command);
        command.env_remove(OsStr::new("PYTHONPATH")).stdout(std::io::stderr());
        let status = command.status()?;
        anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    }
    Ok(())
}
