//! A service that is ready when a command succeeds.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use super::Asking;
use crate::process::run::Running;

/// The command, and where it is run.
pub(crate) struct Exec {
    pub(crate) command: Vec<String>,
    pub(crate) folder: PathBuf,
}

impl Exec {
    /// Runs it once. What it prints each time that it is too early is of no interest.
    pub(super) fn ask(&self, deadline: Instant) -> Result<(), Asking> {
        let failed = |error: anyhow::Error| Asking::Failed(io::Error::other(format!("{error:#}")));
        let nowhere = File::options().write(true).open("/dev/null").map_err(Asking::Failed)?;
        let running = Running::start(&self.command, &self.folder, nowhere).map_err(failed)?;
        let how = match running.finish(deadline).map_err(failed)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => format!("ended with {status}"),
            None => "did not end".to_owned(),
        };
        Err(Asking::Failed(io::Error::other(format!("{} {how}", self.command.join(" ")))))
    }
}
