//! A run of `test-all`: suites side by side, each on its cluster, and what came of them.
//!
//! Workers take chains of suites from a queue until that is empty. Whatever they have to tell is in
//! the results; nothing but [`progress`] says anything while they work.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;

use crate::latch::Latch;
use crate::parent::Parent;
use crate::results::{Outcome, Results, SuiteResult};
use crate::settings::Wanted;
use crate::signals::Interrupt;
use crate::stack::StackFolder;
use crate::suites::DEFAULT_PROFILE;
use crate::workspace::Workspace;

mod attend;
mod clock;
mod division;
pub(crate) mod folder;
mod ground;
pub(crate) mod history;
mod lane;
pub(crate) mod plan;
pub(crate) mod progress;
mod reading;
mod schedule;
mod settle;
mod turns;
mod watch;

use clock::Clock;
use folder::ReportFolder;
use history::History;
use lane::Lane;
use plan::Item;
use progress::Progress;
use schedule::{Chain, Planned};
use turns::Turns;

/// Who we are, for others that have to wait for us.
const COMMAND: &str = "cargo xtask test-all";

/// How a run is to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// How many suites run at once, at most.
    pub(crate) jobs: usize,
    /// What a machine lacks is a failure.
    pub(crate) strict: bool,
    /// After the first failure no other suite is begun.
    pub(crate) fail_fast: bool,
    /// The cluster of a suite that fails stays up.
    pub(crate) keep: bool,
}

/// What all workers share.
struct Run<'a> {
    workspace: &'a Workspace,
    clock: Clock,
    folder: &'a ReportFolder,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
    /// Set when we are asked to end a second time.
    hurry: &'a Latch,
    /// By profile.
    wanted: BTreeMap<String, Wanted>,
    /// Whose services the clusters use in place of their own.
    parent: Parent,
    /// By suite, the services that it needs.
    needs: BTreeMap<String, Vec<String>>,
    services_binary: &'a Path,
    options: Options,
    /// Those that may run a suite at once.
    jobs: Turns,
    /// Those that may have a cluster for which there is no job yet.
    ahead: Turns,
    /// Whether no other suite is to be begun.
    stopped: AtomicBool,
    stacks: AtomicUsize,
}

/// Runs `items` on clusters of the settings `wanted`, by profile, and returns when all that was started
/// for them is gone.
///
/// # Errors
/// When the run cannot begin. What becomes of a suite is in the results.
pub(crate) fn run(
    workspace: &Workspace,
    services_binary: &Path,
    wanted: BTreeMap<String, Wanted>,
    parent: Parent,
    items: Vec<Item>,
    options: Options,
    folder: &ReportFolder,
) -> anyhow::Result<Results> {
    let interrupt = Interrupt::catch()?;
    let hurry = Latch::new().context("too few file descriptors")?;
    let progress = Progress::new(options.jobs);
    let run = Run {
        workspace,
        clock: Clock::start(),
        folder,
        progress: &progress,
        interrupt: &interrupt,
        hurry: &hurry,
        wanted,
        parent,
        needs: needs(&items),
        services_binary,
        options,
        jobs: Turns::new(options.jobs),
        ahead: Turns::new(options.jobs),
        stopped: AtomicBool::new(false),
        stacks: AtomicUsize::new(0),
    };
    let history = History::load(workspace);
    let (mut results, queue) = sort_out(items, options, &progress, &history);
    let is_over = Latch::new().context("too few file descriptors")?;
    let signals = Interrupt::catch()?;
    std::thread::scope(|scope| {
        scope.spawn(|| attend::attend(&signals, &is_over, &hurry));
        work(&run, queue, &Mutex::new(&mut results));
        is_over.set();
    });
    let results = Results {
        began: run.clock.began_at,
        length: run.clock.now(),
        jobs: options.jobs,
        partition: None,
        suites: results,
        interrupted: interrupt.check().err().map(|interrupted| interrupted.0),
    };
    // It is only a help for the next run.
    let _unknown_next_time = history.remember(&results);
    Ok(results)
}

/// A place in the results for each suite, and the queue of those that can run.
fn sort_out(
    items: Vec<Item>,
    options: Options,
    progress: &Progress,
    history: &History,
) -> (Vec<SuiteResult>, VecDeque<Chain>) {
    let (mut results, mut runnable) = (Vec::new(), Vec::new());
    for (place, item) in items.into_iter().enumerate() {
        let missing = item.missing.join(", ");
        let mut result = item.result(Outcome::Interrupted);
        if missing.is_empty() {
            runnable.push(Planned { place, item });
        } else {
            result.outcome = match options.strict {
                true => Outcome::Failed(missing),
                false => Outcome::Skipped(missing),
            };
            progress.not_run(&result);
        }
        results.push(result);
    }
    (results, schedule::schedule(runnable, options.jobs, &|name| history.length(name)))
}

/// Workers take from the queue until it is empty, or nothing more is to be begun. There are two for
/// each job: while one runs a suite, the other prepares the next cluster or takes one down. Clusters
/// with the same API server would reset it under each other: for those there is one.
fn work(run: &Run<'_>, queue: VecDeque<Chain>, results: &Mutex<&mut Vec<SuiteResult>>) {
    let workers = match run.parent.api {
        Some(_) => 1,
        None => queue.len().min(2 * run.options.jobs),
    };
    let queue = Mutex::new(queue);
    let done = |place: usize, result: SuiteResult| {
        run.progress.finished(&result, run.folder);
        lock(results)[place] = result;
    };
    let worker = |number: usize| {
        let mut lane = Lane::new(run);
        loop {
            let ahead = run.ahead.take(number, None);
            let next = lock(&queue).pop_front();
            let Some(chain) = next else { break };
            lane.follow(&chain, ahead, done);
        }
    };
    std::thread::scope(|scope| {
        for number in 0..workers {
            scope.spawn(move || worker(number));
        }
    });
}

impl<'a> Run<'a> {
    fn wanted(&self, profile: Option<&str>) -> anyhow::Result<&Wanted> {
        let profile = profile.unwrap_or(DEFAULT_PROFILE);
        self.wanted.get(profile).with_context(|| format!("no settings of profile {profile}"))
    }

    /// Called when a suite has failed.
    fn stop_if_fail_fast(&self) {
        self.stopped.fetch_or(self.options.fail_fast, Ordering::SeqCst);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn selection(&self, suite: &str) -> &[String] {
        self.needs.get(suite).map_or(&[], Vec::as_slice)
    }

    /// One that no other suite has had, in this run or an earlier one.
    fn fresh_folder(&self) -> anyhow::Result<StackFolder> {
        loop {
            let number = self.stacks.fetch_add(1, Ordering::SeqCst) + 1;
            let name = format!("test-all-{}-{number}", std::process::id());
            let folder = StackFolder::new(self.workspace, name.parse()?);
            if !folder.path().exists() {
                return Ok(folder);
            }
        }
    }
}

fn needs(items: &[Item]) -> BTreeMap<String, Vec<String>> {
    let of = |item: &Item| (item.suite_name.clone(), item.suite.needs.services.clone());
    items.iter().map(of).collect()
}

/// What a panicked thread has left is as good as ever: each result is put in place as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
