//! The test suites: what suites.yml says of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Usage;
use crate::stack::{MAX_LENGTH, StackName};
use crate::{nearest, template, yaml};

pub(crate) mod clusters;
pub(crate) mod needs;
pub(crate) mod upstream;
pub(crate) mod virtual_environment;

use needs::Needs;

/// One suite of suites.yml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// Where it is run, relative to the workspace root.
    #[serde(default)]
    pub(crate) folder: PathBuf,
    #[serde(default)]
    pub(crate) needs: Needs,
    /// Python packages: it runs in a virtual environment that has them.
    pub(crate) requirements: Option<PathBuf>,
    /// Those of services.yml that it runs on, once on each; `default` is none.
    pub(crate) profiles: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) isolation: Isolation,
    /// Variables for it, beside those of the cluster.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Seconds after which it is ended.
    #[serde(default = "default_timeout")]
    pub(crate) timeout: u64,
    /// How often it is run again when it has failed.
    #[serde(default)]
    pub(crate) retries: u32,
    pub(crate) shards: Option<Shards>,
}

/// What a suite has for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Isolation {
    /// A cluster, which is gone when it ends.
    #[default]
    Stack,
    /// A cluster on which other suites run before and after it, reset before each.
    Shared,
    /// No cluster: it brings up what it needs.
    None,
}

/// How one part of a suite is run, when it is spread over several machines.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shards {
    /// Programs without which it cannot be spread.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// In place of the suite's own, with the gaps `{{shard}}`, from 1, and `{{shards}}`.
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuitesYml {
    suites: BTreeMap<String, Suite>,
}

/// The profile that is the defaults of services.yml as they are.
pub(crate) const DEFAULT_PROFILE: &str = "default";

fn default_timeout() -> u64 {
    3600
}

/// The suites of the file by their names.
///
/// # Errors
/// Wrong usage: a mistake in the file.
pub(crate) fn load(path: &Path) -> Result<BTreeMap<String, Suite>, Usage> {
    let file: SuitesYml = yaml::load(path)?;
    for (name, suite) in &file.suites {
        let mistake = |what: &str| Usage(yaml::located(path, name, &format!("suite {name}{what}")));
        // Its output is a file of that name, as a stack is a folder.
        if name.parse::<StackName>().is_err() {
            let what = format!(
                ": its name is a file's too: use up to {MAX_LENGTH} letters, digits, '-', '_' and \
                 '.', with a letter or digit first"
            );
            return Err(mistake(&what));
        }
        suite.check().map_err(|what| mistake(&what))?;
    }
    Ok(file.suites)
}

/// That each name is a suite.
///
/// # Errors
/// Wrong usage: the nearest known name is given.
pub(crate) fn check_names(names: &[String], known: &BTreeMap<String, Suite>) -> Result<(), Usage> {
    match names.iter().find(|name| !known.contains_key(*name)) {
        None => Ok(()),
        Some(name) => {
            let known = known.keys().map(String::as_str);
            Err(Usage(format!("unknown suite {name}{}", nearest::hint(name, known))))
        }
    }
}

impl Suite {
    /// The profiles that it runs on; none if it has no cluster.
    pub(crate) fn profiles(&self) -> Vec<&str> {
        match (&self.profiles, self.isolation) {
            (_, Isolation::None) => Vec::new(),
            (None, _) => vec![DEFAULT_PROFILE],
            (Some(profiles), _) => profiles.iter().map(String::as_str).collect(),
        }
    }

    fn check_profiles(&self) -> Result<(), String> {
        let none = self.isolation == Isolation::None;
        if none && (self.profiles.is_some() || !self.needs.services.is_empty()) {
            return Err(" has no cluster (isolation: none), and so no profiles or services".into());
        }
        let Some(profiles) = &self.profiles else { return Ok(()) };
        if profiles.is_empty() {
            return Err(" has no profiles: leave the key out for `default`".to_owned());
        }
        let twice = (1..).zip(profiles).find(|(next, name)| profiles[*next..].contains(*name));
        match twice {
            Some((_, name)) => Err(format!(" has profile {name} twice")),
            None => Ok(()),
        }
    }

