//! Waiting for the end of a suite's command, and ending what is left of it.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::plan::Item;
use super::settle::Ending;
use super::{COMMAND, Run};
use crate::failure::Interrupted;
use crate::owned::guest::Guest;
use crate::process::poll;
use crate::stack::StackLock;

/// How long a suite may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// What was seen of it.
pub(super) struct Watched {
    pub(super) ending: Ending,
    /// Processes, in words.
    left: Vec<String>,
}

impl Watched {
    /// That it has left something behind, for a reader of the report.
    pub(super) fn left_behind(&self) -> Option<String> {
        (!self.left.is_empty())
            .then(|| format!("it left processes behind: {}", self.left.join(", ")))
    }
}

/// Returns when nothing of it runs any more, be it that it has ended, that its time is over, or
/// that we are asked to end.
///
/// # Errors
/// When something of it cannot be ended.
pub(super) fn until_it_ends(
    run: &Run<'_>,
    mut guest: Guest<'_>,
    item: &Item,
) -> anyhow::Result<Watched> {
    let limit = Duration::from_secs(item.suite.timeout);
    let deadline = Instant::now().checked_add(limit);
    let ready = poll::until_readable(&[&guest, run.interrupt], deadline)?;
    let mut left = Vec::new();
    let ending = if ready.contains(&0) {
        let status = guest.wait()?;
        left = left_behind(&guest)?;
        Ending::Exited(status)
    } else if let Err(Interrupted(signal)) = run.interrupt.check() {
        let signal = Signal::try_from(signal).unwrap_or(Signal::SIGTERM);
        ask_to_end(run, &guest, signal)?;
        Ending::Interrupted
    } else {
        ask_to_end(run, &guest, Signal::SIGTERM)?;
        Ending::TimedOut(limit)
    };
    guest.end()?;
    Ok(Watched { ending, left })
}

/// A command by which it takes its own cluster down goes on for a moment, and is not meant.
fn left_behind(guest: &Guest<'_>) -> anyhow::Result<Vec<String>> {
    drop(StackLock::take_if_exists(guest.folder(), COMMAND)?);
    guest.left_behind()
}

/// Gives it time to end by itself, unless we are told to hurry.
fn ask_to_end(run: &Run<'_>, guest: &Guest<'_>, signal: Signal) -> anyhow::Result<()> {
    guest.signal(signal)?;
    let deadline = Instant::now() + GRACE;
    poll::until_readable(&[guest, run.hurry], Some(deadline))?;
    Ok(())
}
