//! Stacks that are not any more what they were started as: each is found and put right, with a
//! line that says so.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{Checkout, Done};

/// `down --all` ends what is left of every deleted checkout, also of those of other tests.
static DELETED_CHECKOUTS: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    DELETED_CHECKOUTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was said of the stack in `folder` before the command's own result.
fn said(done: &Done, folder: &Path) -> String {
    done.stderr.replace(folder.to_str().unwrap(), "FOLDER")
}

#[test]
fn after_a_reboot_the_stack_is_cleared_away_and_nobody_is_signalled() {
    let checkout = Checkout::new();
    checkout.up(&["api"]);
    let state = checkout.stack("default", "stack.json");
    let text = fs_err::read_to_string(&state).unwrap();
    checkout.services(&["down"]).ok();
    // After the reboot somebody else has the very pid and start time.
    let mut innocent = Command::new("sleep").arg("600").spawn().unwrap();
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    let stat = fs_err::read_to_string(format!("/proc/{}/stat", innocent.id())).unwrap();
    let start_time: u64 =
        stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap().parse().unwrap();
    old["services"][0]["process"] =
        serde_json::json!({"pid": innocent.id(), "start_time": start_time});
    for (boot_id, is_ours) in [("another", false), (old["boot_id"].clone().as_str().unwrap(), true)]
    {
        old["boot_id"] = boot_id.into();
        fs_err::write(&state, old.to_string()).unwrap();
        let status = checkout.services(&["status"]);
        let line = "the machine was started anew since stack default was: it is cleared away\n";
        assert_eq!(status.stderr.starts_with(line), !is_ours, "{status:?}");
        assert_eq!(state.exists(), is_ours);
    }
    fs_err::remove_file(&state).unwrap();
    assert!(innocent.try_wait().unwrap().is_none(), "the innocent process was ended");
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[test]
fn the_stack_of_a_checkout_that_was_moved_is_taken_down() {
    let mut checkout = Checkout::new();
    checkout.up(&[]);
    let before = checkout.stack("default", "");
    checkout.move_to("moved");
    let up = checkout.up(&["api"]);
    let line = "stack default was started in FOLDER and moved: it is taken down\n";
    let folder = before.to_str().unwrap().trim_end_matches('/');
    assert!(said(&up, Path::new(folder)).starts_with(line), "{up:?}");
    assert_eq!(checkout.processes().len(), 1, "the new one only");
    assert_eq!(checkout.status(&[])["ready"], true);
}

#[test]
fn a_copy_of_a_checkout_has_no_stack_and_the_original_keeps_its_own() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let before = checkout.status(&[]);
    let copy = checkout.root().with_file_name("copy");
    let mut command = Command::new("cp");
    Done::from(command.arg("-a").arg(checkout.root()).arg(&copy).output().unwrap()).ok();
    for action in ["status", "down", "up"] {
        let mut command = checkout.command(&["services", action]);
        let done = Done::from(command.env("XTASK_ROOT", &copy).output().unwrap());
        let line = format!(
            "stack default is a copy of {}, and is cleared away here\n",
            checkout.root().join(".services/default").display()
        );
        assert_eq!(done.stderr.starts_with(&line), action == "status", "{done:?}");
        assert_eq!(checkout.status(&[]), before, "after {action} in the copy");
    }
    let mut down = checkout.command(&["services", "down"]);
    Done::from(down.env("XTASK_ROOT", &copy).output().unwrap()).ok();
    assert_eq!(checkout.status(&[]), before);
}

#[test]
fn a_stack_whose_folder_was_deleted_is_found_by_every_command() {
    let checkout = Checkout::new();
    let folder = checkout.root().join(".services/default");
    for ends in [&["up", "api"][..], &["down"]] {
        checkout.up(&[]);
        fs_err::remove_dir_all(checkout.root().join(".services")).unwrap();
        for (action, code) in [("status", 1), ("reset", 3), ("env", 3), ("restart", 3)] {
            let done = checkout.services(&[action]);
            assert_eq!(done.code, Some(code), "{done:?}");
            let lost = "error: stack default is lost: its files in FOLDER are gone, but these \
                        still run: api, arv-git-httpd, keep0, keep1, keepproxy, nginx. ";
            assert!(said(&done, &folder).starts_with(lost), "{done:?}");
        }
        let done = checkout.services(ends).ok();
        let line = "ending what still runs of the lost stack in FOLDER: api, arv-git-httpd, \
                    keep0, keep1, keepproxy, nginx\n";
        assert!(said(&done, &folder).starts_with(line), "{done:?}");
        checkout.services(&["down"]).ok();
        assert_eq!(checkout.processes(), [0; 0]);
    }
}

