//! How long each suite took the last time, for the order of the next run.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::results::{Outcome, Results};
use crate::workspace::Workspace;

/// Seconds by the names of suites.
#[derive(Debug)]
pub(crate) struct History {
    path: PathBuf,
    seconds: BTreeMap<String, f64>,
}

impl History {
    /// Of this checkout. What cannot be read is unknown: it is only a help.
    pub(crate) fn load(workspace: &Workspace) -> Self {
        let path = workspace.cache().join("suites.json");
        let text = std::fs::read(&path).unwrap_or_default();
        Self { path, seconds: serde_json::from_slice(&text).unwrap_or_default() }
    }

    /// How long that one took.
    pub(crate) fn length(&self, name: &str) -> Option<Duration> {
        self.seconds.get(name).and_then(|seconds| Duration::try_from_secs_f64(*seconds).ok())
    }

    /// Remembers those that have passed; the others may have ended early.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn remember(mut self, results: &Results) -> anyhow::Result<()> {
        for suite in results.suites.iter().filter(|suite| suite.outcome == Outcome::Passed) {
            let command = suite.last().and_then(|attempt| attempt.command);
            if let Some(span) = command {
                self.seconds.insert(suite.name.clone(), span.length().as_secs_f64());
            }
        }
        let folder = self.path.parent().unwrap_or(&self.path);
        fs_err::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec_pretty(&self.seconds)?)?;
        file.persist(&self.path)?;
        Ok(())
    }
}
