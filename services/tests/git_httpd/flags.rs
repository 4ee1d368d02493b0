//! The command line.

use std::process::{Command, Output};

fn started_with(arguments: &[&str]) -> (Option<i32>, String) {
    let command = Command::new(env!("CARGO_BIN_EXE_services"))
        .arg("arv-git-httpd")
        .args(arguments)
        .env_remove("ARVADOS_API_HOST")
        .output();
    let Output { status, stderr, .. } = command.unwrap();
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn without_git_it_does_not_start() {
    let (code, told) = started_with(&["-address=127.0.0.1:0", "-git-command=/no/git"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("git is needed and \"/no/git\" is not there"), "{told}");
}

#[test]
fn without_an_api_server_it_does_not_start() {
    // With one dash or two, and the value behind or beside the flag.
    let (code, told) =
        started_with(&["--address", "127.0.0.1:0", "-repo-root", "/", "--git-command=/bin/sh"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("ARVADOS_API_HOST is not set"), "{told}");
}

#[test]
fn help_and_wrong_flags_show_what_there_is() {
    for (arguments, code, message) in [
        (&["-h"][..], 0, ""),
        (&["--help"], 0, ""),
        (&["-no-such-flag"], 2, "flag provided but not defined: -no-such-flag\n"),
        (&["-repo-root"], 2, "flag needs an argument: -repo-root\n"),
    ] {
        let (ended, told) = started_with(arguments);
        assert_eq!(ended, Some(code), "{told}");
        let usage = told.strip_prefix(message).unwrap();
        assert!(usage.starts_with("Usage of arv-git-httpd:\n"), "{told}");
        for flag in ["-address", "-repo-root", "-git-command"] {
            assert!(usage.contains(flag), "{told}");
        }
    }
}
