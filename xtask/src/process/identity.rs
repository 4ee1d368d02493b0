//! What makes a process that process: a bare pid is reused.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::table;

/// A process of this boot of this machine.
///
/// The boot is kept once for a stack, beside its processes: [`boot_id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) struct Identity {
    pub(crate) pid: i32,
    /// In clock ticks since the machine booted, as the kernel counts them.
    pub(crate) start_time: u64,
}

impl Identity {
    /// The process that has `pid` now; `None` if there is none, or it is a zombie.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let entry = table::Entry::read(pid)?;
        (!entry.is_dead()).then_some(Self { pid, start_time: entry.start_time })
    }

    /// This program's own.
    pub(crate) fn own() -> Option<Self> {
        Self::of(i32::try_from(std::process::id()).ok()?)
    }

    /// Whether this very process still runs. A zombie does not.
    pub(crate) fn is_alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}", self.pid)
    }
}

/// Names this boot of the machine: after a reboot, pids and start times begin anew.
///
/// # Errors
/// When the kernel does not tell.
pub(crate) fn boot_id() -> io::Result<String> {
    Ok(fs_err::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_pid_is_somebody_else() {
        let own = Identity::own().unwrap();
        assert!(own.is_alive());
        let earlier = Identity { start_time: own.start_time - 1, ..own };
        assert!(!earlier.is_alive());
    }

    #[test]
    fn a_zombie_is_a_dead_process() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let fd = super::super::pidfd::PidFd::open_pid(pid).unwrap();
        super::super::poll::until_readable(&[&fd], None).unwrap();
        assert_eq!(Identity::of(pid), None);
        child.wait().unwrap();
    }
}
