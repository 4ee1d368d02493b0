//! Small programs that are run to their end: what services.yml names for asking, emptying and
//! stopping a service.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::pidfd::PidFd;
use super::poll;
use crate::environment;

/// Such a program while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    handle: PidFd,
}

impl Running {
    /// Starts `command` in `folder`, with a clean environment and in a process group of its own.
    /// What it prints goes to `output`.
    ///
    /// # Errors
    /// When there is no such program.
    pub(crate) fn start(command: &[String], folder: &Path, output: File) -> anyhow::Result<Self> {
        let (program, arguments) = command.split_first().context("an empty command")?;
        let mut command = Command::new(program);
        environment::clean(&mut command);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).process_group(0);
        command.stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let handle = PidFd::open_pid(i32::try_from(child.id())?)?;
        Ok(Self { child, handle })
    }

    /// How it ended; `None` if it had not by `deadline`, and was killed with all of its group.
    ///
    /// # Errors
    /// When the kernel does not let us wait.
    pub(crate) fn finish(mut self, deadline: Instant) -> anyhow::Result<Option<ExitStatus>> {
        let in_time = !poll::until_readable(&[&self.handle], Some(deadline))?.is_empty();
        if !in_time {
            match killpg(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGKILL) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        let status = self.child.wait()?;
        Ok(in_time.then_some(status))
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use super::*;

    fn null() -> File {
        File::options().write(true).open("/dev/null").unwrap()
    }

    fn run(script: &str, time: Duration) -> Option<ExitStatus> {
        let command = ["sh", "-c", script].map(str::to_owned);
        let running = Running::start(&command, Path::new("/"), null()).unwrap();
        running.finish(Instant::now() + time).unwrap()
    }

    #[test]
    fn its_status_is_told() {
        let code = run("exit 3", Duration::from_secs(30)).unwrap().code();
        assert_eq!(code, Some(3));
    }

    #[test]
    fn one_that_takes_too_long_is_killed_with_its_children() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let command = ["sh", "-c", "sleep 600 & wait"].map(str::to_owned);
        let running =
            Running::start(&command, Path::new("/"), OwnedFd::from(writer).into()).unwrap();
        assert_eq!(running.finish(Instant::now()).unwrap(), None);
        // The end of the pipe: nobody holds it any more.
        std::io::Read::read_to_end(&mut reader, &mut Vec::new()).unwrap();
    }
}
