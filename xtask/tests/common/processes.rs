//! Processes as the tests see them: looked for, waited for, ended.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// Every running process that works in that folder.
pub(crate) fn working_in(folder: &Path) -> Vec<i32> {
    others(|proc| works_in(proc, folder))
}

pub(super) fn works_in(proc: &Path, folder: &Path) -> bool {
    std::fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
}

/// The processes but our own that are `wanted` for what is in their folder of /proc.
pub(super) fn others(wanted: impl Fn(&Path) -> bool) -> Vec<i32> {
    let all = fs_err::read_dir("/proc").unwrap();
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != i32::try_from(std::process::id()).unwrap())
        .filter(|pid| wanted(Path::new(&format!("/proc/{pid}"))))
        .collect()
}

/// Whether a thread of the process has not ended; that its parent has not noticed does not count.
pub(crate) fn runs(pid: i32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    threads > 1 || stat.is_ok_and(|stat| !stat.contains(") Z"))
}

/// Returns when all threads of the process have noticed a SIGSTOP.
pub(crate) fn wait_until_stopped(pid: i32) {
    let is_stopped = |thread: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(thread.path().join("stat"));
        stat.is_ok_and(|stat| stat.contains(") T "))
    };
    wait_for(|| {
        std::fs::read_dir(format!("/proc/{pid}/task"))
            .is_ok_and(|threads| threads.filter_map(Result::ok).all(is_stopped))
    });
}

/// Returns when all threads of the process have ended.
pub(crate) fn wait_until_gone(pid: i32) {
    wait_for(|| !runs(pid));
}

/// Ends a process as none can refuse.
pub(crate) fn kill(pid: i32) {
    let sent = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
    assert!(matches!(sent, Ok(()) | Err(Errno::ESRCH)), "{sent:?}");
    wait_until_gone(pid);
}

/// Returns when that has come about.
#[track_caller]
pub(crate) fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "it does not happen");
        std::thread::yield_now();
    }
}

/// Sends a signal to a process by its number.
pub(crate) fn signal(pid: impl TryInto<i32>, signal: Signal) {
    let pid = pid.try_into().unwrap_or_else(|_| panic!("no pid"));
    nix::sys::signal::kill(Pid::from_raw(pid), signal).unwrap();
}