#[test]
fn a_real_nginx_whose_folder_was_deleted_is_found_too() {
    if !common::is_installed("nginx") {
        return;
    }
    let checkout = Checkout::new();
    checkout.configure("nginx: embedded", "nginx: system");
    checkout.up(&[]);
    fs_err::remove_dir_all(checkout.root().join(".services")).unwrap();
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn whatever_is_deleted_of_the_folder_down_ends_everything() {
    for file in ["stack.json", "keep0.lock", "stack.lock", "tls", "log", "keep0"] {
        let checkout = Checkout::new();
        checkout.up(&[]);
        let path = checkout.stack("default", file);
        let mut remove = Command::new("rm");
        Done::from(remove.arg("-r").arg(path).output().unwrap()).ok();
        checkout.services(&["down"]).ok();
        assert_eq!(checkout.processes(), [0; 0], "without {file}");
    }
}

#[test]
fn down_all_ends_every_stack_of_the_checkout_and_no_other() {
    let _alone = alone();
    let (checkout, other) = (Checkout::new(), Checkout::new());
    for stack in ["a", "b"] {
        checkout.up(&["api", "--stack", stack]);
    }
    other.up(&["api"]);
    let done = checkout.services(&["down", "--all"]).ok();
    for stack in ["a", "b"] {
        assert!(done.stderr.contains(&format!("stack {stack} is down; its logs are in ")));
    }
    assert_eq!(checkout.processes(), [0; 0]);
    assert_eq!(other.status(&[])["ready"], true);
    let again = checkout.services(&["down", "--all"]).ok();
    assert_eq!(again.stderr, "no stack of this checkout is up\n");
}

#[test]
fn down_all_ends_what_is_left_of_a_deleted_checkout() {
    let _alone = alone();
    let (deleted, checkout) = (Checkout::new(), Checkout::new());
    deleted.up(&[]);
    let folder = deleted.root().join(".services/default");
    fs_err::remove_dir_all(deleted.root()).unwrap();
    assert_eq!(deleted.processes().len(), 6);
    let done = checkout.services(&["down", "--all"]).ok();
    let line = "ending what still runs of the lost stack in FOLDER: api, arv-git-httpd, keep0, \
                keep1, keepproxy, nginx\n";
    assert!(said(&done, &folder).contains(line), "{done:?}");
    assert_eq!(deleted.processes(), [0; 0]);
}

#[test]
fn a_stack_outlives_the_programs_that_it_was_built_from() {
    let checkout = Checkout::new();
    let built = Path::new(env!("CARGO_BIN_EXE_xtask")).parent().unwrap();
    checkout.up(&["api"]);
    let target = checkout.root().join("target/debug");
    fs_err::create_dir_all(&target).unwrap();
    for program in ["xtask", "services", "services.d", "services.stamp"] {
        fs_err::copy(built.join(program), target.join(program)).unwrap();
    }
    let ours = checkout.command(&["services", "up"]);
    let mut up = Command::new(target.join("xtask"));
    up.args(ours.get_args()).env("XTASK_ROOT", checkout.root());
    Done::from(up.output().unwrap()).ok();
    // As `cargo clean` does.
    fs_err::remove_dir_all(checkout.root().join("target")).unwrap();
    let status = checkout.status(&[]);
    assert_eq!(status["ready"], true, "{status:#}");
    checkout.services(&["reset"]).ok();
    let restarted = checkout.services(&["restart", "keep0"]).ok();
    assert!(restarted.stderr.contains("stack default: keep0 restarted in "), "{restarted:?}");
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn what_was_left_before_there_was_a_state_is_cleared_away() {
    let checkout = Checkout::new();
    let folder = checkout.stack("exec-1", "log");
    fs_err::create_dir_all(&folder).unwrap();
    for file in ["stack.lock", ".tmpAbC123"] {
        fs_err::write(checkout.stack("exec-1", file), "").unwrap();
    }
    // Whatever else is there is somebody's.
    fs_err::create_dir_all(checkout.stack("mine", "log")).unwrap();
    fs_err::write(checkout.stack("mine", "notes"), "").unwrap();
    checkout.services(&["list"]).ok();
    assert!(!folder.parent().unwrap().exists());
    assert!(checkout.stack("mine", "notes").exists());
    fs_err::remove_dir_all(checkout.stack("mine", "")).unwrap();
}
