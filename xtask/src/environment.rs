//! What of our own environment the processes that we start may see.
//!
//! A developer's shell may be set up for a production cluster, or we may run inside a hook of
//! another repository: neither may reach a process of ours.

use std::ffi::OsStr;
use std::process::Command;

use crate::process::table::MARKER_VARIABLE;

/// Hosts that are never reached through a proxy.
const LOOPBACK: &str = "localhost,127.0.0.1,::1";

/// Leaves in `command`'s environment only what it may inherit from ours.
pub(crate) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if !is_inherited(&name) {
            command.env_remove(name);
        }
    }
    for name in ["no_proxy", "NO_PROXY"] {
        let own = std::env::var(name).unwrap_or_default();
        let separator = if own.is_empty() { "" } else { "," };
        command.env(name, format!("{own}{separator}{LOOPBACK}"));
    }
}

/// Whether a variable of ours may be seen by a process that we start.
fn is_inherited(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return true;
    };
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    // In a hook, git's would make our git commands work on the user's repository.
    let git = starts(&["GIT_"]);
    // A client of a production cluster must not become one of ours, nor the other way round.
    let arvados = starts(&["ARVADOS_", "KEEP_"]);
    // Cargo's own make a nested build compile half of the tree again. What users set for cargo
    // (CARGO_HOME, CARGO_TARGET_DIR, …) is not among them.
    let cargo = starts(&["CARGO_PKG_", "CARGO_BIN_", "CARGO_CFG_", "CARGO_FEATURE_", "NEXTEST"])
        || [
            "CARGO",
            "CARGO_CRATE_NAME",
            "CARGO_MAKEFLAGS",
            "CARGO_MANIFEST_DIR",
            "CARGO_MANIFEST_LINKS",
            "CARGO_MANIFEST_PATH",
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_RUSTC_CURRENT_DIR",
            "CARGO_TARGET_TMPDIR",
            "MAKEFLAGS",
            "MFLAGS",
            "OUT_DIR",
            "RUST_RECURSION_COUNT",
        ]
        .contains(&name);
    // Those of the stack that we may ourselves run in.
    let ours = [MARKER_VARIABLE, "XTASK_LISTEN", "XTASK_STACK"].contains(&name);
    !(git || arvados || cargo || ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inherited(name: &str) -> bool {
        is_inherited(OsStr::new(name))
    }

    #[test]
    fn what_could_reach_another_cluster_or_repository_is_removed() {
        for name in [
            "ARVADOS_API_HOST",
            "ARVADOS_API_TOKEN",
            "KEEP_LOCAL_STORE",
            "GIT_DIR",
            "GIT_INDEX_FILE",
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_NAME",
            "XTASK_MARKER",
        ] {
            assert!(!inherited(name), "{name}");
        }
    }

    #[test]
    fn what_users_set_for_their_tools_is_kept() {
        for name in ["PATH", "HOME", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_TOOLCHAIN", "LANG"] {
            assert!(inherited(name), "{name}");
        }
    }
}
