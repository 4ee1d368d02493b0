//! A command that has our terminal and our standard streams, and ends as if we were not there.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use anyhow::Context as _;
use nix::errno::Errno;
use nix::sys::signal::Signal;

use crate::environment;
use crate::output::say;
use crate::process::pidfd::PidFd;
use crate::process::{poll, tied};
use crate::signals::{self, Interrupt};

/// The command with the variables of a cluster in place of whatever led elsewhere; `None` if it
/// names no program.
pub(super) fn command<'a>(
    words: &[String],
    variables: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<Command> {
    let (program, arguments) = words.split_first().filter(|(program, _)| !program.is_empty())?;
    let mut command = Command::new(program);
    environment::clean(&mut command);
    command.args(arguments).envs(variables);
    Some(command)
}

/// Runs it to its end, and passes signals on to it. The code is its own, or, as in a shell, 128
/// and the signal that ended it, 127 if there is no such program, and 126 if it is none.
///
/// # Errors
/// When it cannot be started for another reason.
pub(super) fn run(mut command: Command, interrupt: &Interrupt) -> anyhow::Result<u8> {
    tied::ask_to_end_with_us(&mut command);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let what = format!("cannot start {}", command.get_program().display());
            let Some(code) = cannot_start(&error) else { return Err(error).context(what) };
            say(&format!("error: {what}: {error}"));
            return Ok(code);
        }
    };
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

/// The code by which a shell, `env` and `nohup` tell that there is no such program, or that it is
/// none; `None` if it is not the program's fault.
fn cannot_start(error: &io::Error) -> Option<u8> {
    match Errno::from_raw(error.raw_os_error()?) {
        Errno::ENOENT => Some(127),
        Errno::EACCES | Errno::ENOEXEC | Errno::ENOTDIR | Errno::EISDIR => Some(126),
        _ => None,
    }
}

fn code(status: ExitStatus) -> anyhow::Result<u8> {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(u8::try_from(code.context("a command without an end")?)?)
}
