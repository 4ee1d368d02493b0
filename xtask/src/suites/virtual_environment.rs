//! Python packages for a suite: a virtual environment, made once for each list of packages.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use xshell::{Shell, cmd};

use super::Suite;
use crate::output::say;
use crate::process::poll;
use crate::process::run::Task;
use crate::programs;
use crate::signals::Interrupt;
use crate::workspace::Workspace;

/// What PATH is to be for the suite, if it has packages of its own.
///
/// # Errors
/// When Python or the package index cannot make them, PATH is not text, or we are asked to end.
pub(crate) fn path_for(
    suite: &Suite,
    workspace: &Workspace,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<String>> {
    let Some(requirements) = &suite.requirements else { return Ok(None) };
    let requirements = workspace.root().join(requirements);
    let programs = programs_folder(&requirements, &workspace.cache(), interrupt)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(programs).chain(std::env::split_paths(&path));
    let joined = std::env::join_paths(folders)?;
    let text = joined.into_string();
    let text = text.map_err(|path| anyhow::anyhow!("PATH is not text: {}", path.display()))?;
    Ok(Some(text))
}

/// The folder of the environment's programs, which is made first if it is not there.
fn programs_folder(
    requirements: &Path,
    cache: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<PathBuf> {
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
        make(&python, &folder, requirements, interrupt)
            .with_context(|| format!("packages of {}", requirements.display()))?;
        fs_err::write(complete, "")?;
    }
    Ok(folder.join("bin"))
}

fn make(
    python: &Path,
    folder: &Path,
    requirements: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    say(&format!("making a Python environment with the packages of {}", requirements.display()));
    if folder.exists() {
        fs_err::remove_dir_all(folder)?;
    }
    let text = |path: &Path| path.display().to_string();
    let own_python = text(&folder.join("bin/python"));
    run([text(python), "-m".into(), "venv".into(), text(folder)].into(), interrupt)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let pip = pip.into_iter().chain(["--only-binary", "pycurl", "--requirement"]);
    let words = std::iter::once(own_python).chain(pip.map(str::to_owned));
    run(words.chain([text(requirements)]).collect(), interrupt)
}

/// Runs it to its end, or to ours.
fn run(command: Vec<String>, interrupt: &Interrupt) -> anyhow::Result<()> {
    // Packages of the user's are not those that were asked for.
    let environment = vec![("PYTHONPATH".to_owned(), String::new())];
    let running = Task { command, folder: "/".into(), environment }.start()?;
    poll::until_readable(&[&running, interrupt], None)?;
    if let Err(interrupted) = interrupt.check() {
        running.abandon()?;
        return Err(interrupted.into());
    }
    running.finish(Instant::now())
}
