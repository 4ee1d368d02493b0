//! A command that has our terminal and our standard streams, and ends as if we were not there.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use anyhow::Context as _;
use nix::sys::signal::Signal;

use crate::environment;
use crate::failure::Usage;
use crate::process::pidfd::PidFd;
use crate::process::{poll, tied};
use crate::signals::{self, Interrupt};

/// The command with the variables of a cluster in place of whatever led elsewhere; `None` if it
/// names no program.
pub(super) fn command<'a>(
    words: &[String],
    variables: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    environment::clean(&mut command);
    command.args(arguments).envs(variables);
    Some(command)
}

/// Runs it to its end, and passes signals on to it. The code is its own, or, as in a shell, 128
/// and the signal that ended it.
///
/// # Errors
/// When it cannot be started.
pub(super) fn run(mut command: Command, interrupt: &Interrupt) -> anyhow::Result<u8> {
    tied::ask_to_end_with_us(&mut command);
    let mut child = command.spawn().map_err(|error| {
        let program = command.get_program().display();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied => {
                anyhow::Error::new(Usage(format!("cannot start {program}: {error}")))
            }
            _ => anyhow::Error::new(error).context(format!("cannot start {program}")),
        }
    })?;
    let handle = PidFd::open_pid(i32::try_from(child.id())?)?;
    while !poll::until_readable(&[&handle, interrupt], None)?.contains(&0) {
        let Some(signal) = interrupt.take()? else { continue };
        // What is typed at the terminal has reached the command already.
        if signal != Signal::SIGINT || !signals::come_from_a_terminal() {
            handle.signal(signal)?;
        }
    }
    code(child.wait().context("cannot wait for the command")?)
}

fn code(status: ExitStatus) -> anyhow::Result<u8> {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(u8::try_from(code.context("a command without an end")?)?)
}
