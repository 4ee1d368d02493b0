//! `services status --watch`, from the first table to its end.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::Checkout;
use common::following::Following;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn pid(checkout: &Checkout, service: &str) -> Pid {
    let pid = checkout.service("default", service)["pid"].as_i64().unwrap();
    Pid::from_raw(i32::try_from(pid).unwrap())
}

/// The lines of the last table.
fn last_table(text: &str) -> &str {
    text.rfind("SERVICE").map_or("", |start| &text[start..])
}

/// Returns once a service has been asked that often from now on.
fn wait_until_asked(checkout: &Checkout, service: &str, times: usize) {
    let log = checkout.stack("default", &format!("log/{service}.log"));
    let asked = || fs_err::read_to_string(&log).unwrap().matches("\"GET /\"").count();
    let enough = asked() + times;
    let deadline = Instant::now() + Duration::from_secs(60);
    while asked() < enough {
        assert!(Instant::now() < deadline, "{service} is not asked any more");
        std::thread::yield_now();
    }
}

#[test]
fn a_pipe_gets_the_table_again_only_when_it_has_changed() {
    let checkout = Checkout::new();
    checkout.up(&["keepstore"]);
    let mut watch = Following::on_pipe(checkout.plainly(&["status", "--watch"]));
    watch.until(|text| text.matches(" ready ").count() == 3);
    wait_until_asked(&checkout, "keep1", 2);
    kill(pid(&checkout, "keep0"), Signal::SIGKILL).unwrap();
    let shown = watch.until(|text| text.contains(".log:\n  "));
    assert_eq!(shown.matches("SERVICE").count(), 2, "{shown}");
    assert!(last_table(&shown).contains("keep0          ended "), "{shown}");
    checkout.up(&[]);
    watch.until(|text| last_table(text).matches(" ready ").count() == 6);
    checkout.services(&["down"]).ok();
    let done = watch.end();
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(
        done.stderr,
        "error: stack default is not up: `cargo xtask services up --stack default` starts it\n"
    );
    assert!(!done.stdout.contains('\x1b'), "{done:?}");
}

#[test]
fn a_program_gets_a_line_of_json_for_each_change() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let mut watch =
        Following::on_pipe(checkout.plainly(&["status", "--watch", "--format", "json"]));
    watch.until(|text| text.ends_with('\n'));
    wait_until_asked(&checkout, "keep0", 2);
    checkout.services(&["down"]).ok();
    let done = watch.end();
    let lines: Vec<serde_json::Value> =
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ready: Vec<bool> = lines.iter().map(|line| line["ready"].as_bool().unwrap()).collect();
    assert!(ready[0] && !ready[1..].contains(&true), "{done:?}");
    assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{done:?}");
    let down = serde_json::json!({"stack": "default", "ready": false, "era": null, "parent": null, "services": []});
    assert_eq!(lines.last(), Some(&down));
    assert_eq!(
        (done.code, &*done.stderr),
        (
            Some(1),
            "error: stack default is not up: `cargo xtask services up --stack default` starts it\n"
        )
    );
}

#[test]
fn a_terminal_is_drawn_over_and_left_as_it_was() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let mut watch = Following::on_terminal(checkout.plainly(&["status", "--watch"]));
    watch.until(|text| text.ends_with("\x1b[J"));
    kill(pid(&checkout, "keep0"), Signal::SIGKILL).unwrap();
    watch.until(|text| text.matches("\x1b[J").count() == 2);
    watch.signal(Signal::SIGINT);
    let done = watch.end();
    assert_eq!(done.code, Some(130));
    let pictures: Vec<&str> = done.stdout.split("\x1b[H").collect();
    let ["", first, second] = pictures[..] else { panic!("{done:?}") };
    assert!(first.starts_with("SERVICE"), "{first:?}");
    assert!(first.contains("\x1b[32mready   \x1b[0m"), "{first:?}");
    assert!(second.contains("\x1b[31mended   \x1b[0m"), "{second:?}");
    // A shorter line leaves nothing of a longer one that was there before.
    assert!(first.matches("\r\n").count() == first.matches("\x1b[K\r\n").count(), "{first:?}");
    assert!(second.ends_with("\x1b[Jerror: interrupted by signal 2\r\n"), "{second:?}");
    assert!(!done.stdout.contains("\x1b[?"), "no mode of it was changed: {done:?}");
}

#[test]
fn a_terminal_that_cannot_be_drawn_on_is_as_a_pipe() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let mut command = checkout.plainly(&["status", "--watch"]);
    command.env("TERM", "dumb");
    let mut watch = Following::on_terminal(command);
    watch.until(|text| text.matches(" ready ").count() == 2);
    watch.signal(Signal::SIGTERM);
    let done = watch.end();
    assert_eq!(done.code, Some(143));
    assert!(!done.stdout.contains('\x1b'), "{done:?}");
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let ours = checkout.plainly(&["status", "--watch"]);
    let mut pipeline = Command::new("sh");
    pipeline.args(["-c", "{ \"$0\" \"$@\"; echo \"ended with $?\" >&2; } | head -n 1"]);
    pipeline.arg(ours.get_program()).args(ours.get_args()).env("XTASK_ROOT", checkout.root());
    let done = Following::on_pipe(pipeline).end();
    assert!(done.stdout.starts_with("SERVICE"), "{done:?}");
    assert_eq!(done.stderr, "ended with 0\n");
}

#[test]
fn there_is_nothing_to_watch_of_a_stack_that_is_not_up() {
    let checkout = Checkout::new();
    let done = checkout.services(&["status", "--watch"]);
    assert_eq!((done.code, &*done.stdout), (Some(1), ""));
    assert_eq!(
        done.stderr,
        "error: stack default is not up: `cargo xtask services up --stack default` starts it\n"
    );
}
