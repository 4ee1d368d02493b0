//! The HTTP engine of Phusion Passenger Standalone, and which of them is installed.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::environment;

/// Which engine is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    /// The nginx engine, unless Passenger was installed without it.
    #[default]
    Auto,
    /// Passenger's own nginx, which speaks TLS.
    Nginx,
    /// The one that Passenger always has, and that speaks no TLS.
    Builtin,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Nginx => "nginx",
            Self::Builtin => "builtin",
        })
    }
}

/// The engine of the Passenger that `bundle` finds for an application.
///
/// A Passenger that does not say where its programs are, or has none there yet, gets its nginx when it
/// is started first.
pub(crate) fn detect(bundle: &Path, application: &Path) -> Engine {
    let mut command = Command::new(bundle);
    environment::clean(&mut command);
    command.args(["exec", "passenger-config", "about", "support-binaries-dir"]);
    command.current_dir(application).env("RAILS_ENV", "test").stdin(Stdio::null());
    let Ok(output) = command.output() else { return Engine::Nginx };
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.success() && has_only_builtin(Path::new(&folder)) {
        true => Engine::Builtin,
        false => Engine::Nginx,
    }
}

/// Whether a folder of Passenger's programs has its agent, and no nginx.
fn has_only_builtin(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<String> = names.collect();
    let has = |start: &str| names.iter().any(|name| name.starts_with(start));
    has("PassengerAgent") && !has("nginx")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passenger_with_its_agent_alone_is_builtin_only() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_only_builtin(folder.path()), "it would install both");
        fs_err::write(folder.path().join("PassengerAgent"), "").unwrap();
        assert!(has_only_builtin(folder.path()));
        fs_err::write(folder.path().join("nginx-1.20.2"), "").unwrap();
        assert!(!has_only_builtin(folder.path()));
        assert!(!has_only_builtin(Path::new("/no/such")));
    }

    #[test]
    fn a_bundle_that_knows_nothing_of_it_is_started_as_the_tests_of_arvados_do() {
        assert_eq!(detect(Path::new("false"), Path::new("/")), Engine::Nginx);
        assert_eq!(detect(Path::new("/no/such"), Path::new("/")), Engine::Nginx);
    }
}
