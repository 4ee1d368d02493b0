//! Measurements of loading and resetting, for whoever changes either:
//! `cargo test -p services --bin services load_bench -- --ignored --nocapture`.
//!
//! `BENCH_FIXTURES` names another folder of fixtures to measure.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use rusqlite::Connection;
use sdk_fixtures::Fixtures;

use super::changed_rows::ChangedRows;
use super::error::ApiError;
use super::image;
use super::reset;
use super::schema;
use super::store::Store;
use crate::era::Era;

fn folder() -> PathBuf {
    match std::env::var_os("BENCH_FIXTURES") {
        Some(folder) => folder.into(),
        None => Fixtures::builtin().dir().to_owned(),
    }
}

/// A loop that makes `count` collections, beside the fixtures of the project.
fn generated(at: &Path, count: usize) {
    for entry in fs_err::read_dir(Fixtures::builtin().dir()).unwrap() {
        let entry = entry.unwrap();
        fs_err::copy(entry.path(), at.join(entry.file_name())).unwrap();
    }
    let text = format!(
        "<% for i in 1..{count} do %>
generated_<%= i %>:
  uuid: zzzzz-4zz18-<%= i.to_s.rjust(15, '0') %>
  owner_uuid: zzzzz-tpzed-xurymjxw79nv3jz
  name: generated <%= i %>
  portable_data_hash: ea10d51bcf88862dbcc36eb292017dfd+45
  manifest_text: \". 73feffa4b7f6bb68e44cf984c85f6e88+3 0:3:baz\\n\"
  created_at: <%= i.minutes.ago.to_s(:db) %>
  modified_at: 2014-02-03 17:22:54
  properties:
    number: <%= i %>
<% end %>
"
    );
    fs_err::write(at.join("collections.yml"), text).unwrap();
}

/// Elapsed time, and what of it this process has worked: others may be working, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Took {
    worked: Duration,
    elapsed: Duration,
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2?} ({:.2?} of work)", self.elapsed, self.worked)
    }
}

struct Clock {
    start: Instant,
    worked: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { start: Instant::now(), worked: worked() }
    }

    fn elapsed(&self) -> Took {
        Took { worked: worked() - self.worked, elapsed: self.start.elapsed() }
    }
}

fn worked() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let duration = |time: TimeVal| Duration::from_micros(time.num_microseconds() as u64);
    duration(usage.user_time()) + duration(usage.system_time())
}

fn median(mut times: Vec<Took>) -> Took {
    times.sort();
    times[times.len() / 2]
}

fn measure(what: &str, folder: &Path) {
    let work = tempfile::tempdir().unwrap();
    let fixtures = Fixtures::open(folder);
    let read = Clock::start();
    let classes: Vec<_> =
        fixtures.classes().unwrap().iter().map(|name| fixtures.class(name).unwrap()).collect();
    let records: usize = classes.iter().map(|class| class.records.len()).sum();
    let read = read.elapsed();
    let load = Clock::start();
    let image = image::prepare(&fixtures, work.path(), Era::default()).unwrap();
    let load = load.elapsed();
    println!("{what}: {records} records read in {read}, loaded in {load}");
    let store = Store::open(&work.path().join("api.sqlite"), &image).unwrap();
    let reset = |of_what: Option<&ChangedRows>| {
        let start = Clock::start();
        let restore = |db: &Connection, changed: &ChangedRows| {
            reset::restore(db, of_what.unwrap_or(changed)).map_err(ApiError::from)
        };
        store.reset(restore).unwrap();
        start.elapsed()
    };
    let all = ChangedRows::unknown();
    let resets = median((0..21).map(|_| reset(None)).collect());
    let full_resets = median((0..21).map(|_| reset(Some(&all))).collect());
    println!("{what}: reset in {resets}, all of it in {full_resets}");
}

#[test]
#[ignore = "a measurement"]
fn loading_and_resetting() {
    measure("fixtures", &folder());
    let many = tempfile::tempdir().unwrap();
    generated(many.path(), 100_000);
    measure("generated", many.path());
}

#[test]
#[ignore = "a measurement"]
fn writing_with_each_setting() {
    const WRITES: u32 = 300;
    // Where the databases of stacks are: a temporary folder may be in memory.
    let work = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let schema = schema::statements(Era::default());
    for journal in ["WAL", "TRUNCATE"] {
        for synchronous in ["OFF", "NORMAL", "FULL"] {
            let path = work.path().join(format!("{journal}-{synchronous}"));
            let db = Connection::open(path).unwrap();
            db.pragma_update(None, "journal_mode", journal).unwrap();
            db.pragma_update(None, "synchronous", synchronous).unwrap();
            db.execute_batch(&schema).unwrap();
            let start = Instant::now();
            for number in 0..WRITES {
                let sql = "INSERT INTO logs (uuid, properties) VALUES (?, ?)";
                db.execute(sql, (format!("zzzzz-57u5n-{number:015}"), "x".repeat(1000))).unwrap();
            }
            println!(
                "{journal}, synchronous {synchronous}: {:.2?} a write",
                start.elapsed() / WRITES
            );
        }
    }
}
