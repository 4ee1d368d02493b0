//! Python packages for a suite: a virtual environment, made once for each list of packages.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::AsFd;
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

/// The version of a project that is built from a copy of its checkout.
pub(crate) const NO_VERSION: &str = "0.0.0";

/// What tests of Python projects import besides the packages that the projects name.
const FOR_TESTS: [&str; 4] = ["mock", "parameterized", "pyyaml", "pytest"];

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
    let described = fs_err::read(&requirements)?;
    let file = requirements.display().to_string();
    let packages = vec!["--requirement".to_owned(), file.clone()];
    let wanted = Wanted { described: &described, packages, what: &file };
    let programs = wanted.programs_folder(&workspace.cache(), Some(interrupt))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(programs).chain(std::env::split_paths(&path));
    let joined = std::env::join_paths(folders)?;
    let text = joined.into_string();
    let text = text.map_err(|path| anyhow::anyhow!("PATH is not text: {}", path.display()))?;
    Ok(Some(text))
}

/// The programs folder of an environment with what these projects need, and the projects themselves.
/// It is made anew when what they need may have changed.
///
/// # Errors
/// When Python or the package index cannot make it.
pub(crate) fn of_projects(projects: &[PathBuf], cache: &Path) -> anyhow::Result<PathBuf> {
    let mut described = Vec::new();
    for file in projects.iter().flat_map(|it| [it.join("setup.py"), it.join("pyproject.toml")]) {
        if file.exists() {
            described.push(fs_err::read(file)?);
        }
    }
    let names: Vec<String> = projects.iter().map(|it| it.display().to_string()).collect();
    let packages = names.iter().cloned().chain(FOR_TESTS.map(str::to_owned)).collect();
    let wanted = Wanted { described: &described, packages, what: &names.join(", ") };
    wanted.programs_folder(cache, None)
}

/// Packages, as pip takes them.
struct Wanted<'a, T> {
    /// There is an environment for each content of this.
    described: &'a T,
    packages: Vec<String>,
    /// For a reader.
    what: &'a str,
}

impl<T: Hash> Wanted<'_, T> {
    /// The folder of the environment's programs, which is made first if it is not there.
    fn programs_folder(
        &self,
        cache: &Path,
        interrupt: Option<&Interrupt>,
    ) -> anyhow::Result<PathBuf> {
        let python = programs::find("python3").context("python3 is not installed")?;
        let mut hasher = DefaultHasher::new();
        let shell = Shell::new()?;
        // Another Python at the same path would not find the packages.
        let version = cmd!(shell, "{python} --version").quiet().read()?;
        (self.described, &python, version).hash(&mut hasher);
        let folder = cache.join(format!("python-{:016x}", hasher.finish()));
        fs_err::create_dir_all(cache)?;
        // It cannot be made elsewhere and moved here: its programs name their folder.
        let lock = fs_err::File::create(folder.with_extension("lock"))?.into_parts().0;
        File::lock(&lock)?;
        let complete = folder.join("complete");
        if !complete.exists() {
            let what = format!("packages of {}", self.what);
            say(&format!("making a Python environment with the {what}"));
            self.make(&python, &folder, interrupt).context(what)?;
            fs_err::write(complete, "")?;
        }
        Ok(folder.join("bin"))
    }

    fn make(
        &self,
        python: &Path,
        folder: &Path,
        interrupt: Option<&Interrupt>,
    ) -> anyhow::Result<()> {
        if folder.exists() {
            fs_err::remove_dir_all(folder)?;
        }
        // What pip leaves when it is given up goes with this.
        let temporary = tempfile::tempdir_in(folder.parent().unwrap_or(folder))?;
        let text = |path: &Path| path.display().to_string();
        let run = |command| run(command, &text(temporary.path()), interrupt);
        run([text(python), "-m".into(), "venv".into(), text(folder)].into())?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let pip = pip.into_iter().chain(["--only-binary", "pycurl"]).map(str::to_owned);
        let command = std::iter::once(text(&folder.join("bin/python"))).chain(pip);
        run(command.chain(self.packages.clone()).collect())
    }
}

/// Runs it to its end, or to ours.
fn run(command: Vec<String>, temporary: &str, interrupt: Option<&Interrupt>) -> anyhow::Result<()> {
    let environment = [
        // Packages of the user's are not those that were asked for.
        ("PYTHONPATH", ""),
        // Arvados' own projects ask git for theirs.
        ("ARVADOS_BUILDING_VERSION", NO_VERSION),
        ("TMPDIR", temporary),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let running = Task { command, folder: "/".into(), environment }.start()?;
    let mut watched: Vec<&dyn AsFd> = vec![&running];
    watched.extend(interrupt.map(|interrupt| interrupt as &dyn AsFd));
    poll::until_readable(&watched, None)?;
    if let Some(Err(interrupted)) = interrupt.map(Interrupt::check) {
        running.abandon()?;
        return Err(interrupted.into());
    }
    running.finish(Instant::now())
}
