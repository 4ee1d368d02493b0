//! A service that is ready when a command succeeds.

use std::io;

use super::{Asking, Awaited};
use crate::process::run::Task;

/// The command.
pub(crate) struct Exec(pub(crate) Task);

impl Exec {
    /// Runs it once, and no longer than the service runs.
    pub(super) fn ask(&self, awaited: &Awaited<'_>) -> Result<(), Asking> {
        let told = |error: anyhow::Error| io::Error::other(format!("{error:#}"));
        let failed = |error| Asking::Failed(told(error));
        let running = self.0.start().map_err(failed)?;
        match awaited.wait_for(Some(&running), awaited.deadline, "") {
            Ok(()) => running.finish(awaited.deadline).map_err(failed),
            Err(super::NotReady::TimedOut(_)) => {
                running.finish(awaited.deadline).map_err(|error| Asking::CutShort(told(error)))
            }
            Err(not_ready) => {
                running.abandon().map_err(failed)?;
                Err(Asking::Ended(not_ready))
            }
        }
    }
}
