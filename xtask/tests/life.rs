//! A stack up, used, reset and down, with the real embedded services.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use common::Checkout;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn pid(service: &serde_json::Value) -> i32 {
    i32::try_from(service["pid"].as_i64().unwrap()).unwrap()
}

fn port(service: &serde_json::Value, name: &str) -> u16 {
    u16::try_from(service["ports"][name].as_u64().unwrap()).unwrap()
}

#[test]
fn a_stack_comes_up_whole_and_leaves_only_its_logs() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let status = checkout.status(&[]);
    assert_eq!(status["ready"], true, "{status:#}");
    let names: Vec<&str> = status["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["api", "keep0", "keep1", "keepproxy", "arv-git-httpd", "nginx"]);
    let api = port(&checkout.service("default", "api"), "api");
    let port_file = fs_err::read_to_string(checkout.stack("default", "api.port")).unwrap();
    assert_eq!(port_file, format!("{api}\n"));
    checkout.services(&["down"]).ok();
    let left = fs_err::read_dir(checkout.stack("default", "")).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["log", "stack.lock"]);
    assert!(checkout.stack("default", "log/api.log").exists());
    assert!(TcpStream::connect(("127.0.0.1", api)).is_err(), "the port is free again");
    assert_eq!(checkout.services(&["down"]).ok().stderr, "stack default is not up\n");
}

#[test]
fn only_we_can_read_what_is_secret() {
    let checkout = Checkout::new();
    checkout.up(&["api"]);
    let mode = |file| {
        fs_err::metadata(checkout.stack("default", file)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("stack.json"), 0o600);
    assert_eq!(mode("tls/server.key"), 0o600);
}

#[test]
fn up_on_a_running_stack_keeps_its_processes() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let before = checkout.status(&[]);
    let again = checkout.up(&[]);
    assert!(again.stderr.contains("ran already and was reset"), "{again:?}");
    assert_eq!(checkout.status(&[]), before);
}

#[test]
fn a_killed_keepstore_is_reported_and_started_again_on_its_port() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let keep0 = checkout.service("default", "keep0");
    let api = checkout.service("default", "api");
    kill(Pid::from_raw(pid(&keep0)), Signal::SIGKILL).unwrap();
    common::wait_until_gone(pid(&keep0));
    let status = checkout.services(&["status"]);
    assert_eq!(status.code, Some(1));
    assert!(status.stderr.contains("not ready: keep0"), "{status:?}");
    assert!(status.stdout.contains("keep0: the end of its log, "), "{status:?}");
    assert!(status.stdout.contains("\"GET /\""), "the log's last lines: {status:?}");
    let up = checkout.up(&[]);
    assert!(up.stderr.contains("(1 service started)"), "{up:?}");
    let restarted = checkout.service("default", "keep0");
    assert_eq!(restarted["ports"], keep0["ports"]);
    assert_ne!(restarted["pid"], keep0["pid"]);
    assert_eq!(checkout.service("default", "api"), api);
}

#[test]
fn stacks_and_checkouts_do_not_disturb_each_other() {
    let (one, other) = (Checkout::new(), Checkout::new());
    for stack in ["a", "b", "c"] {
        one.up(&["--stack", stack]);
    }
    other.up(&["--stack", "a"]);
    one.services(&["down", "--stack", "b"]).ok();
    for (checkout, stack) in [(&one, "a"), (&one, "c"), (&other, "a")] {
        assert_eq!(checkout.status(&["--stack", stack])["ready"], true);
    }
    let list = one.services(&["list"]).ok().stdout;
    let stacks: Vec<&str> =
        list.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().next()).collect();
    assert_eq!(stacks, ["a", "c"]);
}

