//! `up --foreground`: the logs on standard output, and the cluster gone when the command ends.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use common::Checkout;
use nix::sys::signal::Signal;

/// One that is up.
struct Foreground {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Foreground {
    fn start(checkout: &Checkout) -> Self {
        let mut command = checkout.command(&["services", "up", "--foreground"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut foreground = Self { child, stdout, stderr };
        foreground.wait_for_said("SERVICE        HEALTH        PID  PORT");
        foreground.wait_for_said("nginx          ready");
        foreground.wait_for_said("use it:  eval");
        foreground
    }

    /// Reads standard error until a line has `text`.
    #[track_caller]
    fn wait_for_said(&mut self, text: &str) {
        wait_for(&mut self.stderr, text);
    }

    /// Reads to the end: exit code, and the rest of standard output and error.
    fn finish(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

#[track_caller]
fn wait_for(reader: &mut impl BufRead, text: &str) {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "it ended without {text:?}");
    }
}

#[test]
fn its_logs_are_shown_and_an_interrupt_takes_it_down() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let checkout = Checkout::new();
        let mut foreground = Foreground::start(&checkout);
        checkout.services(&["reset"]).ok();
        wait_for(&mut foreground.stdout, "\"POST /database/reset\" 200");
        common::signal(foreground.child.id(), signal);
        let (exit, _, stderr) = foreground.finish();
        assert_eq!(exit, Some(code), "{stderr}");
        assert!(stderr.contains("taking stack default down\nstack default is down; its logs are"));
        assert!(!stderr.contains("error"), "{stderr}");
        assert_eq!(checkout.processes(), [0; 0]);
        assert!(checkout.stack("default", "log/api.log").exists());
        assert!(!checkout.stack("default", "stack.json").exists());
    }
}

#[test]
fn nothing_of_the_logs_is_lost_at_the_end() {
    let checkout = Checkout::new();
    let foreground = Foreground::start(&checkout);
    common::signal(foreground.child.id(), Signal::SIGTERM);
    let (_, shown, _) = foreground.finish();
    for service in ["api", "keep0", "keep1", "keepproxy", "arv-git-httpd", "nginx"] {
        let log = checkout.stack("default", &format!("log/{service}.log"));
        let log = fs_err::read_to_string(log).unwrap();
        for line in log.lines() {
            assert!(shown.contains(&format!("| {line}\n")), "{service}: {line}");
        }
    }
}

#[test]
fn a_service_that_ends_is_said_and_one_that_another_command_starts_is_shown() {
    let checkout = Checkout::new();
    let mut foreground = Foreground::start(&checkout);
    for _ in 0..2 {
        let pid = checkout.service("default", "keep0")["pid"].as_i64().unwrap();
        common::signal(pid, Signal::SIGKILL);
        foreground.wait_for_said("keep0 has ended");
        checkout.up(&["keep0"]);
    }
    common::signal(foreground.child.id(), Signal::SIGINT);
    assert_eq!(foreground.finish().0, Some(130));
}

#[test]
fn it_ends_when_another_command_takes_the_stack_down() {
    let checkout = Checkout::new();
    let foreground = Foreground::start(&checkout);
    checkout.services(&["down"]).ok();
    let (exit, _, stderr) = foreground.finish();
    assert_eq!(exit, Some(0), "{stderr}");
    assert!(stderr.contains("stack default is down; its logs are in "), "{stderr}");
    assert!(!stderr.contains("has ended"), "nothing ended by itself: {stderr}");
}

#[test]
fn a_stack_that_is_up_cannot_be_owned_and_stays_up() {
    let checkout = Checkout::new();
    checkout.up(&["api"]);
    let done = checkout.services(&["up", "--foreground"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("stack default is up already: "), "{done:?}");
    assert_eq!(checkout.status(&[])["ready"], true);
    let down_and_up = Foreground::start;
    checkout.services(&["down"]).ok();
    let foreground = down_and_up(&checkout);
    // Somebody replaces it by a stack of their own: that is not taken down with us.
    checkout.services(&["down"]).ok();
    checkout.up(&["api"]);
    common::signal(foreground.child.id(), Signal::SIGTERM);
    foreground.finish();
    assert_eq!(checkout.status(&[])["ready"], true);
}

#[test]
fn killed_it_leaves_only_its_logs() {
    let checkout = Checkout::new();
    let mut foreground = Foreground::start(&checkout);
    foreground.child.kill().unwrap();
    foreground.child.wait().unwrap();
    common::wait_for(|| checkout.processes().is_empty());
    let left = fs_err::read_dir(checkout.stack("default", "")).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["log", "stack.lock"]);
}

#[test]
fn a_reader_that_goes_away_takes_it_down() {
    let checkout = Checkout::new();
    let Foreground { mut child, stdout, mut stderr } = Foreground::start(&checkout);
    drop(stdout);
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert_eq!(checkout.processes(), [0; 0]);
}
