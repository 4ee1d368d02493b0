//! Services that services.yml declares beside the cluster's own: the examples of README.md with
//! the real programs, and what can be wrong with one.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::Command;

use common::{Checkout, Done, readme};
use serde_json::{Value, json};

/// A checkout with the Redis of README.md; `None` where none is installed.
fn redis() -> Option<Checkout> {
    let is_installed = ["redis-server", "redis-cli"].into_iter().all(common::is_installed);
    is_installed.then(|| declaring(&readme::example("Redis")))
}

fn declaring(services: &Value) -> Checkout {
    let checkout = Checkout::new();
    checkout.declare(services);
    checkout
}

/// A variable that `env` exports.
fn variable(checkout: &Checkout, name: &str) -> String {
    let env = checkout.services(&["env", "--format", "json"]).ok().stdout;
    let env: Value = serde_json::from_str(&env).unwrap();
    env["set"][name].as_str().unwrap().to_owned()
}

fn redis_cli(checkout: &Checkout, arguments: &[&str]) -> String {
    let mut command = Command::new("redis-cli");
    command.args(["-u", &variable(checkout, "REDIS_URL")]).args(arguments);
    Done::from(command.output().unwrap()).ok().stdout.trim().to_owned()
}

fn psql(checkout: &Checkout, statement: &str) -> String {
    let mut command = Command::new(format!("{}/psql", common::POSTGRESQL));
    command.args([&variable(checkout, "DATABASE_URL"), "--no-psqlrc", "--quiet", "--tuples-only"]);
    command.args(["--no-align", "--command", statement]);
    Done::from(command.output().unwrap()).ok().stdout.trim().to_owned()
}

