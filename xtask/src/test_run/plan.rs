//! What a run of `test-all` is going to run, before anything is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::failure::Usage;
use crate::programs;
use crate::results::{Outcome, SuiteResult};
use crate::suites::{self, DEFAULT_PROFILE, Isolation, Suite};

/// One suite on one profile.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// What it is called everywhere: `python`, or on another profile than the default `python
    /// (many)`.
    pub(crate) name: String,
    /// Its key in suites.yml.
    pub(crate) suite_name: String,
    pub(crate) suite: Suite,
    /// Set if it runs on a cluster.
    pub(crate) profile: Option<String>,
    pub(crate) command: Vec<String>,
    /// Where it is run.
    pub(crate) folder: PathBuf,
    /// Whether only some of its tests are asked for.
    pub(crate) is_filtered: bool,
    /// Whether it can be spread over several machines.
    pub(crate) is_sharded: bool,
    /// What it needs and this machine has not.
    pub(crate) missing: Vec<String>,
}

impl Item {
    /// With nothing in it yet.
    pub(crate) fn result(&self, outcome: Outcome) -> SuiteResult {
        SuiteResult {
            name: self.name.clone(),
            suite: self.suite_name.clone(),
            profile: self.profile.clone(),
            command: self.command.clone(),
            attempts: Vec::new(),
            outcome,
        }
    }

    /// # Errors
    /// What of it is not where it says.
    pub(crate) fn check_places(&self, root: &Path) -> Result<(), String> {
        if !self.folder.is_dir() {
            return Err(format!("there is no folder {}", self.folder.display()));
        }
        let requirements = self.suite.requirements.as_ref().map(|file| root.join(file));
        match requirements.filter(|file| !file.is_file()) {
            Some(file) => Err(format!("there is no file {}", file.display())),
            None => Ok(()),
        }
    }

    /// Where its program is; one without a slash in its name is looked for on PATH.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        match name.contains('/') {
            true => self.folder.join(name),
            false => name.into(),
        }
    }
}

/// What is asked for of all suites.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice<'a> {
    /// All if it names none.
    pub(crate) suites: &'a [String],
    pub(crate) skip: &'a [String],
    /// Added to the command.
    pub(crate) arguments: &'a [String],
    pub(crate) partition: Option<Partition>,
    /// What the folders of suites are relative to.
    pub(crate) root: PathBuf,
}

/// One of several parts that together are the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// From 1.
    pub(crate) part: usize,
    pub(crate) parts: usize,
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, parts)| {
            Some(Self { part: part.parse().ok()?, parts: parts.parse().ok()? })
        });
        let valid = numbers.filter(|it| (1..=it.parts).contains(&it.part));
        valid.ok_or_else(|| "use K/N, with K from 1 to N".to_owned())
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.part, self.parts)
    }
}

/// The suites that were chosen, each on each of its profiles.
///
/// # Errors
/// Wrong usage: an unknown name, or arguments for several suites.
pub(crate) fn plan(all: &BTreeMap<String, Suite>, choice: &Choice<'_>) -> Result<Vec<Item>, Usage> {
    suites::check_names(choice.suites, all)?;
    suites::check_names(choice.skip, all)?;
    let is_chosen = |name: &String| {
        (choice.suites.is_empty() || choice.suites.contains(name)) && !choice.skip.contains(name)
    };
    let chosen: Vec<(&String, &Suite)> = all.iter().filter(|(name, _)| is_chosen(name)).collect();
    if !choice.arguments.is_empty() && chosen.len() != 1 {
        let what = "arguments after `--` are for one suite: name it with --suite";
        return Err(Usage(what.to_owned()));
    }
    let items = chosen.into_iter().flat_map(|(name, suite)| items(name, suite, choice));
    Ok(match choice.partition {
        None => items.collect(),
        Some(partition) => part_of(items.collect(), partition),
    })
}

