//! Stacks that go down with their owner, however that ends.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use common::{Checkout, Done};
use nix::sys::signal::Signal;

/// `services exec` of a shell script.
fn exec(checkout: &Checkout, options: &[&str], script: &str) -> Command {
    checkout.command(&[&["services", "exec"], options, &["--", "sh", "-c", script]].concat())
}

fn done(mut command: Command) -> Done {
    command.output().unwrap().into()
}

/// Nothing of a stack is left, not even its folder.
#[track_caller]
fn assert_nothing_is_left(checkout: &Checkout) {
    assert_eq!(checkout.processes(), [0; 0]);
    assert_eq!(stacks(checkout), [""; 0]);
}

fn stacks(checkout: &Checkout) -> Vec<String> {
    let entries = fs_err::read_dir(checkout.root().join(".services")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// A command under `services exec` that has said that it runs, and waits for the end of its input.
struct Waiting {
    exec: Child,
    command: i32,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Waiting {
    fn start(checkout: &Checkout) -> Self {
        let mut command = exec(checkout, &[], "echo $$; read line; echo ended");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut exec = command.spawn().unwrap();
        let input = exec.stdin.take().unwrap();
        let mut output = BufReader::new(exec.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        Self { exec, command: line.trim().parse().unwrap(), input, output }
    }

    /// Kills the owner, and only that.
    fn kill(mut self) -> ChildStdin {
        self.exec.kill().unwrap();
        self.exec.wait().unwrap();
        self.input
    }
}

#[test]
fn the_exit_code_and_the_streams_of_the_command_are_passed_on() {
    let checkout = Checkout::new();
    let mut command = exec(&checkout, &[], "cat; echo problem >&2; exit 42");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"typed").unwrap();
    let done = Done::from(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.stdout.as_str()), (Some(42), "typed"), "{done:?}");
    assert_eq!(done.stderr, "problem\n");
    assert_nothing_is_left(&checkout);
}

#[test]
fn a_command_that_a_signal_ends_has_the_exit_code_that_a_shell_gives_it() {
    let checkout = Checkout::new();
    assert_eq!(done(exec(&checkout, &[], "kill -KILL $$")).code, Some(137));
}

#[test]
fn the_command_finds_the_cluster_and_no_other_one() {
    let checkout = Checkout::new();
    let script = "curl --silent --fail --noproxy '*' --cacert \"$ARVADOS_TEST_CA_CERT\" \
                  --header \"Authorization: Bearer $ARVADOS_API_TOKEN\" \
                  \"https://$ARVADOS_API_HOST/arvados/v1/users/current\"; echo \"$KEEP_LOCAL_STORE\"";
    let mut command = exec(&checkout, &["--auth", "active"], script);
    command.env("KEEP_LOCAL_STORE", "/tmp").env("ARVADOS_API_HOST", "production.example.com");
    let done = done(command).ok();
    assert!(done.stdout.contains("\"uuid\":\"zzzzz-tpzed-xurymjxw79nv3jz\""), "{done:?}");
    assert!(done.stdout.ends_with("}\n") || done.stdout.ends_with("}\n\n"), "{done:?}");
    assert!(!done.stdout.contains("/tmp"), "{done:?}");
}

#[test]
fn a_command_that_cannot_be_run_ends_as_in_a_shell_and_leaves_nothing() {
    let checkout = Checkout::new();
    let missing = checkout.services(&["exec", "--", "/no/such/program"]);
    assert_eq!(missing.code, Some(127), "{missing:?}");
    let wanted = "error: cannot start /no/such/program: No such file";
    assert!(missing.stderr.starts_with(wanted), "{missing:?}");
    let folder = checkout.services(&["exec", "--", "/tmp"]);
    assert_eq!(folder.code, Some(126), "{folder:?}");
    assert!(folder.stderr.starts_with("error: cannot start /tmp: Permission denied"), "{folder:?}");
    assert_nothing_is_left(&checkout);
}

#[test]
fn without_a_command_or_with_a_wrong_token_nothing_is_started() {
    let checkout = Checkout::new();
    assert_eq!(checkout.services(&["exec"]).code, Some(2));
    let empty = checkout.services(&["exec", "--", ""]);
    assert_eq!(empty.code, Some(2), "{empty:?}");
    assert_eq!(empty.stderr, "error: exec: name a command behind --\n");
    assert!(!checkout.root().join(".services").exists());
    let token = checkout.services(&["exec", "--auth", "activ", "--", "true"]);
    assert!(token.stderr.contains("did you mean \"active\"?"), "{token:?}");
}

#[test]
fn services_that_do_not_come_up_are_an_error_and_their_logs_are_kept() {
    let checkout = Checkout::new();
    checkout.fake_keepstores("exit");
    let done = done(exec(&checkout, &[], "echo it ran"));
    assert_eq!((done.code, done.stdout.as_str()), (Some(3), ""), "{done:?}");
    assert_eq!(checkout.processes(), [0; 0]);
    let log = done.stderr.split("the end of its log, ").nth(1).unwrap().lines().next().unwrap();
    assert!(std::fs::exists(log.trim_end_matches(':')).unwrap(), "{log}");
}

#[test]
fn a_command_on_a_stack_that_is_up_leaves_it_up() {
    let checkout = Checkout::new();
    let none = done(exec(&checkout, &["--stack", "mine"], "true"));
    assert_eq!(none.code, Some(3), "{none:?}");
    assert!(none.stderr.contains("stack mine is not up"), "{none:?}");
    checkout.up(&["--stack", "mine"]);
    let before = checkout.status(&["--stack", "mine"]);
    let inside = done(exec(&checkout, &["--stack", "mine"], "echo \"$XTASK_STACK\"; exit 5"));
    assert_eq!((inside.code, inside.stdout.as_str()), (Some(5), "mine\n"));
    assert_eq!(checkout.status(&["--stack", "mine"]), before);
}

#[test]
fn commands_side_by_side_have_a_stack_each() {
    let checkout = Checkout::new();
    let both = [Waiting::start(&checkout), Waiting::start(&checkout)];
    assert_eq!(stacks(&checkout).len(), 2);
    for mut waiting in both {
        drop(waiting.input);
        assert!(waiting.exec.wait().unwrap().success());
        let mut rest = String::new();
        waiting.output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "ended\n");
    }
    assert_nothing_is_left(&checkout);
}

#[test]
fn a_suite_may_reset_its_own_stack() {
    let checkout = Checkout::new();
    let script = "\"$0\" services reset --stack \"$XTASK_STACK\"";
    let mut command = checkout.command(&["services", "exec", "--", "sh", "-c", script]);
    command.arg(env!("CARGO_BIN_EXE_xtask"));
    let done = done(command).ok();
    assert!(done.stderr.contains("is as in the fixtures again"), "{done:?}");
}

#[test]
fn when_the_owner_is_killed_the_guardian_takes_everything_down() {
    let checkout = Checkout::new();
    let waiting = Waiting::start(&checkout);
    let command = waiting.command;
    let _input = waiting.kill();
    // The command too: it has lost its cluster.
    common::wait_until_gone(command);
    common::wait_for(|| checkout.processes().is_empty());
    assert_nothing_is_left(&checkout);
}

#[test]
fn when_the_guardian_is_killed_the_owner_takes_everything_down() {
    let checkout = Checkout::new();
    let mut waiting = Waiting::start(&checkout);
    common::signal(checkout.guardians()[0], Signal::SIGKILL);
    drop(waiting.input);
    assert!(waiting.exec.wait().unwrap().success());
    assert_nothing_is_left(&checkout);
}

#[test]
fn when_both_are_killed_the_next_command_takes_everything_down() {
    let checkout = Checkout::new();
    let waiting = Waiting::start(&checkout);
    let (guardian, owner) = (checkout.guardians()[0], waiting.exec.id());
    common::signal(guardian, Signal::SIGKILL);
    common::wait_until_gone(guardian);
    let command = waiting.command;
    let _input = waiting.kill();
    common::wait_until_gone(command);
    assert_eq!(checkout.processes().len(), 6, "its services still run");
    let list = checkout.services(&["list"]).ok();
    let line = format!("was left by pid {owner}, which has ended: it is taken down\n");
    assert!(list.stderr.contains(&line), "{list:?}");
    assert_nothing_is_left(&checkout);
}

#[test]
fn signals_are_passed_on_to_the_command() {
    let checkout = Checkout::new();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let mut waiting = Waiting::start(&checkout);
        common::signal(waiting.exec.id(), signal);
        let status = waiting.exec.wait().unwrap();
        assert_eq!(status.code(), Some(code), "{signal}");
        assert_nothing_is_left(&checkout);
    }
}

