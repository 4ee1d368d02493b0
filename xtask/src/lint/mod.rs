//! What has to hold for every change of the project, beside its tests.
//!
//! A check looks at a [`Content`], the work tree or what is staged for the next commit, and answers
//! with the faults in it. It knows nothing of the command line and prints nothing.

use std::path::Path;

use anyhow::Result;

mod checks;
mod content;
mod git;
pub(crate) mod mend;
pub(crate) mod report;
pub(crate) mod run;
mod tool;

pub(crate) use content::Content;

use checks::{
    clippy, dependencies, docs, fixtures, format, lock_file, nginx, settings, shell, shellcheck,
    snapshots, spelling, suites,
};

/// All checks, those first that are done first.
pub(crate) const CHECKS: [&Check; 13] = [
    &settings::CHECK,
    &suites::CHECK,
    &fixtures::CHECK,
    &shell::CHECK,
    &snapshots::CHECK,
    &nginx::CHECK,
    &shellcheck::CHECK,
    &spelling::CHECK,
    &format::CHECK,
    &lock_file::CHECK,
    &dependencies::CHECK,
    &clippy::CHECK,
    &docs::CHECK,
];

/// A check.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// Whether a change of that file concerns it. Nothing that is staged concerns a check which
    /// takes long.
    pub(crate) concerns: fn(&Path) -> bool,
    /// Beside what changed: the files and folders that it needs.
    pub(crate) needs: &'static [&'static str],
    /// The faults, each with its place in front. A fault may have more lines than one.
    ///
    /// An error is [`Skipped`] if it cannot be done here, else a failure of the check itself.
    pub(crate) run: fn(&Content) -> Result<Vec<String>>,
    /// What to do about faults, as an advice.
    pub(crate) advice: &'static str,
    /// Mends what a program can mend.
    pub(crate) mend: Option<fn(&Content) -> Result<()>>,
    /// Whether people may well do without its program: that it is missing is no news before each
    /// commit.
    pub(crate) is_extra: bool,
}

/// Why a check cannot be done here.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Skipped(pub(crate) String);

/// What came of a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed(Vec<String>),
    Skipped(String),
    /// Skipped where that is not allowed.
    Missing(String),
}

impl Outcome {
    fn of(result: Result<Vec<String>>) -> Self {
        match result {
            Ok(faults) if faults.is_empty() => Self::Passed,
            Ok(faults) => Self::Failed(faults),
            Err(error) => match error.downcast::<Skipped>() {
                Ok(Skipped(reason)) => Self::Skipped(reason),
                Err(error) => Self::Failed(vec![format!("could not be run: {error:#}")]),
            },
        }
    }

    /// The same where everything has to be there.
    pub(crate) fn strict(self) -> Self {
        match self {
            Self::Skipped(reason) => Self::Missing(reason),
            outcome => outcome,
        }
    }
}

/// For a check that needs the whole tree, and time.
fn never(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concerned(path: &str) -> Vec<&'static str> {
        let checks = CHECKS.iter().filter(|check| (check.concerns)(Path::new(path)));
        checks.map(|check| check.name).collect()
    }

    #[test]
    fn a_change_concerns_the_checks_that_look_at_it() {
        for (path, wanted) in [
            ("README.md", vec!["spelling"]),
            (".ci/run", vec!["shell", "shellcheck", "spelling"]),
            ("xtask/src/main.rs", vec!["spelling", "format"]),
            ("xtask/services.yml", vec!["settings", "suites", "spelling"]),
            ("xtask/suites.yml", vec!["suites", "spelling"]),
            ("sdk-fixtures/fixtures/users.yml", vec!["fixtures", "spelling"]),
            ("nginx/nginx.conf", vec!["shell", "nginx", "shellcheck", "spelling"]),
            ("xtask/Cargo.toml", vec!["spelling", "lock file"]),
        ] {
            assert_eq!(concerned(path), wanted, "{path}");
        }
    }

    #[test]
    fn what_could_not_be_done_is_skipped_and_what_went_wrong_a_failure() {
        let skipped = || Outcome::of(Err(Skipped("x is not installed".into()).into()));
        assert_eq!(skipped(), Outcome::Skipped("x is not installed".into()));
        assert_eq!(skipped().strict(), Outcome::Missing("x is not installed".into()));
        let failed = Outcome::of(Err(anyhow::anyhow!("no memory")));
        assert_eq!(failed, Outcome::Failed(vec!["could not be run: no memory".into()]));
        assert_eq!(Outcome::of(Ok(Vec::new())), Outcome::Passed);
    }
}
