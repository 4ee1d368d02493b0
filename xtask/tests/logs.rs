//! The logs of a stack, shown once and followed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed helper is a failed test")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::{Checkout, Done};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PATIENCE: Duration = Duration::from_secs(30);

/// `GET /` of a service, which logs `id` with it.
fn request(checkout: &Checkout, service: &str, id: &str) {
    let port = fs_err::read_to_string(checkout.stack("default", &format!("{service}.port")));
    let port: u16 = port.unwrap().trim().parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: {id}\r\nConnection: close\r\n");
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

/// The same, when the line has been written.
fn logged_request(checkout: &Checkout, service: &str, id: &str) {
    request(checkout, service, id);
    let log = checkout.stack("default", &format!("log/{service}.log"));
    let deadline = Instant::now() + PATIENCE;
    while !fs_err::read_to_string(&log).unwrap().contains(id) {
        assert!(Instant::now() < deadline, "{id} is not logged");
        std::thread::yield_now();
    }
}

fn append(log: &Path, text: &str) {
    let mut options = fs_err::OpenOptions::new();
    options.create(true).append(true).open(log).unwrap().write_all(text.as_bytes()).unwrap();
}

/// The text of each line that is labelled with `service`.
fn of_service<'a>(output: &'a str, service: &str) -> Vec<&'a str> {
    let lines = output.lines().filter_map(|line| line.split_once(" | "));
    lines.filter(|(label, _)| label.trim_end() == service).map(|(_, text)| text).collect()
}

/// Nothing is lost: `output` has every line of that log.
#[track_caller]
fn assert_whole_log(checkout: &Checkout, service: &str, output: &str) {
    let log = checkout.stack("default", &format!("log/{service}.log"));
    let log = fs_err::read_to_string(log).unwrap();
    assert_eq!(of_service(output, service), log.lines().collect::<Vec<_>>());
}

