//! The programs that checks are made with.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::Skipped;
use crate::process::tied;
use crate::{environment, programs};

/// What a program has printed when it has ended.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Where that program is.
///
/// # Errors
/// [`Skipped`] if it is not installed.
pub(super) fn find(name: &str) -> Result<PathBuf, Skipped> {
    programs::find(name).ok_or_else(|| Skipped(format!("{name} is not installed")))
}

/// A program that works in `folder`, sees nothing of what we were called for, and has no input.
pub(super) fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    environment::clean(&mut command);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The cargo that we were started by, or the one on PATH, in `folder`.
pub(super) fn cargo(folder: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command(Path::new(&cargo), folder)
}

/// Waits for a program and takes what it prints.
///
/// # Errors
/// When it cannot be started; [`Skipped`] if it is only a stand-in for what is not installed.
pub(super) fn run(command: &mut Command) -> anyhow::Result<Printed> {
    tied::ask_to_end_with_us(command);
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let success = output.status.success();
    // As rustup has it.
    let missing = stderr.lines().find(|line| line.contains("is not installed for the toolchain"));
    match missing {
        Some(line) if !success => {
            Err(Skipped(line.trim_start_matches("error: ").to_owned()).into())
        }
        _ => Ok(Printed { success, stdout, stderr }),
    }
}

/// The same, with a file as its input.
///
/// # Errors
/// As [`run`], and when the file cannot be opened.
pub(super) fn run_on(command: &mut Command, input: &Path) -> anyhow::Result<Printed> {
    let input: File = fs_err::File::open(input)?.into_parts().0;
    run(command.stdin(input))
}

impl Printed {
    /// The faults that were found in it; all that was said where the program failed without one.
    pub(super) fn faults(&self, found: Vec<String>) -> Vec<String> {
        if self.success || !found.is_empty() {
            return found;
        }
        match format!("{}\n{}", self.stdout.trim(), self.stderr.trim()).trim() {
            "" => vec!["it failed, and did not say why".into()],
            said => vec![said.to_owned()],
        }
    }
}