/// A suite once on each of its profiles.
fn items(name: &str, suite: &Suite, choice: &Choice<'_>) -> Vec<Item> {
    let profiles: Vec<Option<&str>> = match suite.isolation {
        Isolation::None => vec![None],
        Isolation::Stack | Isolation::Shared => suite.profiles().into_iter().map(Some).collect(),
    };
    let is_sharded = suite
        .shards
        .as_ref()
        .is_some_and(|shards| shards.needs.iter().all(|program| programs::find(program).is_some()));
    let item = |profile: Option<&str>| Item {
        name: match profile.filter(|profile| *profile != DEFAULT_PROFILE) {
            Some(profile) => format!("{name} ({profile})"),
            None => name.to_owned(),
        },
        suite_name: name.to_owned(),
        suite: suite.clone(),
        profile: profile.map(str::to_owned),
        command: [&suite.command, choice.arguments].concat(),
        folder: choice.root.join(&suite.folder),
        is_filtered: !choice.arguments.is_empty(),
        is_sharded,
        missing: suite.needs.missing(),
    };
    profiles.into_iter().map(item).collect()
}

/// Of what can be spread a part of its own, and of the others every so many.
fn part_of(items: Vec<Item>, partition: Partition) -> Vec<Item> {
    let Partition { part, parts } = partition;
    let mut whole_ones = 0;
    let mut kept = Vec::new();
    for mut item in items {
        let sharded = item.suite.shards.as_ref().filter(|_| item.is_sharded);
        // A gap that is unknown was refused with the file.
        match sharded.and_then(|it| suites::sharded(&it.command, part, parts).ok()) {
            Some(command) => {
                item.command = command;
                // It may well have none in this part.
                item.is_filtered = true;
                kept.push(item);
            }
            None => {
                if whole_ones % parts == part - 1 {
                    kept.push(item);
                }
                whole_ones += 1;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites() -> BTreeMap<String, Suite> {
        let text = "
            a: {command: [a], profiles: [default, many]}
            b: {command: [b], isolation: none}
            c: {command: [c], shards: {command: [c, '{{shard}} of {{shards}}']}}
            d: {command: [d], isolation: shared}
            e: {command: [e], shards: {needs: [no-such-program], command: [e, '{{shard}}']}}
        ";
        serde_yaml::from_str(text).unwrap()
    }

    fn names(choice: &Choice<'_>) -> Vec<String> {
        plan(&suites(), choice).unwrap().into_iter().map(|item| item.name).collect()
    }

    #[test]
    fn a_suite_is_run_on_each_of_its_profiles() {
        assert_eq!(names(&Choice::default()), ["a", "a (many)", "b", "c", "d", "e"]);
    }

    #[test]
    fn suites_are_chosen_and_left_out_by_name() {
        let [a, b] = ["a", "b"].map(|name| vec![name.to_owned()]);
        assert_eq!(names(&Choice { suites: &b, ..Choice::default() }), ["b"]);
        assert_eq!(names(&Choice { skip: &a, ..Choice::default() }), ["b", "c", "d", "e"]);
        let unknown = vec!["bb".to_owned()];
        let error = plan(&suites(), &Choice { skip: &unknown, ..Choice::default() }).unwrap_err();
        assert_eq!(error.to_string(), "unknown suite bb; did you mean b?");
    }

    #[test]
    fn arguments_are_for_one_suite() {
        let arguments = vec!["-x".to_owned()];
        let all = Choice { arguments: &arguments, ..Choice::default() };
        assert!(plan(&suites(), &all).is_err());
        let one = vec!["b".to_owned()];
        let items = plan(&suites(), &Choice { suites: &one, ..all }).unwrap();
        assert_eq!(items[0].command, ["b", "-x"]);
        assert!(items[0].is_filtered);
    }

    #[test]
    fn every_suite_is_in_one_part_and_what_can_be_spread_in_all() {
        let mut seen = Vec::new();
        for part in 1..=3 {
            let partition = Some(Partition { part, parts: 3 });
            let items = plan(&suites(), &Choice { partition, ..Choice::default() }).unwrap();
            let spread = items.iter().find(|item| item.name == "c").unwrap();
            assert_eq!(spread.command, ["c".to_owned(), format!("{part} of 3")]);
            seen.extend(items.into_iter().map(|item| item.name).filter(|name| name != "c"));
        }
        seen.sort();
        assert_eq!(seen, ["a", "a (many)", "b", "d", "e"]);
    }

    #[test]
    fn a_partition_is_one_of_several() {
        assert_eq!("2/3".parse(), Ok(Partition { part: 2, parts: 3 }));
        for wrong in ["", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3"] {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong:?}");
        }
    }
}
