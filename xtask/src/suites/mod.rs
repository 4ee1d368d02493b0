//! The test suites: what suites.yml says of them, and how one is run and counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Usage;
use crate::{nearest, programs, yaml};

pub(crate) mod run;
pub(crate) mod virtual_environment;

/// One suite of suites.yml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
    /// Program and arguments; run in the workspace root.
    pub(crate) command: Vec<String>,
    /// Programs without which it cannot run.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// The clusters that it runs on: a profile of services.yml each, or `default`. Without any it
    /// runs once, on its own.
    #[serde(default)]
    pub(crate) clusters: Vec<String>,
    /// Python packages: it runs in a virtual environment that has them.
    pub(crate) requirements: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuitesYml {
    suites: BTreeMap<String, Suite>,
}

/// The suites of the file with their names, in alphabetical order; only those in `selection` if it
/// names any.
///
/// # Errors
/// Wrong usage: a mistake in the file, or an unknown name.
pub(crate) fn load(path: &Path, selection: &[String]) -> Result<Vec<(String, Suite)>, Usage> {
    let file: SuitesYml = yaml::load(path)?;
    for name in selection {
        if !file.suites.contains_key(name) {
            let known = file.suites.keys().map(String::as_str);
            return Err(Usage(format!("unknown suite {name}{}", nearest::hint(name, known))));
        }
    }
    if let Some((name, _)) = file.suites.iter().find(|(_, suite)| suite.command.is_empty()) {
        return Err(Usage(format!("{}: suite {name} has an empty command", path.display())));
    }
    let wanted = |name: &String| selection.is_empty() || selection.contains(name);
    Ok(file.suites.into_iter().filter(|(name, _)| wanted(name)).collect())
}

impl Suite {
    /// What it needs and this machine has not.
    pub(crate) fn missing(&self) -> Vec<&str> {
        let needs = self.needs.iter().map(String::as_str);
        needs.filter(|name| programs::find(name).is_none()).collect()
    }
}
