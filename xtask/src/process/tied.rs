//! A command that has no use without us. Linux: the parent-death signal.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid, getppid};

/// Has `command` asked to end when this process ends, even by SIGKILL. It has to be spawned by a
/// thread that lives as long as it is of use: the kernel looks at that.
pub(crate) fn ask_to_end_with_us(command: &mut Command) {
    let own: Pid = getpid();
    let tie = move || {
        prctl::set_pdeathsig(Signal::SIGTERM)?;
        // We may have ended before the kernel was told.
        match getppid() == own {
            true => Ok(()),
            false => Err(Errno::ESRCH.into()),
        }
    };
    // SAFETY: prctl and getppid are async-signal-safe, and nothing is allocated.
    unsafe { command.pre_exec(tie) };
}
