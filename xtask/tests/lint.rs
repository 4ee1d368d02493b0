//! `lint` on the work tree of a real repository: what it finds, mends and tells.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use common::repository::{Repository, SOURCE};

#[test]
fn what_a_person_sees_of_a_tree_in_order_and_of_one_that_is_not() {
    let repository = Repository::new();
    let done = repository.plainly(&[]).ok();
    let mut seen = repository.seen(&done);
    repository.edit("src/lib.rs", "    2", "  return 2;");
    repository.edit("src/lib.rs", "/// Two.", "/// Two, as [`three`].");
    repository.write("tests/snapshots/old.snap", "text\n");
    repository.write("tests/snapshots/old.snap.new", "text\n");
    let done = repository.plainly(&[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    seen.push_str(&repository.seen(&done));
    insta::assert_snapshot!(seen);
}

#[test]
fn what_could_not_be_checked_is_a_failure_if_that_is_asked_for() {
    let repository = Repository::new();
    repository.edit("run.sh", "set -e", "set -eu");
    repository.git(&["add", "."]);
    let done = repository.plainly(&["--staged"]).ok();
    assert_eq!(done.stdout, "1 check passed, 0 failed, 2 skipped\n");
    let done = repository.plainly(&["--staged", "--strict"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(done.stdout, "1 check passed, 2 failed, 0 skipped\n");
    assert!(done.stderr.contains("FAILED   typos is not installed\n"), "{done:?}");
}

#[test]
fn what_can_be_mended_is_and_is_told() {
    let repository = Repository::new();
    repository.edit("src/lib.rs", "    2", "  return 2;");
    repository.edit("Cargo.toml", "0.1.0", "0.2.0");
    let done = repository.plainly(&["--fix"]).ok();
    for line in ["lock file: changed Cargo.lock", "format: changed src/lib.rs"] {
        assert!(done.stderr.lines().any(|it| it == line), "{done:?}");
    }
    let mended = fs_err::read_to_string(repository.checkout.root().join("src/lib.rs")).unwrap();
    assert_eq!(mended, SOURCE);
    let again = repository.plainly(&["--fix"]).ok();
    assert!(!again.stderr.contains("changed"), "{again:?}");
}

#[test]
fn a_word_or_a_script_that_only_a_program_of_its_own_finds_wrong_is_refused() {
    let repository = Repository::new();
    // Put together here, so that this file passes.
    let word = ["rec", "ieve"].concat();
    for (program, text, line) in [
        ("typos", format!("# {word}\n"), "new.sh:1:3: `"),
        ("shellcheck", "#!/bin/sh\nrm -rf $1\n".to_owned(), "new.sh:2:8: "),
    ] {
        if common::is_installed(program) {
            repository.write("new.sh", &text);
            repository.git(&["add", "new.sh"]);
            repository.refused(line);
        }
    }
}

#[test]
fn a_template_that_nginx_does_not_take_is_refused() {
    if !common::is_installed("nginx") {
        return;
    }
    let repository = Repository::new();
    repository.edit("nginx/nginx.conf", "daemon off;", "demon off;");
    repository.git(&["add", "."]);
    repository.refused("nginx/nginx.conf:7: unknown directive \"demon\"");
}

#[test]
fn a_gap_that_nothing_fills_is_refused() {
    let repository = Repository::new();
    repository.edit("nginx/nginx.conf", "{{keepproxy}}", "{{kepproxy}}");
    repository.git(&["add", "."]);
    repository.refused("nginx/nginx.conf:48: unknown {{kepproxy}}; did you mean keepproxy?");
}

#[test]
fn without_a_repository_the_staged_content_is_wrong_usage_and_the_rest_is_checked() {
    let repository = Repository::new();
    fs_err::remove_dir_all(repository.checkout.root().join(".git")).unwrap();
    let done = repository.lint(&["--staged"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.starts_with("error: --staged: "), "{done:?}");
    let done = repository.plainly(&[]).ok();
    assert!(done.stderr.contains("shell         skipped  git does not know the files"), "{done:?}");
}

#[test]
fn mending_what_is_staged_is_wrong_usage() {
    let done = Repository::new().lint(&["--staged", "--fix"]);
    assert_eq!(done.code, Some(2), "{done:?}");
}
