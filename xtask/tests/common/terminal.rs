//! A command that leads the session of a terminal, as one that a person has typed.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// Starts it; the other end of its terminal comes back too, and closes it when it is dropped.
pub(crate) fn lead_session(mut command: Command) -> (Child, File) {
    let terminal = nix::pty::openpty(None, None).unwrap();
    // As long as anybody else has its other end, it is not closed.
    for end in [&terminal.master, &terminal.slave] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    }
    let stream = || Stdio::from(terminal.slave.try_clone().unwrap());
    command.stdin(stream()).stdout(stream()).stderr(stream());
    let lead_session = || {
        nix::unistd::setsid()?;
        // SAFETY: standard input is the terminal, and TIOCSCTTY takes a number.
        match unsafe { nix::libc::ioctl(0, nix::libc::TIOCSCTTY, 0) } {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: setsid and ioctl are async-signal-safe, and nothing is allocated.
    unsafe { command.pre_exec(lead_session) };
    (command.spawn().unwrap(), File::from(terminal.master))
}
