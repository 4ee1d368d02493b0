//! The page about the resources says what the server has.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_services")).args(arguments).output().unwrap()
}

#[test]
fn the_page_is_up_to_date() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let printed = String::from_utf8(run(&["api-reference"]).stdout).unwrap();
    let current = fs_err::read_to_string(page).unwrap() == printed;
    assert!(current, "run `cargo run -q -p services -- api-reference > docs/api.md`");
}

#[test]
fn the_page_takes_no_arguments() {
    let output = run(&["api-reference", "x"]);
    assert!(!output.status.success() && output.stdout.is_empty());
}
