//! `doctor`: what is found, what is missing, and for what.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::path::PathBuf;

use common::{Checkout, Done};

const SUITES: &str =
    "suites:\n  python: {needs: {programs: [python3 >= 3.8]}, command: [python3]}\n";

/// A machine on which exactly these programs are found, save those in the folders of daemons.
struct Machine {
    checkout: Checkout,
    programs: PathBuf,
}

impl Machine {
    fn new(programs: &[(&str, &str)]) -> Self {
        let checkout = Checkout::new();
        fs_err::write(checkout.root().join("xtask/suites.yml"), SUITES).unwrap();
        let folder = checkout.root().join("bin");
        fs_err::create_dir(&folder).unwrap();
        for (name, version) in programs {
            common::executable(&folder.join(name), &format!("#!/bin/sh\necho {version}\n"));
        }
        Self { checkout, programs: folder }
    }

    fn doctor(&self, arguments: &[&str]) -> Done {
        let mut command = self.checkout.command(&[&["doctor"], arguments].concat());
        command.env("PATH", &self.programs).env_remove("GOPATH").output().unwrap().into()
    }

    fn shown(&self, done: &Done) -> String {
        format!("{}{}", done.stdout, done.stderr)
            .replace(&self.checkout.root().display().to_string(), "ROOT")
    }
}

const ENOUGH: [(&str, &str); 5] = [
    ("cargo", "cargo 1.91.0"),
    ("cc", "cc 12.2.0"),
    ("git", "git version 2.47.3"),
    ("nginx", "nginx version: nginx/1.22.1"),
    ("python3", "Python 3.7.2"),
];

#[test]
fn a_machine_with_what_the_cluster_takes_is_fine() {
    let machine = Machine::new(&ENOUGH);
    let done = machine.doctor(&[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    insta::assert_snapshot!(machine.shown(&done));
}

#[test]
fn what_the_cluster_that_is_asked_for_lacks_is_a_failure() {
    let machine = Machine::new(&ENOUGH[..2]);
    let done = machine.doctor(&["--provider", "keepproxy=system"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let last = done.stderr.lines().last().unwrap();
    assert_eq!(
        last,
        "error: keepproxy cannot run here: keepproxy is not installed; arv-git-httpd cannot run \
         here: git is not installed"
    );
}

#[test]
fn without_a_linker_nothing_runs() {
    let machine = Machine::new(&[("cargo", "cargo 1.91.0"), ("git", "git version 2.47.3")]);
    let done = machine.doctor(&[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.ends_with("error: cc is not installed\n"), "{done:?}");
}

#[test]
fn a_program_gets_json_of_the_documented_shape() {
    let machine = Machine::new(&ENOUGH);
    let done = machine.doctor(&["--format", "json", "--provider", "keepstore=system"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    insta::assert_snapshot!(machine.shown(&Done { stderr: String::new(), ..done }));
}

#[test]
fn wrong_usage_is_told_as_by_up() {
    let machine = Machine::new(&ENOUGH);
    let done = machine.doctor(&["--provider", "keepprox=system"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("did you mean keepproxy?"), "{done:?}");
}
