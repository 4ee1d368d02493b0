//! The logs of a stack while they are written.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use super::merge::Merged;
use super::watch::Watch;
use super::{Start, open};
use crate::stack::StackFolder;

/// Prints what the services of a stack log, as they log it. Becomes readable when there may be
/// something new, so that it can be waited for together with other things:
///
/// ```text
/// loop {
///     follower.drain(&mut output)?;
///     if follower.stack_is_down() {
///         return follower.finish(&mut output);
///     }
///     until_readable(&[&follower, &interrupt], None)?;
/// }
/// ```
#[derive(Debug)]
pub(crate) struct Follower {
    merged: Merged,
    watch: Watch,
    stack: StackFolder,
    stack_is_down: bool,
}

impl Follower {
    /// The logs of `services`, which need not be there yet. Nothing is printed before the first
    /// [`Self::drain`].
    ///
    /// A stack that comes up from nothing gets a new folder of logs: this follows the one that it
    /// finds.
    ///
    /// # Errors
    /// When the stack has no folder of logs, or they cannot be read.
    pub(crate) fn open(
        stack: &StackFolder,
        services: &[String],
        start: Start,
        coloured: bool,
    ) -> io::Result<Self> {
        let merged = open(stack, services, start, coloured, true)?;
        let watch = Watch::on(&[&stack.logs(), stack.path()])?;
        Ok(Self { merged, watch, stack: stack.clone(), stack_is_down: false })
    }

    /// Prints every new line that is complete.
    ///
    /// # Errors
    /// When a log cannot be read, or `output` cannot be written to.
    pub(crate) fn drain(&mut self, output: impl Write) -> io::Result<()> {
        // In this order: whatever changes from here on is noticed again, and all that was logged
        // while the stack was up is printed before anybody hears that it is down.
        self.watch.clear()?;
        let is_up = self.stack.state().exists() && self.merged.folder.is_in_place();
        self.stack_is_down = !is_up;
        self.merged.print(output, false)
    }

    /// Whether the stack was down already when [`Self::drain`] was called last.
    pub(crate) fn stack_is_down(&self) -> bool {
        self.stack_is_down
    }

    /// Prints all that is new, also lines that nobody has finished.
    ///
    /// # Errors
    /// As for [`Self::drain`].
    pub(crate) fn finish(mut self, output: impl Write) -> io::Result<()> {
        self.merged.print(output, true)
    }
}

impl AsFd for Follower {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}