#[test]
fn eight_stacks_of_one_checkout_come_up_and_go_down_at_once() {
    let checkout = Checkout::new();
    let names: Vec<String> = (0..8).map(|number| format!("stack-{number}")).collect();
    let all_at_once = |action: &str| {
        let start = |name: &String| {
            let mut command = checkout.command(&["services", action, "--stack", name]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let running: Vec<Child> = names.iter().map(start).collect();
        for child in running {
            Done::from(child.wait_with_output().unwrap()).ok();
        }
    };
    all_at_once("up");
    for name in &names {
        assert_eq!(checkout.status(&["--stack", name])["ready"], true, "{name}");
    }
    assert_eq!(checkout.processes().len(), 8 * 6);
    all_at_once("down");
    assert_eq!(checkout.processes(), [0; 0]);
}

/// `services exec` of a shell script that leads the session of a terminal; the other end of which
/// comes back too.
fn exec_on_a_terminal(checkout: &Checkout, script: &str) -> (Child, File) {
    common::terminal::lead_session(exec(checkout, &[], script))
}

#[test]
fn what_is_typed_at_a_terminal_reaches_the_command_once() {
    let checkout = Checkout::new();
    // The signal may come before it reads, or while it does.
    let script = "trap 'echo interrupted' INT; echo ready; \
                  until [ \"$line\" = word ]; do read line; done; echo \"[$line]\"";
    let (mut exec, terminal) = exec_on_a_terminal(&checkout, script);
    let mut output = BufReader::new(terminal.try_clone().unwrap());
    let mut seen = String::new();
    for (wanted, typed) in [("ready", "\x03"), ("interrupted", "word\n"), ("[word]", "")] {
        let mut line = String::new();
        while !line.contains(wanted) {
            line.clear();
            output.read_line(&mut line).unwrap();
            seen.push_str(&line);
        }
        (&terminal).write_all(typed.as_bytes()).unwrap();
    }
    assert!(exec.wait().unwrap().success(), "{seen}");
    assert_eq!(seen.matches("interrupted").count(), 1, "{seen}");
    assert_nothing_is_left(&checkout);
}

#[test]
fn when_the_terminal_is_closed_everything_ends() {
    let checkout = Checkout::new();
    let (mut exec, terminal) = exec_on_a_terminal(&checkout, "echo ready; sleep 600");
    let mut output = BufReader::new(terminal);
    let mut line = String::new();
    while !line.contains("ready") {
        line.clear();
        output.read_line(&mut line).unwrap();
    }
    drop(output);
    assert_eq!(exec.wait().unwrap().code(), Some(129));
    common::wait_for(|| checkout.processes().is_empty());
    assert_nothing_is_left(&checkout);
}

#[test]
fn a_stack_goes_down_with_the_process_that_it_was_brought_up_for() {
    let checkout = Checkout::new();
    let mut owner = Command::new("sleep").arg("600").spawn().unwrap();
    let pid = owner.id().to_string();
    let up = checkout.up(&["--stack", "theirs", "--owner", &pid, "--format", "json"]);
    let env: serde_json::Value = serde_json::from_str(&up.stdout).unwrap();
    assert_eq!(env["set"]["XTASK_STACK"], "theirs");
    assert_eq!(checkout.status(&["--stack", "theirs"])["ready"], true);
    owner.kill().unwrap();
    owner.wait().unwrap();
    common::wait_for(|| checkout.processes().is_empty());
    assert_nothing_is_left(&checkout);
    let gone = checkout.services(&["up", "--owner", &pid]);
    assert_eq!(gone.code, Some(2), "{gone:?}");
    assert!(gone.stderr.contains("there is no such process"), "{gone:?}");
}

#[test]
fn its_guardian_ends_when_somebody_else_takes_the_stack_down() {
    let checkout = Checkout::new();
    let mut owner = Command::new("sleep").arg("600").spawn().unwrap();
    checkout.up(&["api", "--owner", &owner.id().to_string()]);
    assert_eq!(checkout.guardians().len(), 1);
    checkout.services(&["down"]).ok();
    common::wait_for(|| checkout.processes().is_empty());
    assert!(owner.try_wait().unwrap().is_none(), "the owner was ended");
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_nothing_is_left(&checkout);
}
