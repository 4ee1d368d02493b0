//! Every way to build us compiles a dependency, and us, once: whatever else is built beside them.
//!
//! Otherwise `cargo test` after `cargo xtask` builds much of it again, and puts another program in
//! the place of the one that somebody runs.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::process::Command;

use common::Done;

/// Each dependency's features, by its name and version.
fn features(arguments: &[&str]) -> BTreeMap<String, String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(env!("CARGO_MANIFEST_DIR"));
    tree.args(["tree", "--prefix", "none", "--no-dedupe", "--format", "{p}\t{f}"]);
    let done = Done::from(tree.args(arguments).output().unwrap()).ok();
    let line = |line: &str| line.split_once('\t').map(|(name, of)| (name.into(), of.into()));
    done.stdout.lines().filter_map(line).collect()
}

#[test]
fn dependencies_have_the_same_features_in_one_package_as_in_the_workspace() {
    let together = features(&["--workspace"]);
    for package in ["xtask", "services"] {
        let alone = features(&["--package", package, "--edges", "normal,build"]);
        assert!(alone.len() > 100, "{alone:?}");
        for (dependency, features) in alone {
            let wanted = &together[&dependency];
            assert_eq!(&features, wanted, "{dependency}: see the end of {package}/Cargo.toml");
        }
    }
}
