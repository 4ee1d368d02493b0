//! Ending services: asked politely first, killed at the deadline, and nothing of them left.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::identity::Identity;
use super::members::Signs;
use crate::services::launch::Stop;

mod ending;

use ending::Ending;

/// A service to end.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) service: String,
    pub(crate) signs: Signs,
    pub(crate) stop: Stop,
}

impl Target {
    /// Its lock, if one of its processes still holds it.
    fn held_lock(&self) -> Option<&Path> {
        let path = self.signs.lock.as_deref()?;
        let lock = File::open(path).ok()?;
        matches!(lock.try_lock(), Err(TryLockError::WouldBlock)).then_some(path)
    }
}

/// A process that did not end when asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Killed {
    pub(crate) service: String,
    pub(crate) process: Identity,
}

/// Where the targets live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home<'a> {
    /// The stack's folder.
    pub(crate) folder: &'a Path,
    /// No process of the stack started earlier, in clock ticks.
    pub(crate) since: u64,
}

/// Ends all processes of all `targets` together and returns when they are gone. The result names
/// those that had to be killed.
///
/// # Errors
/// When a process cannot be signalled, or not even SIGKILL ends it.
pub(crate) fn stop(
    targets: &[Target],
    home: Home<'_>,
    grace: Duration,
) -> anyhow::Result<Vec<Killed>> {
    let mut ending = Ending::new(targets, home);
    let now = Instant::now();
    if !ending.look_for_more()? {
        // They have ended by themselves.
        return Ok(Vec::new());
    }
    let commands = ending.start_commands();
    ending.ask()?;
    // A command may take half of the time that its service has.
    ending.finish_commands(commands, now + grace / 2)?;
    match ending.wait_until(now + grace)? {
        true => Ok(Vec::new()),
        false => ending.kill(),
    }
}
