//! What a script that starts servers and notes their pids does wrong, and must not happen here: an
//! innocent process ended, a dead service taken for a live one, a second cycle that fails on what
//! the first one left.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::process::{Child, Command};

use common::Checkout;
use nix::sys::signal::Signal;

const SERVICES: [&str; 6] = ["api", "keep0", "keep1", "keepproxy", "arv-git-httpd", "nginx"];

/// Processes that are none of ours, and end with the test.
struct Innocents(Vec<Child>);

impl Innocents {
    fn new(number: usize) -> Self {
        let start = |_| Command::new("sleep").arg("600").spawn().unwrap();
        Self((0..number).map(start).collect())
    }

    #[track_caller]
    fn assert_alive(&mut self) {
        for innocent in &mut self.0 {
            assert!(innocent.try_wait().unwrap().is_none(), "an innocent process was ended");
        }
    }
}

impl Drop for Innocents {
    fn drop(&mut self) {
        for innocent in &mut self.0 {
            let _ = innocent.kill();
            let _ = innocent.wait();
        }
    }
}

/// A checkout whose front is the real nginx where that is installed.
fn checkout() -> Checkout {
    let checkout = Checkout::new();
    checkout.configure("nginx: embedded", "nginx: auto");
    checkout
}

#[test]
fn pid_files_with_the_numbers_of_innocent_processes_end_nobody() {
    let checkout = checkout();
    let mut innocents = Innocents::new(SERVICES.len());
    let write_pid_files = |innocents: &Innocents| {
        for (service, innocent) in SERVICES.iter().zip(&innocents.0) {
            let path = checkout.stack("default", &format!("{service}.pid"));
            fs_err::write(path, format!("{}\n", innocent.id())).unwrap();
        }
    };
    // Left by somebody before the stack is up, and written over while it is.
    fs_err::create_dir_all(checkout.stack("default", "")).unwrap();
    write_pid_files(&innocents);
    for action in ["up", "up", "restart", "down"] {
        checkout.services(&[action]).ok();
        innocents.assert_alive();
        write_pid_files(&innocents);
    }
    checkout.services(&["down"]).ok();
    innocents.assert_alive();
}

#[test]
fn a_recorded_process_whose_number_was_given_to_an_innocent_one_is_left_alone() {
    let checkout = checkout();
    checkout.up(&[]);
    let mut innocents = Innocents::new(SERVICES.len());
    let path = checkout.stack("default", "stack.json");
    let text = fs_err::read_to_string(&path).unwrap();
    let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
    checkout.services(&["down"]).ok();
    for (service, innocent) in innocents.0.iter().enumerate() {
        state["services"][service]["process"]["pid"] = innocent.id().into();
    }
    fs_err::write(&path, state.to_string()).unwrap();
    for action in ["status", "down", "up"] {
        checkout.services(&[action]);
        innocents.assert_alive();
    }
    assert_eq!(checkout.status(&[])["ready"], true);
}

#[test]
fn whichever_service_ends_at_once_up_fails_and_names_it() {
    for kind in ["keepstore", "keepproxy", "arv-git-httpd", "nginx"] {
        let checkout = Checkout::new();
        checkout.configure("nginx: embedded", "");
        checkout.provide(kind, "/bin/false");
        let up = checkout.services(&["up"]);
        assert_eq!(up.code, Some(3), "{up:?}");
        let name = if kind == "keepstore" { "keep" } else { kind };
        assert!(up.stderr.contains(&format!("error: {name}")), "{up:?}");
        assert!(up.stderr.contains("has ended (exit status: 1) before it was ready"), "{up:?}");
        assert_eq!(checkout.processes(), [0; 0]);
    }
}

#[test]
fn whichever_service_dies_status_says_so_and_up_starts_it_again() {
    let checkout = checkout();
    checkout.up(&[]);
    for service in SERVICES {
        let before = checkout.service("default", service);
        let pid = i32::try_from(before["pid"].as_i64().unwrap()).unwrap();
        common::signal(pid, Signal::SIGKILL);
        common::wait_until_gone(pid);
        let status = checkout.services(&["status"]);
        assert_eq!(status.code, Some(1), "{status:?}");
        assert!(status.stderr.contains(&format!("not ready: {service}")), "{status:?}");
        let reset = checkout.services(&["reset"]);
        assert_eq!(reset.code, Some(3), "{reset:?}");
        assert!(reset.stderr.contains(&format!("{service} of stack default ended by itself")));
        checkout.up(&[]);
        let after = checkout.service("default", service);
        assert_eq!(after["ports"], before["ports"]);
        assert_ne!(after["pid"], before["pid"]);
    }
    assert_eq!(checkout.status(&[])["ready"], true);
}

/// `XTASK_CYCLES` makes it longer by hand.
#[test]
fn cycles_do_not_add_up() {
    let cycles = std::env::var("XTASK_CYCLES").ok().and_then(|text| text.parse().ok());
    let checkout = checkout();
    let mut seen = Vec::new();
    for _ in 0..cycles.unwrap_or(4) {
        checkout.up(&[]);
        let processes = checkout.processes().len();
        let env = checkout.services(&["exec", "--stack", "default", "--", "env"]).ok().stdout;
        let variables: BTreeMap<&str, &str> =
            env.lines().filter_map(|line| line.split_once('=')).collect();
        let listed = Command::new("curl")
            .args(["--silent", "--fail", "--noproxy", "*"])
            .args(["--cacert", variables["ARVADOS_TEST_CA_CERT"], "--header"])
            .arg(format!("Authorization: Bearer {}", variables["ARVADOS_API_TOKEN"]))
            .arg(format!("https://{}/arvados/v1/keep_services", variables["ARVADOS_API_HOST"]))
            .output()
            .unwrap();
        let keep_services = common::Done::from(listed).ok().stdout;
        checkout.services(&["down"]).ok();
        let files = walk(&checkout);
        seen.push((processes, keep_services.matches("-bi6l4-").count(), files));
    }
    assert!(seen.iter().all(|cycle| *cycle == seen[0]), "{seen:?}");
}

/// The names of all files of the stack.
fn walk(checkout: &Checkout) -> Vec<String> {
    let mut find = Command::new("find");
    find.arg(checkout.stack("default", "")).args(["-printf", "%P\\n"]);
    let found = common::Done::from(find.output().unwrap()).ok().stdout;
    let mut names: Vec<String> = found.lines().map(str::to_owned).collect();
    names.sort();
    names
}
