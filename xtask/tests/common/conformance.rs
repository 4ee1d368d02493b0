//! The table of HTTP requests, on a stack that is up.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::{Checkout, Done};

/// Every case of these files passes on the stack `default`; all of them if none is named.
#[track_caller]
pub(crate) fn passes(checkout: &Checkout, files: &[&str]) {
    let env = checkout.services(&["env", "--format", "json"]).ok().stdout;
    let env: Value = serde_json::from_str(&env).unwrap();
    let mut command = Command::new(program());
    for (name, value) in env["set"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    let cases = sdk_fixtures::checkout::root().join("sdk-fixtures/suites/http");
    command.args(files.iter().map(|file| cases.join(file)));
    let done = Done::from(command.output().unwrap());
    let failed: Vec<&str> = done.stdout.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(done.code, Some(0), "{failed:#?}\n{}", done.stderr);
    assert!(!done.stdout.contains("\n0 passed"), "{}", done.stdout);
}

/// The program that runs the table, built once, as it is an example of another package.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "sdk-fixtures", "--example", "http"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.current_dir(sdk_fixtures::checkout::root()).status().unwrap().success());
        Path::new(env!("CARGO_BIN_EXE_xtask")).parent().unwrap().join("examples/http")
    })
}