/// Services by name, and whether each is ready.
fn names(checkout: &Checkout) -> Vec<(String, bool)> {
    let status = checkout.status(&[]);
    let services = status["services"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    services.map(|it| (text(&it["name"]), it["health"] == "ready")).collect()
}

/// `up` of that service, which must fail; its message without the checkout's path.
fn failed_up(checkout: &Checkout, service: &str) -> String {
    let done = checkout.services(&["up", service]);
    assert_eq!(done.code, Some(3), "{done:?}");
    assert_eq!(checkout.processes(), [0; 0], "rolled back");
    done.stderr.replace(checkout.root().to_str().unwrap(), "ROOT")
}

#[test]
fn redis_is_emptied_by_reset_and_keeps_its_data_and_port_over_a_restart() {
    let Some(checkout) = redis() else { return };
    checkout.up(&["redis"]);
    assert_eq!(names(&checkout), [("redis".to_owned(), true)]);
    redis_cli(&checkout, &["set", "key", "value"]);
    checkout.services(&["reset"]).ok();
    assert_eq!(redis_cli(&checkout, &["dbsize"]), "0");
    redis_cli(&checkout, &["set", "key", "other"]);
    let before = checkout.service("default", "redis");
    checkout.services(&["restart", "redis"]).ok();
    let after = checkout.service("default", "redis");
    assert_eq!(after["ports"], before["ports"]);
    assert_ne!(after["pid"], before["pid"]);
    assert_eq!(redis_cli(&checkout, &["get", "key"]), "other");
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
    checkout.up(&["redis"]);
    assert_eq!(redis_cli(&checkout, &["dbsize"]), "0", "a new one is empty");
}

#[test]
fn redis_is_part_of_the_whole_cluster() {
    let Some(checkout) = redis() else { return };
    checkout.up(&[]);
    let names = names(&checkout);
    assert_eq!(names.last(), Some(&("redis".to_owned(), true)));
    assert_eq!(names.len(), 7);
    checkout.services(&["down", "redis"]).ok();
    assert_eq!(checkout.status(&[])["services"].as_array().unwrap().len(), 6);
    checkout.up(&[]);
    assert_eq!(redis_cli(&checkout, &["ping"]), "PONG");
}

#[test]
fn the_redis_of_the_front_page_comes_up_and_is_emptied() {
    if redis().is_none() {
        return;
    }
    let checkout = declaring(&readme::front_page());
    checkout.up(&["redis"]);
    redis_cli(&checkout, &["set", "key", "value"]);
    checkout.services(&["reset"]).ok();
    assert_eq!(redis_cli(&checkout, &["dbsize"]), "0");
}

#[test]
fn every_probe_notices_redis_in_the_foreground_and_in_the_background() {
    if redis().is_none() {
        return;
    }
    let ask = json!({"exec": ["redis-cli", "-p", "{{port}}", "ping"]});
    for (probe, daemonize) in [
        (json!("tcp"), "no"),
        (json!({"log": "Ready to accept connections"}), "no"),
        (ask.clone(), "no"),
        (json!("tcp"), "yes"),
        (ask, "yes"),
    ] {
        let mut services = readme::example("Redis");
        services["redis"]["probe"] = probe.clone();
        let command = services["redis"]["command"].as_array_mut().unwrap();
        command.extend([json!("--daemonize"), json!(daemonize)]);
        let checkout = declaring(&services);
        checkout.up(&["redis"]);
        assert_eq!(redis_cli(&checkout, &["ping"]), "PONG", "{probe}");
        let pid = checkout.service("default", "redis")["pid"].clone();
        let info = redis_cli(&checkout, &["info", "server"]);
        assert!(info.contains(&format!("process_id:{pid}\r\n")), "{pid}: {info}");
        checkout.services(&["down"]).ok();
        assert_eq!(checkout.processes(), [0; 0], "{probe}, daemonize {daemonize}");
    }
}

#[test]
fn postgresql_is_emptied_by_reset_and_keeps_its_data_and_port_over_a_restart() {
    if !common::is_installed(&format!("{}/postgres", common::POSTGRESQL)) {
        return;
    }
    let mut services = readme::example("PostgreSQL");
    services["application"] = Checkout::fake("application", "serve");
    services["application"]["needs"] = json!(["postgresql"]);
    let mut checkout = declaring(&services);
    if !checkout.avoid_root() {
        return;
    }
    checkout.up(&["application"]);
    let both = ["application", "postgresql"].map(|name| (name.to_owned(), true));
    assert_eq!(names(&checkout), both);
    psql(&checkout, "CREATE TABLE shelf (book text)");
    checkout.services(&["reset"]).ok();
    assert_eq!(psql(&checkout, "SELECT to_regclass('shelf') IS NULL"), "t");
    psql(&checkout, "CREATE TABLE shelf AS SELECT 'Dune' AS book");
    let before = checkout.service("default", "postgresql");
    checkout.services(&["restart", "postgresql"]).ok();
    assert_eq!(checkout.service("default", "postgresql")["ports"], before["ports"]);
    assert_eq!(psql(&checkout, "SELECT book FROM shelf"), "Dune");
    let down = checkout.services(&["down"]).ok();
    assert!(!down.stderr.contains("was killed"), "{down:?}");
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn an_http_server_is_ready_when_it_answers() {
    if !common::is_installed("python3") {
        return;
    }
    let checkout = declaring(&json!({"files": {
        "command": ["python3", "-m", "http.server", "--bind", "{{host}}", "{{port}}"],
        "ports": ["files"],
        "probe": {"http": "/"},
        "export": {"FILES_URL": "http://{{address}}/"},
    }}));
    checkout.up(&["files"]);
    let port = checkout.service("default", "files")["ports"]["files"].clone();
    assert_eq!(variable(&checkout, "FILES_URL"), format!("http://127.0.0.1:{port}/"));
    let log = fs_err::read_to_string(checkout.stack("default", "log/files.log")).unwrap();
    assert!(log.contains("\"GET / HTTP/1.1\" 200"), "{log}");
}

/// The first is ready only when it has been asked five times.
#[test]
fn services_start_when_what_they_need_is_ready() {
    let after = |other: &str| {
        let script = format!("test -e ../{other}/ready || exit 9; touch ready; exec sleep 600");
        json!({"command": ["sh", "-c", script], "needs": [other]})
    };
    let asked = "echo asked >> asked; test $(wc -l < asked) -ge 5 && touch ready";
    let checkout = declaring(&json!({
        "a": after("b"),
        "b": after("c"),
        "c": {"command": ["sleep", "600"], "probe": {"exec": ["sh", "-c", asked]}},
        "d": {"command": ["sleep", "600"]},
    }));
    checkout.up(&["a"]);
    assert_eq!(names(&checkout), ["a", "b", "c"].map(|name| (name.to_owned(), true)));
}

#[test]
fn a_probe_that_fails_is_reported_with_what_it_printed() {
    let checkout = declaring(&json!({"x": {
        "command": ["sh", "-c", "echo starting; exec sleep 600"],
        "probe": {"exec": ["sh", "-c", "echo not yet, $WHO; exit 4"]},
        "env": {"WHO": "friend"},
    }}));
    checkout.configure("start_timeout: 30", "start_timeout: 1");
    let message = failed_up(&checkout, "x");
    let wanted = "echo not yet, $WHO; exit 4 ended with \
                  exit status: 4: not yet, friend); the end of its log, \
                  ROOT/.services/default/log/x.log:\n  starting\n";
    assert!(message.contains(wanted), "{message}");
}

#[test]
fn a_service_that_ends_while_its_probe_hangs_is_reported_at_once() {
    let checkout = declaring(&json!({"x": {
        "command": ["sh", "-c", "until test -e asked; do :; done; echo gone; exit 5"],
        "probe": {"exec": ["sh", "-c", "touch asked; exec sleep 600"]},
    }}));
    let message = failed_up(&checkout, "x");
    let wanted = "x has ended (exit status: 5) before it was ready; the end of its log, ";
    assert!(message.contains(wanted), "{message}");
}

#[test]
fn a_reset_that_fails_is_reported_with_what_it_printed() {
    let checkout = declaring(&json!({"x": {
        "command": ["sleep", "600"],
        "reset": ["sh", "-c", "echo I cannot; exit 3"],
    }}));
    checkout.up(&["x"]);
    let reset = checkout.services(&["reset"]);
    assert_eq!(reset.code, Some(3), "{reset:?}");
    let wanted = "x could not be reset: ";
    assert!(reset.stderr.contains(wanted), "{reset:?}");
    assert!(reset.stderr.contains(" ended with exit status: 3: I cannot\n"), "{reset:?}");
}

#[test]
fn a_stop_command_that_fails_is_reported_and_the_service_ended_all_the_same() {
    let checkout = declaring(&json!({"x": {
        "command": ["sleep", "600"],
        "stop": {"command": ["sh", "-c", "echo I cannot; exit 3"]},
    }}));
    checkout.up(&["x"]);
    let down = checkout.services(&["down"]).ok();
    assert!(down.stderr.contains(" ended with exit status: 3: I cannot\n"), "{down:?}");
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn what_is_not_installed_is_left_out_unless_it_is_asked_for() {
    for (service, program) in [
        (json!({"command": ["no-such-server"]}), "no-such-server"),
        (json!({"command": ["sleep", "600"], "requires": ["no-such-tool"]}), "no-such-tool"),
        (json!({"command": ["sleep", "600"], "reset": ["no-such-client"]}), "no-such-client"),
    ] {
        let checkout = declaring(&json!({"x": service}));
        let up = checkout.up(&[]);
        let wanted = format!("x is not available: {program} is not installed\n");
        assert!(up.stderr.contains(&wanted), "{up:?}");
        assert_eq!(checkout.status(&[])["ready"], true);
        checkout.services(&["down"]).ok();
        let message = failed_up(&checkout, "x");
        let wanted = format!("x cannot run here: {program} is not installed");
        assert!(message.contains(&wanted), "{message}");
    }
}

#[test]
fn a_program_of_the_workspace_is_found_by_its_path_and_on_the_path_that_the_service_sets() {
    let checkout = declaring(&json!({
        "x": {"command": ["tools/server"], "probe": {"exec": ["tools/is-ready"]}},
        "y": {"command": ["server"], "probe": {"exec": ["is-ready"]}, "env": {"PATH": "PLACE"}},
    }));
    let tools = checkout.root().join("tools");
    checkout.configure("PLACE", &format!("{}:/usr/bin:/bin", tools.display()));
    fs_err::create_dir(&tools).unwrap();
    for (name, text) in [("server", "exec sleep 600"), ("is-ready", "exit 0")] {
        let path = tools.join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&path, executable).unwrap();
    }
    checkout.up(&["x", "y"]);
    assert_eq!(names(&checkout), ["x", "y"].map(|name| (name.to_owned(), true)));
}

#[test]
fn a_wrong_declaration_is_refused_with_its_place_and_what_was_probably_meant() {
    // The declaration is that of a service x, whose name is in line 1.
    for (lines, wanted) in [
        ("comand: [x]", "2:7: defaults.services.x: unknown key `comand`; did you mean command?"),
        ("command: x", "2:16: defaults.services.x.command: invalid type: string \"x\""),
        ("ports: [x]", "2:7: defaults.services.x: missing field `command`"),
        ("command: [x, '{{folde}}']", "1: service x: unknown {{folde}}; did you mean folder?"),
        ("command: [x]\nneeds: [apii]", "1: service x: unknown need apii; did you mean api?"),
        ("command: [x]\nprobe: tcp", "1: service x: its probe asks a port, and it has none"),
        ("command: [x]\nprobe: {htp: /}", "unknown variant `htp`; did you mean http?"),
        ("command: [x]\nstop: {signal: TREM}", "unknown signal TREM; did you mean SIGTERM?"),
    ] {
        let checkout = Checkout::new();
        let indented = format!("services:\n    x:\n      {}", lines.replace('\n', "\n      "));
        checkout.configure("services: {}", &indented);
        let done = checkout.services(&["up"]);
        assert_eq!(done.code, Some(2), "{done:?}");
        let file = checkout.services_yml();
        let text = fs_err::read_to_string(&file).unwrap();
        let before = text.lines().position(|line| line == "    x:").unwrap();
        let place = format!("error: {}:", file.display());
        let (line, message) = done.stderr.strip_prefix(&place).unwrap().split_once(':').unwrap();
        let line = line.parse::<usize>().unwrap() - before;
        assert!(format!("{line}:{message}").contains(wanted), "{wanted}: {done:?}");
    }
}

#[test]
fn a_profile_adds_a_service() {
    let checkout = Checkout::new();
    let services = json!({"x": {"command": ["sleep", "600"]}});
    checkout.configure("profiles:\n", &format!("profiles:\n  more: {{services: {services}}}\n"));
    let unknown = checkout.services(&["up", "x"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    checkout.up(&["x", "--profile", "more"]);
    assert_eq!(names(&checkout), [("x".to_owned(), true)]);
}
