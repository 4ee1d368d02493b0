//! The Python suites of an Arvados checkout that the user has, as suites of ours.
//!
//! A suite of theirs runs unmodified on a cluster of ours: `test-all` runs `services exec` with the
//! checkout's own fixtures, and in that our command `upstream`, which sees to what the suite's
//! `run_test_server.py` looks for.

use std::path::Path;

use super::needs::Needs;
use super::{Isolation, Suite};
use crate::failure::Usage;
use crate::settings::Era;

/// The folders whose `tests` are Python suites that run on the script's cluster.
const FOLDERS: [&str; 2] = ["sdk/python", "services/fuse"];

/// The script that starts servers for all of them.
pub(crate) const SCRIPT: &str = "sdk/python/tests/run_test_server.py";

/// The records that they expect of a cluster.
pub(crate) const FIXTURES: &str = "services/api/test/fixtures";

/// Those that are in the checkout, with their names.
///
/// # Errors
/// Wrong usage: it is no checkout of Arvados.
pub(crate) fn suites(checkout: &Path) -> Result<Vec<(String, Suite)>, Usage> {
    let path = checkout.canonicalize().map_err(|error| not_there(checkout, &error.to_string()))?;
    for needed in [SCRIPT, FIXTURES] {
        if !path.join(needed).exists() {
            return Err(not_there(checkout, &format!("it has no {needed}")));
        }
    }
    let era = era_of(&path).map_err(|error| not_there(checkout, &error.to_string()))?;
    let Some(path) = path.to_str() else {
        return Err(not_there(checkout, "its path is not text"));
    };
    let is_there = |folder: &&str| checkout.join(folder).join("tests").is_dir();
    let found = FOLDERS.into_iter().filter(is_there);
    Ok(found.map(|folder| (name_of(folder), suite(path, folder, era))).collect())
}

/// Whose expectations the checkout's script has: today's is told of ports by a configuration file.
///
/// # Errors
/// When the script cannot be read.
pub(crate) fn era_of(checkout: &Path) -> std::io::Result<Era> {
    let script = fs_err::read_to_string(checkout.join(SCRIPT))?;
    Ok(if script.contains("ARVADOS_CONFIG") { Era::Current } else { Era::Y2015 })
}

/// The Python that such a checkout is written for.
pub(crate) fn python_of(era: Era) -> &'static str {
    match era {
        Era::Current => "python3",
        Era::Y2015 => "python2.7",
    }
}

fn name_of(folder: &str) -> String {
    format!("upstream-{}", folder.replace('/', "-"))
}

fn suite(checkout: &str, folder: &str, era: Era) -> Suite {
    let own = crate::process::own_program().display().to_string();
    let fixtures = format!("{checkout}/{FIXTURES}");
    let era_text = era.to_string();
    let exec = ["services", "exec", "--fixtures", &fixtures, "--era", &era_text, "--"];
    let command = [&[&*own][..], &exec, &[&own, "upstream", checkout, folder]].concat();
    let mut programs = vec![python_of(era).to_owned()];
    if folder == "services/fuse" {
        programs.push("fusermount".to_owned());
    }
    Suite {
        command: command.into_iter().map(str::to_owned).collect(),
        folder: "".into(),
        needs: Needs { programs, ..Needs::default() },
        requirements: None,
        profiles: None,
        // It brings up one itself, with the checkout's fixtures.
        isolation: Isolation::None,
        env: [].into(),
        timeout: super::default_timeout(),
        retries: 0,
        shards: None,
    }
}

fn not_there(checkout: &Path, why: &str) -> Usage {
    Usage(format!("{} is no checkout of Arvados: {why}", checkout.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout(script: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for made in ["sdk/python/tests", FIXTURES] {
            fs_err::create_dir_all(folder.path().join(made)).unwrap();
        }
        fs_err::write(folder.path().join(SCRIPT), script).unwrap();
        folder
    }

    #[test]
    fn the_suites_that_are_there_run_on_a_cluster_with_the_checkouts_fixtures() {
        let folder = checkout("os.environ['ARVADOS_CONFIG']");
        let suites = suites(folder.path()).unwrap();
        let names: Vec<_> = suites.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["upstream-sdk-python"]);
        let suite = &suites[0].1;
        assert_eq!(suite.needs.programs, ["python3"]);
        let command = suite.command.join(" ");
        assert!(command.contains("/services/api/test/fixtures --era current -- "), "{command}");
        assert!(command.ends_with(" sdk/python"), "{command}");
    }

    #[test]
    fn a_script_without_a_configuration_file_is_of_2015() {
        let folder = checkout("SERVER_PID_PATH = 'tmp/pids/test-server.pid'");
        let suite = suites(folder.path()).unwrap().remove(0).1;
        assert_eq!(suite.needs.programs, ["python2.7"]);
        assert!(suite.command.iter().any(|word| word == "2015"));
    }

    #[test]
    fn what_is_no_checkout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let message = suites(folder.path()).unwrap_err().to_string();
        assert!(message.contains("is no checkout of Arvados: it has no sdk/python/"), "{message}");
        let message = suites(&folder.path().join("nothing")).unwrap_err().to_string();
        assert!(message.contains("is no checkout of Arvados: "), "{message}");
    }
}
