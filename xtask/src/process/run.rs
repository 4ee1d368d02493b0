//! Small programs that are run to their end: what services.yml names for asking, emptying and
//! stopping a service.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::marker::HELPER_VARIABLE;
use super::pidfd::PidFd;
use super::{poll, tied};
use crate::environment;

/// How much of the end of what one printed is told, in bytes.
const TOLD: u64 = 2048;

/// What is run, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Task {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) folder: PathBuf,
    /// Added to what is left of our own environment.
    pub(crate) environment: Vec<(String, String)>,
}

/// Such a program while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    handle: PidFd,
    /// What it prints.
    output: File,
}

impl Task {
    /// Starts it in a session of its own: who shares one with a process of a service counts as the
    /// service's. It has to be of use no longer than this thread lives.
    ///
    /// # Errors
    /// When there is no such program.
    pub(crate) fn start(&self) -> anyhow::Result<Running> {
        let (program, arguments) = self.command.split_first().context("an empty command")?;
        // In memory: no folder need be writable for that.
        let output = memfd_create(c"output", MFdFlags::MFD_CLOEXEC);
        let output = File::from(output.context("no file for what a command prints")?);
        let mut command = Command::new(program);
        environment::clean(&mut command);
        command.args(arguments).envs(self.environment.iter().cloned()).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
        command.env(HELPER_VARIABLE, "1");
        tied::ask_to_end_with_us(&mut command);
        // SAFETY: setsid is async-signal-safe, and nothing is allocated.
        unsafe { command.pre_exec(|| Ok(nix::unistd::setsid().map(drop)?)) };
        let child = command.spawn();
        let child = child.with_context(|| format!("cannot start {program}"))?;
        let handle = PidFd::open_pid(i32::try_from(child.id())?)?;
        Ok(Running { name: self.command.join(" "), child, handle, output })
    }
}

impl Running {
    /// Returns when it has succeeded.
    ///
    /// # Errors
    /// When it has not, with the end of what it printed; if it had not ended by `deadline`, it was
    /// killed with all of its session.
    pub(crate) fn finish(mut self, deadline: Instant) -> anyhow::Result<()> {
        let in_time = !poll::until_readable(&[&self.handle], Some(deadline))?.is_empty();
        if !in_time {
            self.kill()?;
        }
        let status = self.child.wait()?;
        let how = match (in_time, status.success()) {
            (true, true) => return Ok(()),
            (true, false) => format!("ended with {status}"),
            (false, _) => "did not end in time".to_owned(),
        };
        let printed = self.printed()?;
        anyhow::bail!("{} {how}{printed}", self.name)
    }

    /// Ends it with all of its session, whatever it was about to say.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub(crate) fn abandon(mut self) -> anyhow::Result<()> {
        self.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn kill(&self) -> anyhow::Result<()> {
        match killpg(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGKILL) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The end of what it printed, to be put behind what it did.
    fn printed(&mut self) -> anyhow::Result<String> {
        let length = self.output.metadata()?.len();
        self.output.seek(SeekFrom::Start(length.saturating_sub(TOLD)))?;
        let mut bytes = Vec::new();
        self.output.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(match text.trim() {
            "" => String::new(),
            text => format!(": {text}"),
        })
    }
}

/// Readable when it has ended.
impl AsFd for Running {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn start(script: &str) -> Running {
        let command = ["sh", "-c", script].map(str::to_owned).into();
        let environment = vec![("GREETING".into(), "hello".into())];
        Task { command, folder: "/".into(), environment }.start().unwrap()
    }

    #[test]
    fn a_failure_is_told_with_what_was_printed() {
        let deadline = Instant::now() + Duration::from_secs(30);
        start("exit 0").finish(deadline).unwrap();
        let error = start("echo $GREETING; echo there >&2; exit 3").finish(deadline).unwrap_err();
        let error = error.to_string();
        assert!(error.ends_with(" ended with exit status: 3: hello\nthere"), "{error}");
    }

    #[test]
    fn one_that_takes_too_long_is_killed_with_its_children() {
        let fifo = tempfile::tempdir().unwrap();
        let path = fifo.path().join("fifo");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let script = format!("exec 3>'{}'; sleep 600 & wait", path.display());
        let running = start(&script);
        let mut reader = File::open(&path).unwrap();
        let error = running.finish(Instant::now()).unwrap_err();
        assert!(error.to_string().ends_with(" did not end in time"), "{error}");
        // Its end: nobody holds it open any more.
        reader.read_to_end(&mut Vec::new()).unwrap();
    }
}