#[test]
fn ten_ups_at_once_end_with_one_healthy_stack() {
    let checkout = Checkout::new();
    let ups: Vec<_> = (0..10)
        .map(|_| {
            let mut command = checkout.command(&["services", "up"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut waited = 0;
    for up in ups {
        let done = common::Done::from(up.wait_with_output().unwrap()).ok();
        waited += usize::from(done.stderr.contains("waiting for `cargo xtask services up` (pid "));
    }
    assert!(waited > 0, "somebody had to wait, and was told for whom");
    assert_eq!(checkout.status(&[])["ready"], true);
    assert_eq!(checkout.processes().len(), 6);
}

#[test]
fn some_services_can_be_brought_up_and_down_alone() {
    let checkout = Checkout::new();
    checkout.up(&["keep1"]);
    let names = |status: serde_json::Value| -> Vec<String> {
        let services = status["services"].as_array().unwrap().clone();
        services.iter().map(|service| service["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(checkout.status(&[])), ["api", "keep1"]);
    checkout.up(&["keepstore"]);
    assert_eq!(names(checkout.status(&[])), ["api", "keep0", "keep1"]);
    checkout.services(&["down", "keep0"]).ok();
    assert_eq!(names(checkout.status(&[])), ["api", "keep1"]);
    let again = checkout.services(&["down", "keep0"]).ok();
    assert_eq!(again.stderr, "stack default runs without keep0\n");
    assert_eq!(names(checkout.status(&[])), ["api", "keep1"]);
    let restart = checkout.services(&["restart", "keep0"]);
    let wanted = "error: keep0 of stack default is not up: `cargo xtask services up keep0 --stack \
                  default` starts it\n";
    assert_eq!((restart.code, restart.stderr.as_str()), (Some(3), wanted));
    checkout.services(&["restart", "keepstore"]).ok();
    assert_eq!(names(checkout.status(&[])), ["api", "keep1"]);
    for action in ["down", "restart"] {
        let unknown = checkout.services(&[action, "keep7"]);
        assert_eq!(unknown.code, Some(2), "{unknown:?}");
    }
}

#[test]
fn profiles_change_the_cluster_and_a_running_one_is_not_changed_behind_its_back() {
    let checkout = Checkout::new();
    checkout.up(&["--profile", "many"]);
    assert_eq!(checkout.status(&[])["services"].as_array().unwrap().len(), 9);
    checkout.up(&[]);
    assert_eq!(checkout.status(&[])["services"].as_array().unwrap().len(), 9);
    let other = checkout.services(&["up", "--profile", "single"]);
    assert_eq!(other.code, Some(2));
    assert!(other.stderr.contains("keepstores is 5, not 1"), "{other:?}");
}

#[test]
fn a_second_up_does_not_call_cargo() {
    let checkout = Checkout::new();
    checkout.up(&["keepproxy"]);
    let mut command = checkout.command(&["services", "up", "keepproxy"]);
    command.env("PATH", "/nowhere").env_remove("CARGO");
    common::Done::from(command.output().unwrap()).ok();
}

#[test]
fn without_git_only_the_git_service_is_missing() {
    let checkout = Checkout::new();
    let up = checkout.command(&["services", "up"]).env("PATH", "/nowhere").output().unwrap();
    let up = common::Done::from(up).ok();
    assert!(up.stderr.contains("arv-git-httpd is not available: git is not installed"), "{up:?}");
    assert_eq!(checkout.status(&[])["ready"], true);
    assert_eq!(checkout.status(&[])["services"].as_array().unwrap().len(), 5);
    let env = checkout.services(&["env"]).ok().stdout;
    assert!(!env.contains("ARVADOS_TEST_GIT_URL"), "{env}");
    let asked =
        checkout.command(&["services", "up", "arv-git-httpd"]).env("PATH", "/nowhere").output();
    let asked = common::Done::from(asked.unwrap());
    assert_eq!(asked.code, Some(3));
    assert!(
        asked.stderr.contains("arv-git-httpd cannot run here: git is not installed"),
        "{asked:?}"
    );
}

#[test]
fn another_cluster_in_the_environment_is_never_contacted() {
    let production = TcpListener::bind("127.0.0.1:0").unwrap();
    production.set_nonblocking(true).unwrap();
    let address = production.local_addr().unwrap().to_string();
    let checkout = Checkout::new();
    for action in ["up", "reset", "status", "up", "down"] {
        let mut command = checkout.command(&["services", action]);
        command.env("ARVADOS_API_HOST", &address).env("ARVADOS_API_TOKEN", "production");
        command.env("ARVADOS_KEEP_SERVICES", format!("http://{address}"));
        command.env("ARVADOS_TEST_CA_CERT", "/nowhere");
        command.env("https_proxy", format!("http://{address}"));
        command.env("http_proxy", format!("http://{address}"));
        common::Done::from(command.output().unwrap()).ok();
    }
    let contact = production.accept().map(|_| ()).unwrap_err();
    assert_eq!(contact.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn another_loopback_address_is_the_one_that_clients_are_told() {
    let checkout = Checkout::new();
    checkout.up(&["--host", "127.0.0.2"]);
    assert_eq!(checkout.status(&[])["ready"], true);
    let env = checkout.services(&["env", "--format", "json"]).ok().stdout;
    let env: serde_json::Value = serde_json::from_str(&env).unwrap();
    let text = |name: &str| env["set"][name].as_str().unwrap().to_owned();
    let listed = std::process::Command::new("curl")
        .args(["--silent", "--fail", "--cacert", &text("ARVADOS_TEST_CA_CERT")])
        .args(["--header", &format!("Authorization: Bearer {}", text("ARVADOS_API_TOKEN"))])
        .arg(format!("https://{}/arvados/v1/keep_services", text("ARVADOS_API_HOST")))
        .args(["--noproxy", "*"])
        .output();
    let listed = common::Done::from(listed.unwrap()).ok().stdout;
    assert_eq!(listed.matches("\"service_host\":\"127.0.0.2\"").count(), 3, "{listed}");
}

#[test]
fn a_provider_that_was_chosen_and_is_not_installed_is_an_error() {
    let checkout = Checkout::new();
    let mut command = checkout.command(&["services", "up", "--provider", "keepstore=system"]);
    let done = common::Done::from(command.env("PATH", "/nowhere").output().unwrap());
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.stderr.contains("keep0 cannot run here: keepstore is not installed"), "{done:?}");
}

#[test]
fn a_deleted_volume_is_made_again() {
    let checkout = Checkout::new();
    checkout.up(&["keep0"]);
    fs_err::remove_dir_all(checkout.stack("default", "keep0")).unwrap();
    checkout.services(&["reset"]).ok();
    assert!(checkout.stack("default", "keep0").is_dir());
}

#[test]
fn the_exported_shell_lines_are_what_a_shell_evaluates() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    let script = "eval \"$lines\"; echo \"$ARVADOS_API_HOST $ARVADOS_API_TOKEN ${KEEP_LOCAL_STORE-unset}\"; \
                  test -f \"$ARVADOS_TEST_CA_CERT\"";
    let lines = checkout.services(&["env", "--auth", "active", "--format", "sh"]).ok().stdout;
    let shell = std::process::Command::new("sh")
        .args(["-c", script])
        .env("lines", lines)
        .env("KEEP_LOCAL_STORE", "/tmp")
        .output();
    let shell = common::Done::from(shell.unwrap()).ok();
    let api = port(&checkout.service("default", "api"), "api");
    let token = checkout.services(&["token", "active"]).ok().stdout;
    assert_eq!(shell.stdout, format!("127.0.0.1:{api} {} unset\n", token.trim()));
}

/// A request to the API server as admin, with `curl`.
fn api(checkout: &Checkout, method: &str, path: &str, form: &str) -> String {
    let script = "curl --silent --fail --noproxy '*' --cacert \"$ARVADOS_TEST_CA_CERT\" \
                  --header \"Authorization: Bearer $ARVADOS_API_TOKEN\" --request \"$1\" \
                  --data \"$3\" \"https://$ARVADOS_API_HOST/arvados/v1/$2\"";
    let arguments = ["services", "exec", "--stack", "default", "--", "sh", "-c", script, "sh"];
    let mut command = checkout.command(&arguments);
    command.args([method, path, form]);
    common::Done::from(command.output().unwrap()).ok().stdout
}

#[test]
fn restarted_services_have_their_ports_and_their_data_again() {
    let checkout = Checkout::new();
    checkout.up(&[]);
    api(&checkout, "POST", "collections", "collection={\"name\": \"kept\"}");
    let block = checkout.stack("default", "keep0/acb/acbd18db4cc2f85cedef654fccc4a4d8");
    fs_err::create_dir(block.parent().unwrap()).unwrap();
    fs_err::write(&block, "foo").unwrap();
    let before = checkout.status(&[]);
    let some = checkout.services(&["restart", "keepstore", "api"]).ok();
    assert!(some.stderr.starts_with("stack default: api, keep0, keep1 restarted in "), "{some:?}");
    let after = checkout.status(&[]);
    let services = |status: &serde_json::Value| status["services"].as_array().unwrap().clone();
    for (before, after) in services(&before).iter().zip(services(&after)) {
        let restarted = ["api", "keepstore"].contains(&before["kind"].as_str().unwrap());
        assert_eq!(before["ports"], after["ports"]);
        assert_eq!(before["pid"] != after["pid"], restarted, "{after}");
        assert_eq!(after["health"], "ready");
    }
    let found = api(&checkout, "GET", "collections", "filters=[[\"name\", \"=\", \"kept\"]]");
    assert!(found.contains("\"items_available\":1"), "{found}");
    assert_eq!(fs_err::read_to_string(&block).unwrap(), "foo");
    let registered = api(&checkout, "GET", "keep_services/accessible", "");
    assert_eq!(registered.matches("keepdisk000000").count(), 2, "{registered}");
    checkout.services(&["restart"]).ok();
    assert_eq!(checkout.status(&[])["ready"], true);
    checkout.services(&["reset"]).ok();
    assert!(!block.exists());
    let unknown = checkout.services(&["restart", "kep0"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("did you mean keep0?"), "{unknown:?}");
}

#[test]
fn a_service_that_does_not_come_up_again_leaves_the_others_running() {
    let checkout = Checkout::new();
    checkout.fake_keepstores("serve");
    checkout.up(&["keep0"]);
    // The program is replaced by one that ends at once.
    let script = checkout.root().join("fake serve");
    fs_err::write(&script, "#!/bin/sh\nexit 7\n").unwrap();
    let done = checkout.services(&["restart", "keep0"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.stderr.contains("keep0 has ended (exit status: 7) before it was ready"));
    assert_eq!(checkout.status(&[])["services"][0]["health"], "ready", "the API server");
    assert_eq!(checkout.service("default", "keep0")["health"], "ended");
}
