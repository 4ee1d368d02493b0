//! Services that misbehave, states that are wrong, and ourselves killed in the middle: a clear
//! message, exit code 3, nothing left, and nobody else hurt.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::{Command, Stdio};

use common::{Checkout, Done};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// `services up`, which must fail; its message without the checkout's path.
fn failed_up(checkout: &Checkout) -> String {
    let done = checkout.services(&["up"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    assert_eq!(checkout.processes(), [0; 0], "rolled back");
    assert!(!checkout.stack("default", "stack.json").exists());
    done.stderr.replace(checkout.root().to_str().unwrap(), "ROOT")
}

#[test]
fn a_service_that_ends_at_once_is_reported_with_its_status_and_log() {
    let checkout = Checkout::new();
    checkout.fake_keepstores("exit");
    let message = failed_up(&checkout);
    let log = "has ended (exit status: 7) before it was ready; the end of its log, \
               ROOT/.services/default/log/keep";
    assert!(message.contains(log), "{message}");
    assert!(message.contains("\n  fake service: exit\n"), "{message}");
}

#[test]
fn a_service_that_never_answers_meets_the_deadline() {
    let checkout = Checkout::new();
    checkout.fake_keepstores("silent");
    checkout.configure("start_timeout: 5", "start_timeout: 1");
    let message = failed_up(&checkout);
    let wanted =
        "was not ready within 1 s (connected, but nothing was answered); the end of its log";
    assert!(message.contains(wanted), "{message}");
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let checkout = Checkout::new();
    let program = checkout.root().join("keepstore");
    fs_err::write(&program, "#!/no/such/interpreter\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(&program, executable).unwrap();
    checkout.provide("keepstore", program.to_str().unwrap());
    let message = failed_up(&checkout);
    let wanted = "keep0: cannot start ROOT/keepstore: No such file";
    assert!(message.contains(wanted), "{message}");
}

#[test]
fn a_service_that_ignores_sigterm_is_killed_and_named() {
    let checkout = Checkout::new();
    checkout.fake_keepstores("stubborn");
    checkout.up(&[]);
    let pid = checkout.service("default", "keep0")["pid"].clone();
    let down = checkout.services(&["down"]).ok();
    let wanted = format!("keep0: pid {pid} did not end within 1 s and was killed\n");
    assert!(down.stderr.contains(&wanted), "{down:?}");
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn a_stale_pid_that_is_now_somebody_elses_is_never_signalled() {
    let checkout = Checkout::new();
    checkout.up(&["api"]);
    let mut innocent = Command::new("sleep").arg("600").spawn().unwrap();
    let api = checkout.service("default", "api")["pid"].as_i64().unwrap();
    let pid = i32::try_from(api).unwrap();
    // The service dies, and its pid is given to somebody else.
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    let state = checkout.stack("default", "stack.json");
    let text = fs_err::read_to_string(&state).unwrap();
    let recycled = text.replace(&format!("\"pid\": {pid}"), &format!("\"pid\": {}", innocent.id()));
    assert_ne!(recycled, text);
    fs_err::write(&state, recycled).unwrap();
    fs_err::write(checkout.stack("default", "api.pid"), format!("{}\n", innocent.id())).unwrap();
    assert_eq!(checkout.status(&[])["services"][0]["health"], "ended");
    checkout.services(&["down"]).ok();
    assert!(innocent.try_wait().unwrap().is_none(), "the innocent process was ended");
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[test]
fn a_corrupt_state_is_reported_and_down_clears_it_with_its_processes() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    fs_err::write(checkout.stack("default", "stack.json"), "{\"version\": 1, ").unwrap();
    for action in ["up", "reset", "status", "env"] {
        let done = checkout.services(&[action]);
        assert_eq!(done.code, Some(3), "{done:?}");
        let wanted = "stack.json is corrupt; `cargo xtask services down --stack default` clears it";
        assert!(done.stderr.contains(wanted), "{done:?}");
    }
    let down = checkout.services(&["down"]).ok();
    assert!(down.stderr.contains("stack.json is corrupt: stack default is cleared away\n"));
    assert!(!down.stderr.contains("cargo xtask services down"), "it is that: {down:?}");
    assert_eq!(checkout.processes(), [0; 0]);
    checkout.up(&[]);
}

#[test]
fn a_folder_in_place_of_the_state_is_reported_and_down_clears_it_away() {
    let checkout = Checkout::new();
    let state = checkout.stack("default", "stack.json");
    fs_err::create_dir_all(state.join("in it")).unwrap();
    let done = checkout.services(&["up"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    let wanted = "stack.json is corrupt; `cargo xtask services down --stack default` clears it";
    assert!(done.stderr.contains(wanted), "{done:?}");
    checkout.services(&["down"]).ok();
    assert!(!state.exists());
}

#[test]
fn without_its_certificate_a_service_is_not_restarted_beside_others_that_trust_it() {
    for missing in ["tls", "tls/server.key"] {
        let checkout = Checkout::new();
        checkout.up(&[]);
        let before = checkout.service("default", "api");
        let path = checkout.stack("default", missing);
        match path.is_dir() {
            true => fs_err::remove_dir_all(&path).unwrap(),
            false => fs_err::remove_file(&path).unwrap(),
        }
        let one = checkout.services(&["restart", "api"]);
        assert_eq!(one.code, Some(3), "{one:?}");
        let wanted = "keep0, keep1, keepproxy, arv-git-httpd, nginx still trust it: take the stack \
                      down and up for a new one\n";
        assert!(one.stderr.ends_with(wanted), "{one:?}");
        let all = checkout.services(&["restart"]).ok();
        assert!(all.stderr.contains("restarted"), "{all:?}");
        assert_eq!(checkout.status(&[])["ready"], true);
        assert_ne!(checkout.service("default", "api")["pid"], before["pid"]);
    }
}

#[test]
fn a_folder_in_place_of_the_lock_is_reported() {
    let checkout = Checkout::new();
    let lock = checkout.stack("default", "stack.lock");
    fs_err::create_dir_all(&lock).unwrap();
    for action in ["up", "down"] {
        let done = checkout.services(&[action]);
        assert_eq!(done.code, Some(3), "{done:?}");
        let wanted = "stack.lock is a folder, where commands have a file of that name: remove it";
        assert!(done.stderr.contains(wanted), "{done:?}");
    }
    fs_err::remove_dir(&lock).unwrap();
    checkout.services(&["down"]).ok();
}

#[test]
fn a_state_of_a_newer_version_is_reported() {
    let checkout = Checkout::new();
    checkout.up(&["api"]);
    let state = checkout.stack("default", "stack.json");
    let text = fs_err::read_to_string(&state).unwrap();
    fs_err::write(&state, text.replace("\"version\": 3", "\"version\": 99")).unwrap();
    let done = checkout.services(&["up"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(
        done.stderr.contains("stack.json has version 99, and this program knows 3"),
        "{done:?}"
    );
}

#[test]
fn a_services_folder_that_cannot_be_made_is_reported() {
    let checkout = Checkout::new();
    fs_err::write(checkout.root().join(".services"), "in the way").unwrap();
    let done = checkout.services(&["up"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    let wanted = ".services/default: make the folder above it writable for you: ";
    assert!(done.stderr.contains(wanted), "{done:?}");
    fs_err::remove_file(checkout.root().join(".services")).unwrap();
}

#[test]
fn a_port_that_a_stranger_has_taken_is_reported_and_the_others_run_on() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let keep0 = checkout.service("default", "keep0");
    let pid = i32::try_from(keep0["pid"].as_i64().unwrap()).unwrap();
    let port = u16::try_from(keep0["ports"]["keep0"].as_u64().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    common::wait_until_gone(pid);
    let stranger = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let done = checkout.services(&["up"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    let wanted = format!("port keep0: cannot have port {port} on 127.0.0.1 again: ");
    assert!(done.stderr.contains(&wanted), "{done:?}");
    assert_eq!(checkout.processes().len(), 5, "the others run on");
    drop(stranger);
    checkout.up(&[]);
    assert_eq!(checkout.status(&[])["ready"], true);
}

#[test]
fn a_service_that_hangs_is_reported_and_replaced() {
    let checkout = Checkout::new();
    checkout.configure("stop_timeout: 5", "stop_timeout: 1");
    checkout.up(&[]);
    let keep0 = checkout.service("default", "keep0");
    let pid = i32::try_from(keep0["pid"].as_i64().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    common::wait_until_stopped(pid);
    assert_eq!(checkout.service("default", "keep0")["health"], "hanging");
    let up = checkout.up(&[]);
    let wanted = "starting again what has ended or does not answer: keep0\n";
    assert!(up.stderr.contains(wanted), "{up:?}");
    assert_eq!(checkout.service("default", "keep0")["ports"], keep0["ports"]);
    assert_eq!(checkout.processes().len(), 6);
}

#[test]
fn a_service_that_was_stopped_ends_when_it_is_asked_to() {
    let checkout = Checkout::new();
    checkout.configure("stop_timeout: 5", "stop_timeout: 60");
    checkout.up(&["keep0"]);
    let pid = i32::try_from(checkout.service("default", "keep0")["pid"].as_i64().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    common::wait_until_stopped(pid);
    let down = checkout.services(&["down"]).ok();
    assert!(!down.stderr.contains("was killed"), "{down:?}");
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn commands_on_a_stack_that_is_not_up_say_so() {
    let checkout = Checkout::new();
    for (action, code) in [("reset", 3), ("env", 3), ("status", 1), ("down", 0)] {
        let done = checkout.services(&[action]);
        assert_eq!(done.code, Some(code), "{done:?}");
        assert!(done.stderr.contains("stack default is not up"), "{done:?}");
    }
}

#[test]
fn an_interrupted_up_takes_back_what_it_started() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let checkout = Checkout::new();
        checkout.fake_keepstores("silent");
        checkout.configure("start_timeout: 5", "start_timeout: 60");
        let mut command = checkout.command(&["services", "up"]);
        let up = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        common::wait_for(|| checkout.processes().len() >= 5);
        kill(Pid::from_raw(i32::try_from(up.id()).unwrap()), signal).unwrap();
        let done = Done::from(up.wait_with_output().unwrap());
        assert_eq!(done.code, Some(code), "{done:?}");
        assert_eq!(checkout.processes(), [0; 0]);
    }
}
