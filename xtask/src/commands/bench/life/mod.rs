//! The life of a cluster: how long it takes, beside the time that the same programs take by themselves.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cli::{Bench, Overrides};
use crate::embedded;
use crate::lifecycle::Cluster;
use crate::output::print;
use crate::settings::Wanted;
use crate::stack::{StackFolder, State};
use crate::workspace::Workspace;

mod floor;
mod many;
mod memory;
mod suites;
mod table;

use table::Row;

/// Each takes seconds.
const SUITE_ROUNDS: usize = 3;

/// # Errors
/// When the cluster does not come up or go down.
pub(crate) fn run(workspace: &Workspace, arguments: &Bench) -> anyhow::Result<()> {
    let services_binary = embedded::services_binary()?;
    let wanted = Wanted::load(&workspace.services_yml(), &Overrides::default())?;
    let stack = format!("bench-{}", std::process::id());
    let folder = StackFolder::new(workspace, stack.parse()?);
    let ours = Ours { stack: &stack };
    let mut times = Times::default();
    // The first round makes what is cached, and is not counted.
    let mut memory = 0;
    for round in 0..=arguments.rounds {
        let mut one = Times::default();
        one.up.push(ours.timed("up")?);
        one.up_again.push(ours.timed("up")?);
        one.reset.push(ours.timed("reset")?);
        let state = State::load(&folder)?.context("the stack has no state")?;
        let cluster = Cluster::new(workspace, &folder, state);
        one.reset_floor.push(floor::reset(&cluster)?);
        memory = memory::of_stack(&cluster)?;
        one.down.push(ours.timed("down")?);
        let (up, down) = floor::up_and_down(workspace, &wanted.fresh(), &services_binary)?;
        one.up_floor.push(up);
        one.down_floor.push(down);
        if round > 0 {
            times.add(one);
        }
    }
    folder.remove()?;
    let (all_up, all_down) = many(workspace, arguments.stacks)?;
    let (test_all, best) = suites::runs(workspace, SUITE_ROUNDS)?;
    let own = test_all.iter().zip(&best).map(|(all, best)| all.saturating_sub(*best));
    let own: Vec<Duration> = own.collect();
    print(&table::render(&[
        Row::time("up, from nothing", &times.up, Some(&times.up_floor), "1.5 × floor, 40 ms"),
        Row::time("up, already running", &times.up_again, None, ""),
        Row::time("reset", &times.reset, Some(&times.reset_floor), "10 ms"),
        Row::time("down", &times.down, Some(&times.down_floor), "20 ms"),
        Row::memory("memory of the stack (PSS)", memory, "60 MB"),
        Row::time(&format!("up, {} stacks at once", arguments.stacks), &all_up, None, ""),
        Row::time(&format!("down, {} stacks at once", arguments.stacks), &all_down, None, ""),
        Row::time("test-all, 6 suites on 2 jobs", &test_all, Some(&best), "1.1 × best schedule"),
        Row::time("test-all without its suites", &own, None, "300 ms"),
    ]))
}

/// Measured a few times only: it takes as long as all the rest.
fn many(workspace: &Workspace, stacks: usize) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let times = (0..3).map(|_| many::up_and_down(stacks)).collect::<anyhow::Result<Vec<_>>>()?;
    for stack in 0..stacks {
        StackFolder::new(workspace, many::name(stack).parse()?).remove()?;
    }
    Ok(times.into_iter().unzip())
}

/// What was measured, a list of rounds for each step.
#[derive(Default)]
struct Times {
    up: Vec<Duration>,
    up_floor: Vec<Duration>,
    up_again: Vec<Duration>,
    reset: Vec<Duration>,
    reset_floor: Vec<Duration>,
    down: Vec<Duration>,
    down_floor: Vec<Duration>,
}

impl Times {
    fn add(&mut self, one: Self) {
        self.up.extend(one.up);
        self.up_floor.extend(one.up_floor);
        self.up_again.extend(one.up_again);
        self.reset.extend(one.reset);
        self.reset_floor.extend(one.reset_floor);
        self.down.extend(one.down);
        self.down_floor.extend(one.down_floor);
    }
}

/// This program, as a user calls it, without cargo.
struct Ours<'a> {
    stack: &'a str,
}

impl Ours<'_> {
    fn timed(&self, action: &str) -> anyhow::Result<Duration> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["services", action, "--stack", self.stack]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let started_at = Instant::now();
        let output = command.output()?;
        let took = started_at.elapsed();
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "services {action}: {error}");
        Ok(took)
    }
}
