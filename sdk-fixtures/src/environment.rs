//! What of our own environment the processes that we start may see.
//!
//! A developer's shell may be set up for a production cluster, or we may run inside a hook of
//! another repository: neither may reach a process of ours.

use std::ffi::OsStr;
use std::process::Command;

/// In it, the processes of a stack carry what tells them from all others.
pub const MARKER_VARIABLE: &str = "XTASK_MARKER";

/// What a command that asks, empties or stops a service has besides: it is of the service, and never
/// the service itself.
pub const HELPER_VARIABLE: &str = "XTASK_HELPER";

/// Hosts that are never reached through a proxy.
const LOOPBACK: &str = "localhost,127.0.0.1,::1";

/// Leaves in `command`'s environment only what it may inherit from ours.
pub fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if !is_inherited(&name) {
            command.env_remove(name);
        }
    }
    for (name, value) in no_proxy() {
        command.env(name, value);
    }
}

/// The variables by which programs know that nothing on this machine is reached through a proxy.
pub fn no_proxy() -> impl Iterator<Item = (&'static str, String)> {
    ["no_proxy", "NO_PROXY"].into_iter().map(|name| {
        let own = std::env::var(name).unwrap_or_default();
        let value = match own.as_str() {
            "" => LOOPBACK.to_owned(),
            known if known.contains(LOOPBACK) => own,
            other => format!("{other},{LOOPBACK}"),
        };
        (name, value)
    })
}

/// Whether our own environment names a proxy.
pub fn has_proxy() -> bool {
    let names = ["http_proxy", "https_proxy", "all_proxy"];
    names.iter().any(|name| {
        std::env::var_os(name).is_some() || std::env::var_os(name.to_uppercase()).is_some()
    })
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
    let ours =
        [MARKER_VARIABLE, HELPER_VARIABLE, "NGINX", "XTASK_LISTEN", "XTASK_STACK"].contains(&name);
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
