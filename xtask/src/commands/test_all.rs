//! `test-all`: every suite, between an up and a down of a cluster of their own.

use std::path::Path;

use crate::cli::{Overrides, TestAll};
use crate::embedded;
use crate::export::Environment;
use crate::failure::{CheckFailed, Interrupted};
use crate::output::{print, say};
use crate::owned::{OwnedStack, Request};
use crate::results::count::Count;
use crate::settings::Wanted;
use crate::signals::Interrupt;
use crate::stack::{Leaves, StackFolder};
use crate::suites::{self, Suite, run, virtual_environment};
use crate::workspace::Workspace;

/// # Errors
/// [`CheckFailed`] when a test failed, or, with `--strict`, a suite could not run.
pub(crate) fn run(workspace: &Workspace, arguments: &TestAll) -> anyhow::Result<()> {
    let suites = suites::load(&workspace.suites_yml(), &arguments.suites)?;
    let (mut runnable, mut total) = (Vec::new(), Count::default());
    for (name, suite) in suites {
        let missing = suite.missing().join(", ");
        if missing.is_empty() {
            runnable.push((name, suite));
        } else {
            say(&format!("suite {name} is skipped: {missing} is not installed"));
            *(if arguments.strict { &mut total.failed } else { &mut total.skipped }) += 1;
        }
    }
    let interrupt = Interrupt::catch()?;
    for (name, suite) in &runnable {
        if suite.clusters.is_empty() {
            total += counted(name, one(workspace, name, suite, &[], &interrupt))?;
        }
        for profile in &suite.clusters {
            let count = on_a_cluster(workspace, name, suite, profile, &interrupt);
            total += counted(name, count)?;
        }
    }
    print(&format!("{total}\n"))?;
    match total.failed {
        0 => Ok(()),
        failed => Err(CheckFailed(format!("{failed} failed")).into()),
    }
}

/// A suite that cannot be run is one failure, and no reason not to run the others.
///
/// # Errors
/// When a signal has ended it: then the others are not run.
fn counted(name: &str, result: anyhow::Result<Count>) -> anyhow::Result<Count> {
    match result {
        Err(error) if !error.is::<Interrupted>() => {
            say(&format!("suite {name} could not be run: {error:#}"));
            Ok(Count { failed: 1, ..Count::default() })
        }
        result => result,
    }
}

/// Brings a stack up, runs the suite on it, and takes it down whatever happened.
fn on_a_cluster(
    workspace: &Workspace,
    name: &str,
    suite: &Suite,
    profile: &str,
    interrupt: &Interrupt,
) -> anyhow::Result<Count> {
    let profile = Some(profile).filter(|profile| *profile != "default").map(str::to_owned);
    let overrides = Overrides { profile, ..Overrides::default() };
    let wanted = Wanted::load(&workspace.services_yml(), &overrides)?;
    let mut stack = OwnedStack::bring_up(Request {
        workspace,
        folder: fresh_folder(workspace)?,
        wanted: &wanted,
        selection: &[],
        services_binary: embedded::services_binary()?,
        leaves: Leaves::Nothing,
        interrupt,
        command: "cargo xtask test-all",
    })?;
    let run = || {
        let environment = Environment::of_stack(&stack.cluster(), "admin")?;
        let variables: Vec<(String, String)> =
            environment.variables().map(|(name, value)| (name.into(), value.into())).collect();
        let name = overrides.profile.map_or_else(|| name.to_owned(), |it| format!("{name} ({it})"));
        one(workspace, &name, suite, &variables, interrupt)
    };
    let result = run();
    if !matches!(&result, Ok(count) if count.failed == 0) {
        let logs = stack.keep_logs()?;
        say(&format!("the logs of the cluster are in {}", logs.display()));
    }
    let down = stack.end();
    result.and_then(|count| down.map(|()| count))
}

/// One that has no logs of an earlier suite: those of one that failed are to stay.
fn fresh_folder(workspace: &Workspace) -> anyhow::Result<StackFolder> {
    let pid = std::process::id();
    for number in 1.. {
        let folder = StackFolder::new(workspace, format!("test-all-{pid}-{number}").parse()?);
        if !folder.has_logs() {
            return Ok(folder);
        }
    }
    anyhow::bail!("there is no name left for a stack")
}

fn one(
    workspace: &Workspace,
    name: &str,
    suite: &Suite,
    variables: &[(String, String)],
    interrupt: &Interrupt,
) -> anyhow::Result<Count> {
    say(&format!("suite {name}: {}", suite.command.join(" ")));
    let mut variables = variables.to_vec();
    if let Some(requirements) = &suite.requirements {
        let requirements = workspace.root().join(requirements);
        let bin = virtual_environment::programs_folder(&requirements, &workspace.cache())?;
        variables.push(("PATH".into(), path_with(&bin)?));
    }
    let count = run::run(&suite.command, workspace.root(), &variables, interrupt)?;
    say(&format!("suite {name}: {count}"));
    Ok(count)
}

/// PATH with `folder` first.
fn path_with(folder: &Path) -> anyhow::Result<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    let joined = std::env::join_paths(folders)?;
    joined.into_string().map_err(|path| anyhow::anyhow!("PATH is not text: {}", path.display()))
}
