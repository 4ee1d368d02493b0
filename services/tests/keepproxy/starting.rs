//! How it is started, and whom it trusts.

use std::process::{Command, Output};

use super::*;

/// Starts it where it is to end at once.
fn started(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_services"))
        .arg("keepproxy")
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn without_a_token_or_an_api_server_it_does_not_start() {
    let (host, token) = (("ARVADOS_API_HOST", "127.0.0.1:9"), ("ARVADOS_API_TOKEN", "any"));
    for (given, missing) in [(host, "ARVADOS_API_TOKEN"), (token, "ARVADOS_API_HOST")] {
        let environment = [given, ("ARVADOS_API_HOST_INSECURE", "true")];
        let output = started(&["-listen=127.0.0.1:0"], &environment);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(said.contains(&format!("{missing} is not set")), "{said}");
    }
}

#[test]
fn the_api_server_is_trusted_with_its_certificate_or_where_nobody_is_to_check_it() {
    let (api, other) = (FakeApi::start(), FakeApi::start());
    // The authorities that vouch for another one.
    let authorities = other.environment().into_iter().find(|(name, _)| *name == "SSL_CERT_FILE");
    for (insecure, status) in [("", 403), ("0", 403), ("1", 404), ("yes", 404), ("true", 404)] {
        let mut environment = api.environment();
        environment.extend(authorities.clone());
        environment.push(("ARVADOS_API_HOST_INSECURE", insecure.to_owned()));
        let proxy = Service::start("keepproxy", &["keepproxy"], &[], &environment);
        let got = http::send(proxy.addresses[0], "GET", &format!("/{FOO}"), &[GOOD], b"");
        assert_eq!(got.status, status, "{insecure:?}");
    }
}

#[test]
fn the_pid_file_is_held_by_one_process_and_removed_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let flag = format!("-pid={}", pid_file.display());
    let mut cluster = Cluster::start("2015", 0, &[&flag]);
    assert_eq!(cluster.send("OPTIONS", "/", &[], b"").status, 200);
    let pid = cluster.proxy.child.id().to_string();
    assert_eq!(std::fs::read_to_string(&pid_file).unwrap(), pid);
    let second = started(&["-listen=127.0.0.1:0", &flag], &[]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("flock pidfile"));
    assert_eq!(std::fs::read_to_string(&pid_file).unwrap(), pid);
    assert_eq!(cluster.proxy.stop(), Some(0));
    assert!(!pid_file.exists());
}
