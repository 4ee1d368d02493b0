//! A disk that is full, one that became read-only, no descriptors left: a clear error, what was
//! started taken back, and nothing left.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Checkout, Done};

/// A small disk of its own in place of a folder. Only root may have one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// For the stacks of the checkout; `None` where that is not possible.
    fn of(checkout: &Checkout, size: &str) -> Option<Self> {
        Self::at(checkout.root().join(".services"), size)
    }

    fn at(folder: PathBuf, size: &str) -> Option<Self> {
        fs_err::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]).arg(&folder);
        if !mount.status().is_ok_and(|status| status.success()) {
            println!("not tried: nothing can be mounted here");
            return None;
        }
        Some(Self(folder))
    }
}

/// A folder that nobody can write to any more, whoever has files in it open.
struct ReadOnly(PathBuf);

impl ReadOnly {
    fn make(folder: &Path) -> Option<Self> {
        let mount = |arguments: &[&str]| {
            let mut mount = Command::new("mount");
            mount.args(arguments).arg(folder).status().is_ok_and(|status| status.success())
        };
        if !mount(&["--bind", folder.to_str().unwrap()]) {
            println!("not tried: nothing can be mounted here");
            return None;
        }
        let read_only = Self(folder.to_owned());
        assert!(mount(&["-o", "remount,bind,ro"]));
        Some(read_only)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

/// Also if a process of a failed test still works there.
fn unmount(folder: &Path) {
    let unmounted = Command::new("umount").arg("--lazy").arg(folder).status();
    assert!(unmounted.unwrap().success() || std::thread::panicking());
}

/// It came up, or it said why not, with one of the `reasons`, and left nothing but logs.
#[track_caller]
fn assert_up_or_nothing(checkout: &Checkout, up: &Done, reasons: &[&str]) -> bool {
    if up.code == Some(0) {
        assert_eq!(checkout.processes().len(), 6, "{up:?}");
        checkout.services(&["down"]).ok();
    } else {
        assert_eq!(up.code, Some(3), "{up:?}");
        assert!(reasons.iter().any(|reason| up.stderr.contains(reason)), "{up:?}");
    }
    assert_eq!(checkout.processes(), [0; 0], "{up:?}");
    let left = fs_err::read_dir(checkout.root().join(".services/default"));
    let left = left.into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name != "log" && name != "stack.lock").collect();
    assert_eq!(left, [""; 0], "{up:?}");
    up.code == Some(0)
}

#[test]
fn on_a_full_disk_nothing_is_left_and_the_reason_is_said() {
    // The disk is full at another step each time.
    let mut came_up = Vec::new();
    for kilobytes in [4, 12, 24, 48, 100, 300, 500, 700, 900, 1200, 20_000] {
        let checkout = Checkout::new();
        let Some(_disk) = SmallDisk::of(&checkout, &format!("{kilobytes}k")) else { return };
        let up = checkout.services(&["up"]);
        came_up.push(assert_up_or_nothing(
            &checkout,
            &up,
            &["No space left on device", "the disk is full"],
        ));
        // What is cached by content must not be taken for whole.
        assert!(up.code == Some(3) || up.stderr.contains("MiB are free in"), "{up:?}");
    }
    assert_eq!(came_up.first(), Some(&false));
    assert_eq!(came_up.last(), Some(&true));
}

#[test]
fn a_disk_without_room_for_a_block_is_said() {
    let checkout = Checkout::new();
    let Some(_disk) = SmallDisk::of(&checkout, "40m") else { return };
    let up = checkout.up(&["keep0"]);
    assert!(up.stderr.contains("warning: only 3"), "{up:?}");
    assert!(up.stderr.contains("keepstores take no block with less than 64 MiB\n"), "{up:?}");
    checkout.services(&["down"]).ok();
}

#[test]
fn on_a_disk_that_became_read_only_commands_say_so_and_the_services_run_on() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let before = checkout.status(&[]);
    let Some(read_only) = ReadOnly::make(&checkout.root().join(".services")) else { return };
    for action in ["up", "reset", "restart", "down"] {
        let done = checkout.services(&[action]);
        assert_eq!(done.code, Some(3), "{done:?}");
        assert!(done.stderr.contains("Read-only file system"), "{done:?}");
        assert!(done.stderr.contains(".services/default/"), "which file: {done:?}");
    }
    assert_eq!(checkout.status(&[]), before);
    drop(read_only);
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn in_a_folder_that_became_unwritable_commands_say_so_and_the_services_run_on() {
    let mut checkout = Checkout::new();
    if !checkout.become_another_user() {
        return;
    }
    checkout.up(&["keep0"]);
    let stack = checkout.stack("default", "");
    let change_mode = |mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs_err::set_permissions(&stack, mode).unwrap();
    };
    change_mode(0o500);
    for arguments in [&["up"][..], &["down"]] {
        let done = checkout.services(arguments);
        assert_eq!(done.code, Some(3), "{done:?}");
        assert!(done.stderr.contains("Permission denied"), "{done:?}");
    }
    change_mode(0o700);
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn without_descriptors_nothing_is_left_and_the_reason_is_said() {
    let mut came_up = Vec::new();
    for descriptors in [4, 8, 16, 32, 40, 48, 64, 80, 256] {
        let checkout = Checkout::new();
        let ours = checkout.command(&["services", "up"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"")]);
        limited.arg(ours.get_program()).args(ours.get_args());
        let up = Done::from(limited.env("XTASK_ROOT", checkout.root()).output().unwrap());
        came_up.push(assert_up_or_nothing(
            &checkout,
            &up,
            &["Too many open files", "raise the limit"],
        ));
    }
    assert_eq!(came_up.first(), Some(&false));
    assert_eq!(came_up.last(), Some(&true));
}

#[test]
fn a_full_disk_of_a_report_is_said_and_the_numbers_all_the_same() {
    let checkout = Checkout::new();
    let Some(disk) = SmallDisk::at(checkout.root().join("small"), "64k") else { return };
    let report = disk.0.join("report");
    let script = "yes a line | head -n 100000; echo 2 passed, 0 failed, 0 skipped";
    let suites = format!("  a: {{isolation: none, command: [sh, -c, '{script}']}}\n");
    let (done, last) =
        common::suites::test_all(&checkout, &suites, &["--report", report.to_str().unwrap()]);
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.stderr.contains("suite a: COULD NOT BE RUN: the disk is full: "));
    assert!(last.ends_with(" failed, 0 skipped"), "{last}");
    for name in ["junit.xml", "report.json", "index.html"] {
        let length = fs_err::metadata(report.join(name)).map(|metadata| metadata.len());
        assert!(length.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound), "{name}");
    }
}
