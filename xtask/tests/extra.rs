//! Services that services.yml declares beside the cluster's own: the examples of README.md with
//! the real programs.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::process::Command;

use common::{Checkout, Done, readme};
use serde_json::{Value, json};

/// A checkout with the Redis of README.md; `None` where none is installed.
fn redis() -> Option<Checkout> {
    let is_installed = ["redis-server", "redis-cli"].into_iter().all(common::is_installed);
    is_installed.then(|| Checkout::declaring(&readme::example("Redis")))
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

#[test]
fn redis_is_emptied_by_reset_and_keeps_its_data_and_port_over_a_restart() {
    let Some(checkout) = redis() else { return };
    checkout.up(&["redis"]);
    assert_eq!(checkout.health(), [("redis".to_owned(), true)]);
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
    let names = checkout.health();
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
    let checkout = Checkout::declaring(&readme::front_page());
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
        let checkout = Checkout::declaring(&services);
        checkout.up(&["redis"]);
        assert_eq!(redis_cli(&checkout, &["ping"]), "PONG", "{probe}");
        let info = redis_cli(&checkout, &["info", "server"]);
        let is_redis = |pid: &Value| info.contains(&format!("process_id:{pid}\r\n"));
        let mut pid = checkout.service("default", "redis")["pid"].clone();
        if !is_redis(&pid) {
            // The one in the background may answer before the first has ended.
            common::wait_until_gone(i32::try_from(pid.as_i64().unwrap()).unwrap());
            pid = checkout.service("default", "redis")["pid"].clone();
        }
        assert!(is_redis(&pid), "{pid}: {info}");
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
    let mut checkout = Checkout::declaring(&services);
    if !checkout.avoid_root() {
        return;
    }
    checkout.up(&["application"]);
    let both = ["application", "postgresql"].map(|name| (name.to_owned(), true));
    assert_eq!(checkout.health(), both);
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
    let checkout = Checkout::declaring(&json!({"files": {
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