    /// # Errors
    /// What is wrong with it, to be put behind its name.
    fn check(&self) -> Result<(), String> {
        let is_empty = |command: &[String]| command.first().is_none_or(String::is_empty);
        if is_empty(&self.command) {
            return Err(" has an empty command".to_owned());
        }
        self.check_profiles()?;
        if !(1..=LONGEST).contains(&self.timeout) {
            return Err(format!(": timeout is in seconds, from 1 to {LONGEST}"));
        }
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(format!(": {name:?} cannot be a variable with that value"));
            }
        }
        if self.command.iter().any(|word| word.contains('\0')) {
            return Err(" has a command that no program can be given".to_owned());
        }
        self.needs.check().map_err(|what| format!(": {what}"))?;
        match self.shards.as_ref().map(|shards| &shards.command) {
            Some(command) if is_empty(command) => Err(" has shards with an empty command".into()),
            Some(command) => {
                sharded(command, 1, 1).map_err(|gap| format!(", shards: {gap}"))?;
                let has = |gap: &str| command.iter().any(|word| word.contains(gap));
                match has("{{shard}}") && has("{{shards}}") {
                    true => Ok(()),
                    false => Err(": shards without the gaps {{shard}} and {{shards}}".to_owned()),
                }
            }
            None => Ok(()),
        }
    }
}

/// A month, in seconds.
const LONGEST: u64 = 31 * 24 * 3600;

/// `command` for part `shard` of `shards`.
///
/// # Errors
/// Names an unknown gap.
pub(crate) fn sharded(
    command: &[String],
    shard: usize,
    shards: usize,
) -> Result<Vec<String>, String> {
    let values =
        [("shard".to_owned(), shard.to_string()), ("shards".to_owned(), shards.to_string())];
    command.iter().map(|word| template::fill(word, &values)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(suite: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), format!("suites:\n  a: {suite}\n")).unwrap();
        let error = load(file.path()).unwrap_err().to_string();
        error.split_once(": ").unwrap().1.to_owned()
    }

    #[test]
    fn a_suite_needs_no_more_than_a_command() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "suites:\n  a: {command: [pytest]}\n").unwrap();
        let suite = load(file.path()).unwrap().remove("a").unwrap();
        assert_eq!(suite.profiles(), ["default"]);
        assert_eq!(suite.isolation, Isolation::Stack);
        assert_eq!((suite.timeout, suite.retries), (3600, 0));
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        for (suite, expected) in [
            ("{command: []}", "suite a has an empty command"),
            (
                "{command: [a], profiles: []}",
                "suite a has no profiles: leave the key out for `default`",
            ),
            ("{command: [a], timeout: 0}", "suite a: timeout is in seconds, from 1 to 2678400"),
            (
                "{command: [a], shards: {command: [a]}}",
                "suite a: shards without the gaps {{shard}} and {{shards}}",
            ),
            (
                "{command: [a], shards: {command: ['{{shards}}']}}",
                "suite a: shards without the gaps {{shard}} and {{shards}}",
            ),
            ("{command: [a], profiles: [b, c, b]}", "suite a has profile b twice"),
            (
                "{command: [a], profiles: [b], isolation: none}",
                "suite a has no cluster (isolation: none), and so no profiles or services",
            ),
            (
                "{command: [a], env: {a=b: c}}",
                "suite a: \"a=b\" cannot be a variable with that value",
            ),
            (
                "{command: [a], timeout: 18446744073709551615}",
                "suite a: timeout is in seconds, from 1 to 2678400",
            ),
            (
                "{command: [a], retries: -1}",
                "suites.a.retries: invalid type: integer `-1`, expected a whole number from 0 to 4294967295",
            ),
            ("{command: [a]}\n  a: {command: [b]}", "suites: duplicate entry with key \"a\""),
            (
                "{command: [a], shards: {command: ['{{shart}}']}}",
                "suite a, shards: unknown {{shart}}; did you mean shard?",
            ),
            (
                "{command: [a], needs: {platforms: [linus]}}",
                "suite a: unknown platform linus; did you mean linux?",
            ),
            (
                "{command: [a], needs: {programs: ['a > 3']}}",
                "suite a: \"a > 3\" is no program: write `NAME` or `NAME >= VERSION`",
            ),
            (
                "{command: [a], isolation: shred}",
                "suites.a.isolation: unknown variant `shred`; did you mean shared?",
            ),
        ] {
            assert_eq!(mistake(suite), expected, "{suite}");
        }
    }
}
