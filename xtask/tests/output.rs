//! What a person and a program see, on a terminal and off it: as documented in FORMATS.md.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::fmt::Write as _;

use common::following::Following;
use common::{Checkout, Done};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A checkout whose stack also has a service that logs nothing, and whose clients are told of it.
fn with_a_quiet_service() -> Checkout {
    let checkout = Checkout::new();
    let program = checkout.root().join("xtask/quiet");
    fs_err::write(&program, "#!/bin/sh\nexec sleep 100000\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(&program, executable).unwrap();
    let quiet = "{command: [xtask/quiet], export: {QUIET_URL: 'quiet://it''s {{folder}}'}}";
    checkout.configure("services: {}", &format!("services: {{quiet: {quiet}}}"));
    // A first `up` may have to build our services, and says so.
    checkout.up(&["quiet"]);
    checkout.services(&["down"]).ok();
    checkout
}

fn end_the_quiet_service(checkout: &Checkout) {
    let pid = checkout.service("default", "quiet")["pid"].as_i64().unwrap();
    let pid = i32::try_from(pid).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    common::wait_until_gone(pid);
}

/// The escapes of a terminal by their names.
fn readable(shown: &str) -> String {
    let names = [
        ("\x1b[0m", "</>"),
        ("\x1b[1m", "<bold>"),
        ("\x1b[4m", "<underline>"),
        ("\x1b[31m", "<red>"),
        ("\x1b[32m", "<green>"),
        ("\x1b[33m", "<yellow>"),
        ("\r\n", "\n"),
    ];
    names.iter().fold(shown.to_owned(), |text, (escape, name)| text.replace(escape, name))
}

/// What was typed and what came of it, as a log of one session after another.
struct Transcript<'a> {
    checkout: &'a Checkout,
    text: String,
}

impl<'a> Transcript<'a> {
    fn of(checkout: &'a Checkout) -> Self {
        Self { checkout, text: String::new() }
    }

    fn pipe(&mut self, arguments: &[&str]) {
        let done = self.checkout.plainly(arguments).output().unwrap().into();
        self.write("", arguments, &done);
    }

    fn terminal(&mut self, variables: &[(&str, &str)], arguments: &[&str]) {
        let mut command = self.checkout.plainly(arguments);
        command.envs(variables.iter().copied());
        let set: String = variables
            .iter()
            .fold(String::new(), |all, (name, value)| format!("{all}{name}={value} "));
        self.write(&set, arguments, &Following::on_terminal(command).end());
    }

    fn write(&mut self, variables: &str, arguments: &[&str], done: &Done) {
        let code = done.code.unwrap();
        writeln!(self.text, "$ {variables}services {}", arguments.join(" ")).unwrap();
        self.text.push_str(&common::shape(&readable(&done.stdout), self.checkout));
        for line in common::shape(&done.stderr, self.checkout).lines() {
            writeln!(self.text, "stderr: {line}").unwrap();
        }
        writeln!(self.text, "exit code {code}\n").unwrap();
    }
}

#[test]
fn a_pipe_gets_plain_results_on_standard_output_and_all_else_on_standard_error() {
    let checkout = with_a_quiet_service();
    let mut transcript = Transcript::of(&checkout);
    transcript.pipe(&["up"]);
    transcript.pipe(&["status"]);
    transcript.pipe(&["list"]);
    end_the_quiet_service(&checkout);
    transcript.pipe(&["status"]);
    transcript.pipe(&["list"]);
    transcript.pipe(&["down"]);
    for again in ["down", "status", "list", "env", "reset"] {
        transcript.pipe(&[again]);
    }
    insta::assert_snapshot!(transcript.text);
}

#[test]
fn a_terminal_gets_colours_unless_they_are_refused() {
    let checkout = with_a_quiet_service();
    let mut transcript = Transcript::of(&checkout);
    transcript.terminal(&[], &["up", "keep0", "quiet"]);
    transcript.terminal(&[], &["list"]);
    end_the_quiet_service(&checkout);
    transcript.terminal(&[], &["status"]);
    // An empty one is as none: https://no-color.org
    transcript.terminal(&[("NO_COLOR", "")], &["status"]);
    transcript.terminal(&[("NO_COLOR", "1")], &["status"]);
    transcript.terminal(&[("TERM", "dumb")], &["status"]);
    transcript.terminal(&[], &["down"]);
    transcript.terminal(&[], &["status"]);
    insta::assert_snapshot!(transcript.text);
}

#[test]
fn what_hangs_is_yellow() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let pid = checkout.service("default", "keep0")["pid"].as_i64().unwrap();
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    common::wait_until_stopped(pid.as_raw());
    let shown = Following::on_terminal(checkout.plainly(&["status"])).end();
    kill(pid, Signal::SIGCONT).unwrap();
    assert!(readable(&shown.stdout).contains("keep0          <yellow>hanging </>"), "{shown:?}");
}

#[test]
fn a_program_gets_json_of_the_documented_shape() {
    let checkout = with_a_quiet_service();
    let mut transcript = Transcript::of(&checkout);
    transcript.pipe(&["up", "--format", "json"]);
    transcript.pipe(&["status", "--format", "json"]);
    transcript.pipe(&["list", "--format", "json"]);
    end_the_quiet_service(&checkout);
    transcript.pipe(&["status", "--format", "json"]);
    transcript.pipe(&["list", "--format", "json"]);
    fs_err::write(checkout.stack("default", "stack.json"), "{").unwrap();
    transcript.pipe(&["list", "--format", "json"]);
    transcript.pipe(&["status", "--format", "json"]);
    checkout.services(&["down"]).ok();
    transcript.pipe(&["status", "--format", "json"]);
    transcript.pipe(&["list", "--format", "json"]);
    insta::assert_snapshot!(transcript.text);
}

#[test]
fn every_key_is_documented() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let status = checkout.status(&[]);
    let list = checkout.services(&["list", "--format", "json"]).ok().stdout;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let documented = include_str!("../FORMATS.md");
    for object in [&status, &status["services"][0], &list[0]] {
        for key in object.as_object().unwrap().keys() {
            assert!(documented.contains(&format!("\n| `{key}` | ")), "{key}");
        }
    }
}

#[test]
fn the_environment_is_written_for_its_reader() {
    let checkout = with_a_quiet_service();
    checkout.up(&[]);
    let mut transcript = Transcript::of(&checkout);
    for format in ["human", "sh", "fish", "json", "dotenv", "github", "nextest"] {
        transcript.pipe(&["env", "--format", format]);
        transcript.pipe(&["env", "--unset", "--format", format]);
    }
    // Values are never coloured: a terminal's lines are copied by hand.
    let formats = ["human", "sh"].map(|format| ["env", "--format", format]);
    for arguments in formats {
        let pipe: Done = checkout.plainly(&arguments).output().unwrap().into();
        let terminal = Following::on_terminal(checkout.plainly(&arguments)).end();
        assert_eq!(terminal.stdout.replace("\r\n", "\n"), pipe.stdout);
    }
    insta::assert_snapshot!(transcript.text);
}

#[test]
fn help_is_plain_off_a_terminal_or_with_no_color() {
    let checkout = Checkout::new();
    let mut transcript = Transcript::of(&checkout);
    transcript.pipe(&["--help"]);
    transcript.terminal(&[("NO_COLOR", "1")], &["env", "--help"]);
    insta::assert_snapshot!(transcript.text);
    assert!(
        readable(&Following::on_terminal(checkout.plainly(&["--help"])).end().stdout)
            .contains("<bold>")
    );
}
