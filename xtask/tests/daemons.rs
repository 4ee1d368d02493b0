//! Real programs that leave their session, clear what we mark them with, or are killed: nothing of
//! them is left after `down`.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::{Child, Command, Stdio};

use common::{Checkout, readme};
use serde_json::{Value, json};

/// A small Rack application under Passenger, which puts itself into the background.
struct Passenger {
    checkout: Checkout,
    /// Passenger keeps sockets there, whose paths may not be long.
    files: tempfile::TempDir,
}

fn passenger(stop: &Value) -> Option<Passenger> {
    if !["passenger", "bundle", "ruby"].into_iter().all(common::is_installed) {
        return None;
    }
    let checkout = Checkout::new();
    let files = tempfile::Builder::new().prefix("xtask.").tempdir_in("/tmp").unwrap();
    let application = checkout.root().join("application");
    fs_err::create_dir(&application).unwrap();
    let rack = "run lambda { |_| [200, { 'Content-Type' => 'text/plain' }, [\"hello\\n\"]] }\n";
    fs_err::write(application.join("config.ru"), rack).unwrap();
    fs_err::write(application.join("Gemfile"), "gem 'rack'\n").unwrap();
    let command = "bundle exec passenger start {{workspace}}/application --daemonize \
                   --engine builtin --environment production --address {{host}} --port {{port}} \
                   --pid-file {{folder}}/passenger.pid --log-file {{folder}}/passenger.log";
    let command: Vec<&str> = command.split_ascii_whitespace().collect();
    checkout.declare(&json!({"passenger": {
        "command": command,
        "requires": ["passenger", "ruby"],
        "ports": ["passenger"],
        "probe": {"http": "/"},
        "env": {
            "BUNDLE_GEMFILE": "{{workspace}}/application/Gemfile",
            "TMPDIR": files.path(),
        },
        "stop": stop,
    }}));
    Some(Passenger { checkout, files })
}

impl Passenger {
    fn up(&self) {
        self.checkout.up(&["passenger"]);
        assert!(common::working_in(self.files.path()).len() >= 2, "its watchdog and its core");
    }

    /// Nothing is left after `down`, be it again.
    fn goes_down(&self) {
        down_and_up(&self.checkout, "passenger");
        assert_eq!(common::working_in(self.files.path()), [0; 0]);
    }
}

/// PostgreSQL as README.md has it, which refuses to run as root; `None` where that is not possible.
fn postgresql() -> Option<Checkout> {
    if !common::is_installed(&format!("{}/postgres", common::POSTGRESQL)) {
        return None;
    }
    let mut checkout = Checkout::new();
    checkout.declare(&readme::example("PostgreSQL"));
    checkout.avoid_root().then_some(checkout)
}

/// A client that does not go by itself, once it is connected.
fn client(checkout: &Checkout) -> Child {
    let env = checkout.services(&["env", "--format", "json"]).ok().stdout;
    let env: Value = serde_json::from_str(&env).unwrap();
    let url = env["set"]["DATABASE_URL"].as_str().unwrap();
    let mut command = Command::new(format!("{}/psql", common::POSTGRESQL));
    command.args([url, "--no-psqlrc", "--quiet", "--tuples-only"]);
    command.args(["--command=SELECT 'connected'", "--command=SELECT pg_sleep(600)"]);
    let mut client = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    let output = client.stdout.as_mut().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
    assert_eq!(line.trim(), "connected");
    client
}

fn pid(checkout: &Checkout, service: &str) -> i32 {
    i32::try_from(checkout.service("default", service)["pid"].as_i64().unwrap()).unwrap()
}

/// `down`, after which nothing is left, and `up` again.
fn down_and_up(checkout: &Checkout, service: &str) {
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
    checkout.up(&[service]);
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

/// Kills `up` once `service` has more than one process; `down` ends them all.
fn killed_while_it_starts(checkout: &Checkout, service: &str) {
    let mut command = checkout.command(&["services", "up", service]);
    let mut up = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Its helpers work in the checkout or have its path among their arguments, as `up` has not.
    common::wait_for(|| checkout.processes().len() > 1);
    up.kill().unwrap();
    up.wait().unwrap();
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn nginx_goes_down_though_its_master_was_killed() {
    if !common::is_installed("nginx") {
        return;
    }
    let checkout = Checkout::new();
    checkout.configure("nginx: embedded", "nginx: system");
    checkout.up(&[]);
    let nginx = pid(&checkout, "nginx");
    common::kill(nginx);
    assert!(checkout.processes().len() >= 6, "the workers go on");
    down_and_up(&checkout, "nginx");
    killed_while_it_starts(&checkout, "nginx");
}

#[test]
fn passenger_goes_down_with_all_its_helpers() {
    let Some(passenger) = passenger(&json!({})) else { return };
    passenger.up();
    passenger.goes_down();
}

#[test]
fn passenger_goes_down_though_its_core_was_killed() {
    let Some(passenger) = passenger(&json!({})) else { return };
    passenger.up();
    common::kill(pid(&passenger.checkout, "passenger"));
    passenger.goes_down();
}

#[test]
fn passenger_goes_down_by_its_own_command() {
    let stop = json!({"command": ["passenger", "stop", "--pid-file", "{{folder}}/passenger.pid"]});
    let Some(passenger) = passenger(&stop) else { return };
    // The command has half of it.
    passenger.checkout.configure("stop_timeout: 5", "stop_timeout: 60");
    passenger.up();
    let down = passenger.checkout.services(&["down"]).ok();
    assert!(!down.stderr.contains("passenger:"), "neither failed nor killed: {down:?}");
    passenger.goes_down();
}

#[test]
fn passenger_goes_down_though_up_was_killed_while_it_started() {
    let Some(passenger) = passenger(&json!({})) else { return };
    killed_while_it_starts(&passenger.checkout, "passenger");
    passenger.goes_down();
}

#[test]
fn postgresql_goes_down_with_clients_connected() {
    let Some(checkout) = postgresql() else { return };
    checkout.up(&["postgresql"]);
    let mut client = client(&checkout);
    down_and_up(&checkout, "postgresql");
    assert!(!client.wait().unwrap().success(), "its connection was ended");
}

#[test]
fn postgresql_goes_down_though_its_first_process_was_killed() {
    let Some(checkout) = postgresql() else { return };
    checkout.up(&["postgresql"]);
    let mut client = client(&checkout);
    common::kill(pid(&checkout, "postgresql"));
    down_and_up(&checkout, "postgresql");
    assert!(!client.wait().unwrap().success(), "its connection was ended");
}

#[test]
fn postgresql_goes_down_though_up_was_killed_while_it_started() {
    let Some(checkout) = postgresql() else { return };
    killed_while_it_starts(&checkout, "postgresql");
}
