//! `test-all`: every suite, side by side, each on a cluster of its own.

use std::num::NonZero;

use serde_json::json;

use crate::cli::{ReportFormat, TestAll};
use crate::embedded;
use crate::failure::{CheckFailed, Interrupted, Usage};
use crate::output::{print, say};
use crate::parent::Parent;
use crate::report;
use crate::results::{Attempt, Outcome, Results};
use crate::suites::{self, Isolation};
use crate::test_run::folder::ReportFolder;
use crate::test_run::plan::{self, Choice, Item};
use crate::test_run::{self, Options};
use crate::workspace::Workspace;
use crate::yaml;

/// # Errors
/// [`CheckFailed`] when a test failed; [`Interrupted`] when a signal ended the run; else when a
/// suite could not be run.
pub(crate) fn run(workspace: &Workspace, arguments: &TestAll) -> anyhow::Result<()> {
    let suites_yml = workspace.suites_yml();
    let mut suites = suites::load(&suites_yml)?;
    let wanted = suites::clusters::wanted(&suites_yml, &suites, &workspace.services_yml())?;
    if let Some(checkout) = &arguments.upstream {
        suites.extend(suites::upstream::suites(checkout)?);
    }
    let choice = Choice {
        suites: &arguments.suites,
        skip: &arguments.skip,
        arguments: &arguments.arguments,
        partition: arguments.partition,
        root: workspace.root().to_owned(),
    };
    let items = plan::plan(&suites, &choice)?;
    if items.is_empty() && arguments.partition.is_none() {
        return Err(Usage("there is no suite to run".to_owned()).into());
    }
    for item in &items {
        item.check_places(workspace.root()).map_err(|what| {
            let name = &item.suite_name;
            Usage(yaml::located(&suites_yml, name, &format!("suite {name}: {what}")))
        })?;
    }
    if arguments.list {
        return print(&list(&items, arguments.format));
    }
    let parent = Parent::of_stacks()?;
    parent.notes().iter().for_each(|note| say(note));
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let options = Options {
        // One API server is not for two suites at once.
        jobs: match parent.api {
            Some(_) => 1,
            None => arguments.jobs.map_or(processors, NonZero::get),
        },
        strict: arguments.strict,
        fail_fast: arguments.fail_fast,
        keep: arguments.keep,
    };
    let services_binary = embedded::services_binary()?;
    let folder = ReportFolder::open(workspace, arguments.report.as_deref())?;
    let mut results =
        test_run::run(workspace, &services_binary, wanted, parent, items, options, &folder)?;
    results.partition = arguments.partition.map(|partition| partition.to_string());
    let written = report::write(&results, folder.path());
    let told = summarise(&results, &folder);
    // What has failed is more important than that nobody could be told.
    verdict(&results).and(written).and(told)
}

/// What would be run.
fn list(items: &[Item], format: ReportFormat) -> String {
    match format {
        ReportFormat::Json => {
            let items: Vec<_> = items
                .iter()
                .map(|item| {
                    json!({
                        "name": item.name,
                        "suite": item.suite_name,
                        "profile": item.profile,
                        "isolation": match item.suite.isolation {
                            Isolation::Stack => "stack",
                            Isolation::Shared => "shared",
                            Isolation::None => "none",
                        },
                        "command": item.command,
                        "sharded": item.is_sharded,
                        "missing": item.missing,
                    })
                })
                .collect();
            format!("{}\n", json!(items))
        }
        ReportFormat::Human => {
            let line = |item: &Item| match item.missing.as_slice() {
                [] => format!("{:<20} {}\n", item.name, item.command.join(" ")),
                missing => format!("{:<20} skipped: {}\n", item.name, missing.join(", ")),
            };
            items.iter().map(line).collect()
        }
    }
}

/// Says what has to be looked at, and in the end, on standard output, the numbers.
fn summarise(results: &Results, folder: &ReportFolder) -> anyhow::Result<()> {
    for suite in &results.suites {
        let failed = suite.last().into_iter().flat_map(Attempt::failed_tests);
        failed.for_each(|test| say(&format!("failed: {}: {test}", suite.name)));
    }
    say(&format!("report: {}", folder.path().join("index.html").display()));
    print(&format!("{}\n", results.count()))
}

fn verdict(results: &Results) -> anyhow::Result<()> {
    if let Some(signal) = results.interrupted {
        return Err(Interrupted(signal).into());
    }
    let named = |wanted: fn(&Outcome) -> bool| -> Vec<&str> {
        let suites = results.suites.iter().filter(|suite| wanted(&suite.outcome));
        suites.map(|suite| suite.name.as_str()).collect()
    };
    let broken = named(|outcome| matches!(outcome, Outcome::Broken(_)));
    let failed = named(Outcome::is_failure);
    let said = [("failed", &failed), ("could not be run", &broken)];
    let said = said.iter().filter(|(_, suites)| !suites.is_empty());
    let said: Vec<String> =
        said.map(|(what, suites)| format!("{what}: {}", suites.join(", "))).collect();
    let said = said.join("; ");
    match (failed.is_empty(), broken.is_empty()) {
        (true, true) => Ok(()),
        // To try again would not help.
        (false, _) => Err(CheckFailed(said).into()),
        (true, false) => anyhow::bail!(said),
    }
}
