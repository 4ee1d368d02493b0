//! `test-all --upstream`: the suites of an Arvados checkout, on a small stand-in for one.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{Checkout, is_installed};

/// The folders of the stand-in, and what is in them.
const FILES: [(&str, &str); 5] = [
    ("sdk/python/tests/__init__.py", ""),
    ("sdk/python/tests/run_test_server.py", include_str!("upstream/run_test_server.py")),
    ("sdk/python/tests/test_attached.py", include_str!("upstream/test_attached.py")),
    // A stale one: that of a server of the user's, which is not to be found.
    ("services/api/tmp/pids/test-server.pid", "1"),
    (".git/config", ""),
];

/// An Arvados checkout of 2015 that has a user of its own; and a Python of that time, played by
/// today's.
fn arvados(folder: &Path) -> PathBuf {
    let root = folder.join("arva dos");
    for (name, text) in FILES {
        let path = root.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    let fixtures = root.join("services/api/test/fixtures");
    fs_err::create_dir_all(&fixtures).unwrap();
    let builtin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk-fixtures/fixtures");
    for entry in fs_err::read_dir(builtin).unwrap() {
        let entry = entry.unwrap();
        fs_err::copy(entry.path(), fixtures.join(entry.file_name())).unwrap();
    }
    let add = |file: &str, record: &str| {
        let path = fixtures.join(file);
        let text = fs_err::read_to_string(&path).unwrap();
        fs_err::write(&path, format!("{record}\n{text}")).unwrap();
    };
    add(
        "users.yml",
        "checked_out: {uuid: zzzzz-tpzed-checkedoutuser0, owner_uuid: zzzzz-tpzed-000000000000000, \
         email: checked@arvados.local, first_name: Checked, last_name: Out, is_active: true, is_admin: true}",
    );
    add(
        "api_client_authorizations.yml",
        "checked_out: {uuid: zzzzz-gj3su-checkedouttoken, user: checked_out, api_client: untrusted, \
         api_token: atokenthatonlythischeckouthas, expires_at: 2038-01-01 00:00:00}",
    );
    root
}

/// A folder with that program, which is Python.
fn python(folder: &Path, name: &str) -> PathBuf {
    let programs = folder.join("programs");
    fs_err::create_dir_all(&programs).unwrap();
    let path = programs.join(name);
    fs_err::write(&path, "#!/bin/sh\nexec python3 -B \"$@\"\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(&path, executable).unwrap();
    programs
}

/// All that is below, and what it is.
fn everything_below(folder: &Path) -> BTreeSet<(PathBuf, u64)> {
    let mut found = BTreeSet::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        found.insert((entry.path(), metadata.len()));
        if metadata.is_dir() {
            found.extend(everything_below(&entry.path()));
        }
    }
    found
}

/// `test-all` with no other suite than those of the checkout.
fn test_all(checkout: &Checkout, upstream: &Path, path: &Path) -> common::Done {
    fs_err::write(checkout.root().join("xtask/suites.yml"), "suites: {}\n").unwrap();
    let mut command = checkout.command(&["test-all", "--upstream", upstream.to_str().unwrap()]);
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = [path.to_owned()].into_iter().chain(std::env::split_paths(&inherited));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command.output().unwrap().into()
}

#[test]
fn a_suite_of_a_checkout_runs_unmodified_and_writes_nothing_there() {
    if !is_installed("python3") {
        return;
    }
    let checkout = Checkout::new();
    let folder = tempfile::tempdir().unwrap();
    let upstream = arvados(folder.path());
    let before = everything_below(&upstream);
    let done = test_all(&checkout, &upstream, &python(folder.path(), "python2.7"));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.stdout, "4 passed, 0 failed, 0 skipped\n", "{done:?}");
    assert_eq!(everything_below(&upstream), before);
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn a_suite_that_fails_there_fails_here() {
    if !is_installed("python3") {
        return;
    }
    let checkout = Checkout::new();
    let folder = tempfile::tempdir().unwrap();
    let upstream = arvados(folder.path());
    let failing =
        "import unittest\nclass A(unittest.TestCase):\n    def test_b(self): self.fail()\n";
    fs_err::write(upstream.join("sdk/python/tests/test_failing.py"), failing).unwrap();
    let done = test_all(&checkout, &upstream, &python(folder.path(), "python2.7"));
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(done.stdout, "4 passed, 1 failed, 0 skipped\n", "{done:?}");
}

#[test]
fn what_is_no_checkout_is_wrong_usage() {
    let checkout = Checkout::new();
    let folder = tempfile::tempdir().unwrap();
    let done = test_all(&checkout, folder.path(), folder.path());
    assert_eq!(done.code, Some(2), "{done:?}");
    let message = "is no checkout of Arvados: it has no sdk/python/tests/run_test_server.py";
    assert!(done.stderr.contains(message), "{done:?}");
}

#[test]
fn a_suite_whose_python_is_not_there_is_skipped() {
    if is_python_2_installed() {
        return;
    }
    let checkout = Checkout::new();
    let folder = tempfile::tempdir().unwrap();
    let done = test_all(&checkout, &arvados(folder.path()), folder.path());
    assert_eq!(done.stdout, "0 passed, 0 failed, 1 skipped\n", "{done:?}");
    assert!(done.stderr.contains("python2.7 is not installed"), "{done:?}");
}

fn is_python_2_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("python2.7").exists())
}
