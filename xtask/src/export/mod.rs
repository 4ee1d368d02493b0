//! The environment in which a client finds the cluster, and how to leave it again.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::Format;
use crate::environment;
use crate::lifecycle::Cluster;
use crate::services::extra::Extra;

mod format;
mod variables;

/// Would send a client elsewhere than to the cluster: a shell has to forget them.
const REROUTING: [&str; 4] =
    ["ARVADOS_EXTERNAL_CLIENT", "ARVADOS_KEEP_PROXY", "ARVADOS_KEEP_SERVICES", "KEEP_LOCAL_STORE"];

/// What to set and what to unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    set: BTreeMap<String, String>,
    unset: BTreeSet<String>,
}

/// Lines by which a POSIX shell sets these variables.
///
/// # Errors
/// Never, for a shell.
pub(crate) fn for_a_shell(variables: &[(&str, &str)]) -> anyhow::Result<String> {
    variables.iter().map(|(name, value)| Ok(format::sh(name, Some(value))? + "\n")).collect()
}

impl Environment {
    /// The variables of a stack, with the fixture token of label `auth`.
    ///
    /// # Errors
    /// When the fixtures have no such token, or services.yml has a mistake in what it exports.
    pub(crate) fn of_stack(cluster: &Cluster<'_>, auth: &str) -> anyhow::Result<Self> {
        let mut set = variables::values(cluster, auth)?;
        if environment::has_proxy() {
            set.extend(environment::no_proxy().map(|(name, value)| (name.to_owned(), value)));
        }
        let context = cluster.context();
        let state = &cluster.state;
        let declared = state.settings.services.iter();
        for (name, extra) in declared.filter(|(name, _)| state.service(name).is_some()) {
            set.extend(extra.exported(&context, name)?);
        }
        let unset = REROUTING.map(str::to_owned).into_iter();
        let unset = unset.filter(|name| !set.contains_key(name)).collect();
        Ok(Self { set, unset })
    }

    /// Undoes [`Self::of_stack`]: unsets every variable that it may set for these services beside
    /// the cluster's own. Hosts that are reached without a proxy stay, for the user may have set
    /// them too.
    pub(crate) fn undone<'a>(declared: impl IntoIterator<Item = &'a Extra>) -> Self {
        let exported = declared.into_iter().flat_map(|extra| extra.export.keys().cloned());
        let names = exported.chain(variables::names().map(str::to_owned));
        let unset = names.filter(|name| !name.eq_ignore_ascii_case("no_proxy")).collect();
        Self { set: BTreeMap::new(), unset }
    }

    /// The variables to set.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The text for standard output, with a line end.
    ///
    /// # Errors
    /// When a variable cannot be written in that format, or the kernel has no random numbers.
    pub(crate) fn print(&self, format: Format) -> anyhow::Result<String> {
        let line: format::Line = match format {
            Format::Human => format::human,
            Format::Sh => format::sh,
            Format::Fish => format::fish,
            Format::Dotenv => format::dotenv,
            Format::Github => format::github,
            Format::Nextest => format::nextest,
            Format::Json => {
                let json = serde_json::json!({ "set": self.set, "unset": self.unset });
                return Ok(format!("{json:#}\n"));
            }
        };
        let unset = self.unset.iter().map(|name| line(name, None));
        let set = self.variables().map(|(name, value)| line(name, Some(value)));
        unset.chain(set).map(|line| Ok(line? + "\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unset_comes_before_what_is_set() {
        let environment = Environment {
            set: BTreeMap::from([("ARVADOS_TEST_CA_CERT".into(), "/a b/ca.pem".into())]),
            unset: BTreeSet::from(["KEEP_LOCAL_STORE".into()]),
        };
        assert_eq!(
            environment.print(Format::Sh).unwrap(),
            "unset KEEP_LOCAL_STORE\nexport ARVADOS_TEST_CA_CERT='/a b/ca.pem'\n"
        );
        let json = environment.print(Format::Json).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let wanted = serde_json::json!({
            "set": {"ARVADOS_TEST_CA_CERT": "/a b/ca.pem"},
            "unset": ["KEEP_LOCAL_STORE"],
        });
        assert_eq!(json, wanted);
    }

    #[test]
    fn undoing_sets_nothing_and_leaves_the_users_proxies_alone() {
        let extra: Extra =
            serde_yaml::from_str("{command: [x], export: {REDIS_URL: x, no_proxy: x}}").unwrap();
        let undone = Environment::undone([&extra]);
        assert_eq!(undone.set, BTreeMap::new());
        assert!(undone.unset.contains("REDIS_URL") && undone.unset.contains("XTASK_STACK"));
        assert!(!undone.unset.contains("no_proxy"));
    }
}
