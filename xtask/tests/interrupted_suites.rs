//! `test-all` that is asked to end, or killed: what its suites see, and that nothing is left.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::io::Read;
use std::process::Stdio;

use common::following::Following;
use common::suites::{output, write};
use common::{Checkout, wait_until_gone};
use nix::sys::signal::Signal;

/// `test-all` on a suite that says by a fifo that it runs.
fn started(checkout: &Checkout, script: &str) -> Following {
    let fifo = checkout.root().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let suites = format!("  a: {{command: [sh, -c, '{script}']}}\n  z: {{command: ['true']}}\n");
    write(checkout, &suites);
    let mut command = checkout.command(&["test-all", "--jobs", "1"]);
    command.stdin(Stdio::null());
    let running = Following::on_pipe(command);
    let mut said = String::new();
    fs_err::File::open(&fifo).unwrap().read_to_string(&mut said).unwrap();
    running
}

#[test]
fn a_signal_ends_the_suites_politely_takes_clusters_down_and_reports() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let checkout = Checkout::new();
        let script = "trap \"echo 4 passed, 0 failed; exit 1\" INT TERM HUP; echo >fifo; \
                      while :; do sleep 0.01; done";
        let running = started(&checkout, script);
        running.signal(signal);
        let done = running.end();
        let last = done.stdout.lines().last();
        // What has passed until then counts, and what was not begun does not.
        assert_eq!((done.code, last), (Some(code), Some("4 passed, 0 failed, 0 skipped")));
        assert!(done.stderr.contains("suite a: interrupted; 4 passed"), "{done:?}");
        assert!(!done.stderr.contains("suite z: started"), "{done:?}");
        assert!(output(&checkout, "a.txt").ends_with("4 passed, 0 failed\n"));
        assert!(checkout.root().join("target/test-all/index.html").exists());
        assert_eq!(checkout.processes(), [0; 0]);
    }
}

#[test]
fn a_suite_that_is_stopped_is_asked_to_end_all_the_same() {
    let checkout = Checkout::new();
    let script = "trap \"touch asked; exit 1\" INT; echo $$ >pid; echo >fifo; kill -STOP $$";
    let running = started(&checkout, script);
    let pid = fs_err::read_to_string(checkout.root().join("pid")).unwrap();
    common::wait_until_stopped(pid.trim().parse().unwrap());
    running.signal(Signal::SIGINT);
    let done = running.end();
    assert_eq!(done.code, Some(130), "{done:?}");
    assert!(checkout.root().join("asked").exists(), "{done:?}");
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn a_second_signal_kills_a_suite_that_does_not_listen() {
    let checkout = Checkout::new();
    let script = "trap \"\" INT; echo $$ >pid; echo >fifo; while :; do sleep 0.01; done";
    let mut running = started(&checkout, script);
    running.signal(Signal::SIGINT);
    running.until_error(|text| text.contains("once more to kill them"));
    running.signal(Signal::SIGINT);
    let done = running.end();
    assert_eq!(done.code, Some(130), "{done:?}");
    let pid = fs_err::read_to_string(checkout.root().join("pid")).unwrap();
    assert!(!common::runs(pid.trim().parse().unwrap()));
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn nothing_is_left_of_a_run_that_was_killed_not_even_what_its_suites_have_started() {
    let checkout = Checkout::new();
    let script = "setsid sleep 600 & echo $! >background; sleep 601 & echo >fifo; wait";
    let running = started(&checkout, script);
    let background = fs_err::read_to_string(checkout.root().join("background")).unwrap();
    let guardians = checkout.guardians();
    // The next cluster may be up already.
    assert!(!guardians.is_empty());
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end().code, None);
    guardians.into_iter().for_each(wait_until_gone);
    assert!(!common::runs(background.trim().parse().unwrap()));
    assert_eq!(checkout.processes(), [0; 0]);
    let left = fs_err::read_dir(checkout.root().join(".services")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".cache"]);
}

#[test]
fn when_the_terminal_is_closed_the_clusters_go_down_and_there_is_a_report() {
    let checkout = Checkout::new();
    write(&checkout, "  a: {command: [sh, -c, 'echo ready; sleep 600']}\n");
    let mut command = checkout.command(&["test-all"]);
    command.env("TERM", "xterm");
    let (mut test_all, mut terminal) = common::terminal::lead_session(command);
    // The last line of what the suite prints is shown beside its name.
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains("ready") {
        let mut byte = [0];
        terminal.read_exact(&mut byte).unwrap();
        shown.push(byte[0]);
    }
    drop(terminal);
    assert_eq!(test_all.wait().unwrap().code(), Some(129));
    assert_eq!(checkout.processes(), [0; 0]);
    let report = checkout.root().join("target/test-all/report.json");
    let report: serde_json::Value = serde_json::from_slice(&fs_err::read(report).unwrap()).unwrap();
    assert_eq!(report["interrupted_by"], 1);
    assert_eq!(report["suites"][0]["outcome"], "interrupted");
}

#[test]
fn packages_that_are_being_installed_are_given_up() {
    if !common::is_installed("python3") {
        return;
    }
    let checkout = Checkout::new();
    // An index that takes connections and says nothing.
    let index = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = index.local_addr().unwrap();
    let requirements = format!("--index-url http://{address}/\nno-such-package\n");
    fs_err::write(checkout.root().join("requirements.txt"), requirements).unwrap();
    write(&checkout, "  a: {requirements: requirements.txt, command: ['true']}\n");
    let running = Following::on_pipe(checkout.command(&["test-all"]));
    let connection = index.accept().unwrap();
    running.signal(Signal::SIGTERM);
    let done = running.end();
    assert_eq!(done.code, Some(143), "{done:?}");
    assert!(done.stderr.contains("suite a: interrupted\n"), "{done:?}");
    assert_eq!(checkout.processes(), [0; 0]);
    drop(connection);
}

#[test]
fn packages_that_cannot_be_installed_are_no_failure_of_a_test() {
    if !common::is_installed("python3") {
        return;
    }
    let checkout = Checkout::new();
    let requirements = "--no-index\nno-such-package\n";
    fs_err::write(checkout.root().join("requirements.txt"), requirements).unwrap();
    write(&checkout, "  a: {requirements: requirements.txt, command: ['true']}\n");
    let done = checkout.run(&["test-all"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    let line = "suite a: COULD NOT BE RUN: packages of ";
    assert!(done.stderr.contains(line) && done.stderr.contains("no-such-package"), "{done:?}");
}
