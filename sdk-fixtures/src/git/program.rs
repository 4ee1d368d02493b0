//! Runs git with nothing of the caller's environment but the search path.
//!
//! Within a git hook, or for who keeps a repository elsewhere, variables such as `GIT_DIR` and
//! `GIT_INDEX_FILE` would make git work on the user's repository instead of ours.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::error::Error;

/// Where `git init` has no say: pushes must not start a clean-up that outlives the server, and the
/// files that copies share are to stay.
const CONFIGURATION: &[u8] = b"[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n";

/// A git program and a folder that is its home.
pub(super) struct Git<'a> {
    program: &'a Path,
    home: &'a Path,
}

impl<'a> Git<'a> {
    pub(super) fn new(program: &'a Path, home: &'a Path) -> Self {
        Self { program, home }
    }

    /// Makes an empty bare repository, whose default branch is `master`, without hooks.
    pub(super) fn init(&self, repository: &Path) -> Result<(), Error> {
        let mut command = self.command(&["-c", "init.defaultBranch=master", "init", "--quiet"]);
        command.args(["--bare", "--template="]).arg(repository);
        run(command)?;
        let mut config = fs_err::OpenOptions::new().append(true).open(repository.join("config"))?;
        config.write_all(CONFIGURATION)?;
        Ok(())
    }

    /// Reads the stream into `repository`, as one pack.
    pub(super) fn import(&self, repository: &Path, stream: &Path) -> Result<(), Error> {
        let mut command = self.command(&["-c", "fastimport.unpackLimit=0"]);
        command.arg(option("--git-dir=", repository));
        command.args(["fast-import", "--quiet"]);
        command.stdin(Stdio::from(fs_err::File::open(stream)?.into_file()));
        run(command)
    }

    /// Puts all branches and tags into one file.
    pub(super) fn pack_refs(&self, repository: &Path) -> Result<(), Error> {
        let mut command = self.command(&[]);
        command.arg(option("--git-dir=", repository));
        command.args(["pack-refs", "--all"]);
        run(command)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.home)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .current_dir(self.home)
            .stdin(Stdio::null());
        command
    }
}

fn option(name: &str, value: &Path) -> OsString {
    [OsStr::new(name), value.as_os_str()].into_iter().collect()
}

fn run(mut command: Command) -> Result<(), Error> {
    let output = command.output();
    let failed = |reason: String| Error::Git { command: command_line(&command), reason };
    let Output { status, stderr, .. } = output.map_err(|error| match error.kind() {
        ErrorKind::NotFound => failed("there is no such program; install git".to_owned()),
        _ => failed(error.to_string()),
    })?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&stderr);
    Err(failed(format!("{status}\n{}", said.trim_end())))
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}
