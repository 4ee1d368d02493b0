//! Running one suite: its output shown as it comes, its tests counted, and nothing of it left.

use std::io::{PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::environment;
use crate::output::say;
use crate::process::pidfd::PidFd;
use crate::process::{poll, tied};
use crate::results::count::Count;
use crate::signals::Interrupt;

/// How long a suite may take to end when we are asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Runs `command` with `variables` added to a clean environment, and counts its tests. What it
/// prints goes to standard error.
///
/// # Errors
/// When it cannot be started, or a signal ended the run.
pub(crate) fn run(
    command: &[String],
    folder: &Path,
    variables: &[(String, String)],
    interrupt: &Interrupt,
) -> anyhow::Result<Count> {
    let (program, arguments) = command.split_first().context("a suite without a command")?;
    let (output, writer) = std::io::pipe()?;
    let mut command = Command::new(program);
    environment::clean(&mut command);
    command
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        // What it starts and forgets is in its group, and ended with it.
        .process_group(0);
    tied::ask_to_end_with_us(&mut command);
    let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    // Our copies of the pipe's end go with the command: the suite's are then the last.
    drop(command);
    let pid = i32::try_from(child.id())?;
    let handle = PidFd::open_pid(pid)?;
    let mut lines = Lines::default();
    let ended = follow(&output, &handle, Some(interrupt), None, &mut lines);
    if ended.is_err() {
        end_group(pid, Signal::SIGTERM)?;
        // Read on: it may have much to say before it ends.
        follow(&output, &handle, None, Some(Instant::now() + GRACE), &mut lines)?;
    }
    end_group(pid, Signal::SIGKILL)?;
    let status = child.wait()?;
    lines.drain(&output)?;
    ended?;
    let mut count = lines.count;
    if !status.success() && count.failed == 0 {
        say(&format!("{program} ended with {status}"));
        count.failed = 1;
    }
    if count == Count::default() {
        say(&format!("{program} ran no test, or does not say how many"));
        count.failed = 1;
    }
    Ok(count)
}

/// Shows what comes out of the pipe until the suite has ended, or the deadline.
///
/// # Errors
/// When the interrupt comes first.
fn follow(
    output: &PipeReader,
    handle: &PidFd,
    interrupt: Option<&Interrupt>,
    deadline: Option<Instant>,
    lines: &mut Lines,
) -> anyhow::Result<()> {
    let mut open = true;
    loop {
        let mut watched: Vec<&dyn AsFd> = vec![handle];
        if open {
            watched.push(output);
        }
        watched.extend(interrupt.map(|interrupt| interrupt as &dyn AsFd));
        let ready = poll::until_readable(&watched, deadline)?;
        interrupt.map_or(Ok(()), Interrupt::check)?;
        if open && ready.contains(&1) {
            open = lines.read_some(output)?;
        } else if ready.is_empty() || ready.contains(&0) {
            return Ok(());
        }
    }
}

/// Signals the suite's process group; that it has no members any more is as well.
fn end_group(pid: i32, signal: Signal) -> anyhow::Result<()> {
    match killpg(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno).context("cannot end what the suite has left"),
    }
}

/// The output so far.
#[derive(Default)]
struct Lines {
    unfinished: Vec<u8>,
    count: Count,
}

impl Lines {
    /// Reads once; false at the end of the pipe.
    fn read_some(&mut self, mut output: &PipeReader) -> anyhow::Result<bool> {
        let mut buffer = [0; 16384];
        let length = output.read(&mut buffer)?;
        let _nobody_to_tell = std::io::Write::write_all(&mut std::io::stderr(), &buffer[..length]);
        self.unfinished.extend_from_slice(&buffer[..length]);
        while let Some(end) = self.unfinished.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            if let Some(count) = Count::of_line(String::from_utf8_lossy(&line).trim_end()) {
                self.count += count;
            }
        }
        Ok(length > 0)
    }

    /// What is still in the pipe. A process that left the group may hold it open: what it will
    /// print is not waited for.
    fn drain(&mut self, output: &PipeReader) -> anyhow::Result<()> {
        while !poll::until_readable(&[output], Some(Instant::now()))?.is_empty() {
            if !self.read_some(output)? {
                break;
            }
        }
        Ok(())
    }
}
