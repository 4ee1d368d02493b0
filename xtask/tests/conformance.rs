//! The table of HTTP cases against a keepstore that is not ours: every difference is named. The real
//! program is tried where it is installed; else a stand-in that has its flags.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::{Checkout, Done, conformance};

/// A program with the flags of the real keepstore of 2015, that answers as one of this era.
fn stand_in(folder: &Path, era: &str) -> PathBuf {
    let services = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name("services");
    let path = folder.join(format!("keepstore-{era}"));
    let script = format!("#!/bin/sh\nexec '{}' keepstore -era={era} \"$@\"\n", services.display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What comes of the cases in `file` on a cluster of 2015 with that keepstore.
fn cases(checkout: &Checkout, keepstore: &str, file: &str) -> Done {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let file = root.join("sdk-fixtures/suites/http").join(file);
    let provider = format!("keepstore={keepstore}");
    let exec = ["exec", "--era", "2015", "--provider", &provider, "--"];
    let command = [conformance::program().to_str().unwrap(), file.to_str().unwrap()];
    checkout.services(&[&exec[..], &command].concat())
}

#[test]
fn a_keepstore_that_is_as_the_table_says_has_no_difference() {
    let checkout = Checkout::new();
    let folder = tempfile::tempdir().unwrap();
    let keepstore = stand_in(folder.path(), "2015");
    let done = cases(&checkout, keepstore.to_str().unwrap(), "keepstore-2015.yml").ok();
    assert!(done.stdout.ends_with(" passed, 0 failed, 0 skipped\n"), "{done:?}");
}

#[test]
fn every_difference_of_another_keepstore_is_named() {
    let checkout = Checkout::new();
    let folder = tempfile::tempdir().unwrap();
    let keepstore = stand_in(folder.path(), "current");
    let done = cases(&checkout, keepstore.to_str().unwrap(), "keepstore-2015.yml");
    assert_eq!(done.code, Some(1), "{done:?}");
    for difference in [
        "keepstore-2015: content of another hash is refused\n# status 400, expected 422\n",
        "keepstore-2015: content of unknown length is refused\n# status 200, expected 411\n",
        "keepstore-2015: the index is for the data manager\n# status 403, expected 401\n",
        "# header X-Keep-Replicas-Stored: Some(\"1\"), expected None\n",
        "# the body is not \"Block is too large\\n\"\n",
    ] {
        assert!(done.stdout.contains(difference), "{difference}: {}", done.stdout);
    }
}

#[test]
fn the_real_keepstore_is_as_the_table_says_where_it_is_installed() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("keepstore").exists()) {
        println!("not tried: keepstore is not installed");
        return;
    }
    let checkout = Checkout::new();
    for file in ["keepstore-2015.yml", "keepstore-data-manager-2015.yml"] {
        cases(&checkout, "system", file).ok();
    }
}