/// `services logs --follow`, and the lines that it prints.
struct Following {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Following {
    fn start(checkout: &Checkout, arguments: &[&str]) -> Self {
        let mut command =
            checkout.command(&[&["services", "logs", "--follow"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, seen: String::new() }
    }

    /// The next line that has `text` in it.
    #[track_caller]
    fn until(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {text} in {}", self.seen));
            self.seen.push_str(&format!("{line}\n"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Everything that it has printed, and how it ended.
    #[track_caller]
    fn end(mut self) -> Done {
        let done = end(&mut self.child);
        self.seen.extend(self.lines.iter().map(|line| format!("{line}\n")));
        Done { stdout: std::mem::take(&mut self.seen), ..done }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // Ended already, if the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How `child` ended, which has little to say on standard error.
#[track_caller]
fn end(child: &mut Child) -> Done {
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it does not end");
        }
        std::thread::yield_now();
    };
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    Done { code: status.code(), stdout: String::new(), stderr }
}

/// A stack that is down, with logs of programs of all kinds.
fn with_old_logs() -> Checkout {
    let checkout = Checkout::new();
    for (log, text) in [
        ("api", "2026-11-25T09:55:01.000Z req-1 \"GET /\" 200\n2026-11-25T09:55:09.000Z req-9 x\n"),
        ("keep0", "starting\n2026/11/25 10:55:02 listening\n2026/11/25 10:55:08.5 GET /\n"),
        ("nginx", "2026/11/25 10:55:03 [notice] 1#1: start\n"),
        ("nginx_access", "::1 - - [25/Nov/2026:09:55:04 +0000] \"GET / HTTP/1.1\" 200 5\n"),
        ("postgres", "2026-11-25 09:55:05.1 UTC [1] LOG:  ready\n\tDETAIL: really\n"),
        ("redis", "7:M 25 Nov 2026 10:55:06.123 * Ready to accept connections\n"),
        ("rails", "[ N 2026-11-25 10:55:07.2 1/T1 Main.cpp:1 ]: Passenger started\nunfinished"),
    ] {
        let log = checkout.stack("default", &format!("log/{log}.log"));
        fs_err::create_dir_all(log.parent().unwrap()).unwrap();
        fs_err::write(log, text).unwrap();
    }
    checkout
}

/// `services logs` where local time is an hour ahead of UTC.
fn old_logs(checkout: &Checkout, arguments: &[&str]) -> Done {
    let mut command = checkout.command(&[&["services", "logs"], arguments].concat());
    Done::from(command.env("TZ", "LOCAL-1").output().unwrap())
}

#[test]
fn what_a_person_sees_of_a_stack_that_is_down() {
    let checkout = with_old_logs();
    insta::assert_snapshot!(old_logs(&checkout, &[]).ok().stdout);
    let followed = old_logs(&checkout, &["--follow", "--lines", "2", "nginx"]).ok();
    assert_eq!(followed.stdout, old_logs(&checkout, &["nginx"]).ok().stdout);
    assert_eq!(followed.stderr, "stack default has gone down\n");
}

#[test]
fn what_a_person_sees_of_a_stack_that_is_up() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    logged_request(&checkout, "keep0", "req-mine");
    let shown = checkout.services(&["logs", "keepstore", "--lines", "1"]).ok();
    let shape = common::redacted(&shown.stdout, &checkout).replace('_', "");
    let (line, _how_long_it_took) = shape.rsplit_once(' ').unwrap();
    insta::assert_snapshot!(line);
}

#[test]
fn only_the_last_lines_of_all_logs_are_shown() {
    let checkout = with_old_logs();
    let all = old_logs(&checkout, &[]).ok().stdout;
    let all: Vec<&str> = all.lines().collect();
    for lines in [0, 1, 4, all.len(), 1000] {
        let shown = old_logs(&checkout, &["--lines", &lines.to_string()]).ok().stdout;
        let wanted = &all[all.len().saturating_sub(lines)..];
        assert_eq!(shown.lines().collect::<Vec<_>>(), wanted, "{lines}");
    }
}

#[test]
fn the_lines_of_all_services_are_merged_by_time() {
    let checkout = Checkout::new();
    checkout.up(&["keepstore"]);
    let services = ["keep0", "keep1", "keep1", "keep0", "keep1", "keep0"];
    for (number, service) in services.iter().enumerate() {
        logged_request(&checkout, service, &format!("req-{number}"));
    }
    checkout.services(&["down"]).ok();
    let logs = checkout.services(&["logs"]).ok().stdout;
    for service in ["api", "keep0", "keep1"] {
        assert!(!of_service(&logs, service).is_empty(), "{logs}");
        assert_whole_log(&checkout, service, &logs);
    }
    let texts = logs.lines().map(|line| line.split_once(" | ").unwrap().1);
    let times: Vec<&str> = texts.map(|text| text.split(' ').next().unwrap()).collect();
    assert!(times.iter().all(|time| time.ends_with('Z')), "{logs}");
    assert!(times.is_sorted(), "{logs}");
}

#[test]
fn services_are_selected_by_name_and_by_kind() {
    let checkout = Checkout::new();
    checkout.up(&["keepstore"]);
    let services = |arguments: &[&str]| {
        let logs = checkout.services(&[&["logs"], arguments].concat()).ok().stdout;
        let mut names: Vec<String> =
            logs.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(services(&[]), ["api", "keep0", "keep1"]);
    assert_eq!(services(&["keepstore"]), ["keep0", "keep1"]);
    assert_eq!(services(&["keep1", "api"]), ["api", "keep1"]);
    let unknown = checkout.services(&["logs", "kep0"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert_eq!(unknown.stderr, "error: unknown service kep0; did you mean keep0?\n");
    let other = checkout.services(&["logs", "keepproxy"]);
    assert_eq!(other.code, Some(3), "{other:?}");
    let wanted = "error: stack default has no log of keepproxy: it has not been started\n";
    assert_eq!(other.stderr, wanted);
    checkout.services(&["down"]).ok();
    let unknown = checkout.services(&["logs", "--follow", "kep0"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert_eq!(unknown.stderr, "error: unknown service kep0; did you mean keep0?\n");
}

#[test]
fn a_stack_without_logs_is_reported() {
    let checkout = Checkout::new();
    for arguments in [&["logs", "--stack", "x"][..], &["logs", "--stack", "x", "--follow"]] {
        let done = checkout.services(arguments);
        assert_eq!(done.code, Some(3), "{done:?}");
        let wanted = "error: stack x has no logs: `cargo xtask services up --stack x` starts it\n";
        assert_eq!(done.stderr, wanted);
        assert_eq!(done.stdout, "");
    }
}

#[test]
fn the_logs_of_a_stack_whose_state_cannot_be_read_are_shown() {
    let checkout = with_old_logs();
    fs_err::write(checkout.stack("default", "stack.json"), "{").unwrap();
    let done = old_logs(&checkout, &["redis"]).ok();
    assert!(done.stderr.contains("stack.json is corrupt; "), "{done:?}");
    assert!(done.stdout.contains("Ready to accept connections"), "{done:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let checkout = with_old_logs();
    // More than a pipe holds.
    append(&checkout.stack("default", "log/api.log"), &"line\n".repeat(100_000));
    let mut command = checkout.command(&["services", "logs", "api"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "api | 2026-11-25T09:55:01.000Z req-1 \"GET /\" 200\n");
    assert_eq!(end(&mut child).ok().stderr, "");
}

#[test]
fn a_follower_sees_every_line_until_the_stack_is_down() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let mut following = Following::start(&checkout, &["--lines", "1000000"]);
    for number in 0..20 {
        for service in ["keep0", "keep1", "keepproxy"] {
            let id = format!("req-{service}-{number}-");
            request(&checkout, service, &id);
            let line = following.until(&id);
            assert!(line.starts_with(&format!("{service:<13} | ")), "{line}");
        }
    }
    append(&checkout.stack("default", "log/keep1.log"), "last words");
    checkout.services(&["down"]).ok();
    let done = following.end().ok();
    assert_eq!(done.stderr, "stack default has gone down\n");
    for service in ["api", "keep0", "keep1", "keepproxy", "arv-git-httpd"] {
        assert_whole_log(&checkout, service, &done.stdout);
    }
    assert_eq!(of_service(&done.stdout, "keep1").last(), Some(&"last words"));
}

#[test]
fn a_follower_ends_with_its_stack_even_if_the_next_one_is_up_before_it_looks() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let mut following = Following::start(&checkout, &["--lines", "1000000"]);
    logged_request(&checkout, "keep0", "req-seen");
    following.until("req-seen");
    following.signal(Signal::SIGSTOP);
    logged_request(&checkout, "keep0", "req-unseen");
    let log = fs_err::read_to_string(checkout.stack("default", "log/keep0.log")).unwrap();
    checkout.services(&["down"]).ok();
    checkout.up(&["keep0"]);
    logged_request(&checkout, "keep0", "req-of-the-next");
    following.signal(Signal::SIGCONT);
    let done = following.end().ok();
    assert_eq!(of_service(&done.stdout, "keep0"), log.lines().collect::<Vec<_>>());
}

#[test]
fn a_follower_begins_with_ten_lines_or_as_many_as_it_is_told() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let log = checkout.stack("default", "log/keep0.log");
    append(&log, &(0..30).map(|number| format!("old {number}\n")).collect::<String>());
    for (arguments, count) in [(&["keep0"][..], 10), (&["keep0", "--lines", "0"], 0)] {
        let mut following = Following::start(&checkout, arguments);
        if count > 0 {
            following.until("old 29");
        }
        // With nothing to be shown at first, there is no sign that it has begun.
        let deadline = Instant::now() + PATIENCE;
        while count == 0 && following.seen.is_empty() {
            assert!(Instant::now() < deadline, "it never begins");
            append(&log, "new\n");
            following.seen.extend(following.lines.recv_timeout(Duration::from_millis(10)));
        }
        assert_eq!(following.seen.matches("old ").count(), count, "{}", following.seen);
    }
}

#[test]
fn half_a_line_is_not_shown_before_the_rest_of_it() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let mut following = Following::start(&checkout, &["--lines", "1000"]);
    append(&checkout.stack("default", "log/api.log"), "one ");
    request(&checkout, "keep0", "req-first");
    following.until("req-first");
    append(&checkout.stack("default", "log/api.log"), &"and ".repeat(50_000));
    request(&checkout, "keep0", "req-second");
    following.until("req-second");
    assert!(!following.seen.contains("one "), "{}", following.seen);
    append(&checkout.stack("default", "log/api.log"), "other\n");
    let line = following.until("one ");
    assert!(line.ends_with(&format!(" | one {}other", "and ".repeat(50_000))), "{line}");
}

#[test]
fn a_follower_copes_with_truncated_and_replaced_logs_and_with_new_ones() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let mut following = Following::start(&checkout, &[]);
    request(&checkout, "keep0", "req-before");
    following.until("req-before");
    let log = checkout.stack("default", "log/keep0.log");
    fs_err::OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
    request(&checkout, "keep0", "req-truncated");
    following.until("req-truncated");
    fs_err::remove_file(&log).unwrap();
    fs_err::write(&log, "recreated\n").unwrap();
    following.until("recreated");
    checkout.up(&["keep1"]);
    request(&checkout, "keep1", "req-new");
    let line = following.until("req-new");
    assert!(line.starts_with("keep1         | "), "{line}");
}

#[test]
fn a_signal_ends_a_follower_even_if_nobody_reads_what_it_prints() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut following = Following::start(&checkout, &["--lines", "1000"]);
        following.until(" | ");
        following.signal(signal);
        assert_eq!(following.end().code, Some(code));
    }
    // More than a pipe holds.
    append(&checkout.stack("default", "log/api.log"), &"line\n".repeat(100_000));
    let mut command = checkout.command(&["services", "logs", "--follow", "--lines", "1000000"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 1]).unwrap();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(end(&mut child).code, Some(143));
}

#[test]
fn a_follower_ends_with_its_reader() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    let mut command = checkout.command(&["services", "logs", "--follow", "keep0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 1]).unwrap();
    // From here on nothing is logged.
    drop(stdout);
    assert_eq!(end(&mut child).ok().stderr, "");
}

#[test]
fn names_are_coloured_on_a_terminal_and_only_there() {
    let checkout = with_old_logs();
    let on_terminal = |no_color: &str| {
        let terminal = nix::pty::openpty(None, None).unwrap();
        let mut command = checkout.command(&["services", "logs", "redis"]);
        command.env("NO_COLOR", no_color).stdout(terminal.slave);
        let status = command.status().unwrap();
        drop(command);
        assert!(status.success());
        let mut line = String::new();
        let master = std::fs::File::from(terminal.master);
        BufReader::new(master).read_line(&mut line).unwrap();
        line
    };
    assert!(on_terminal("").starts_with("\u{1b}[36mredis | \u{1b}[0m7:M "));
    assert!(on_terminal("1").starts_with("redis | 7:M "));
    assert!(old_logs(&checkout, &["redis"]).ok().stdout.starts_with("redis | 7:M "));
}
