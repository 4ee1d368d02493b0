//! Processes of stacks whose state is lost, or whose whole folder has been deleted: nothing but
//! they themselves tell whose they are.
//!
//! A process is taken for one only if it has the marker of a service, or holds the lock of one,
//! deleted or not. That it merely works in the folder is not enough: a user's shell does that too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::marker::Marker;
use super::members::Signs;
use super::table::{self, Entry};

/// One service that nobody knows of any more.
#[derive(Clone, Debug)]
pub(crate) struct Orphan {
    /// Where the stack's folder is, or was.
    pub(crate) folder: PathBuf,
    pub(crate) service: String,
    /// By which its processes are found.
    pub(crate) signs: Signs,
    /// When the first of them started, in clock ticks.
    pub(crate) since: u64,
}

/// What is seen of one process.
struct Seen {
    entry: Entry,
    marker: Option<Marker>,
    lock: Option<HeldLock>,
}

/// The open lock of a service: `FOLDER/SERVICE.lock`.
struct HeldLock {
    name: PathBuf,
    is_deleted: bool,
    /// Through which it can be reached in either case.
    descriptor: PathBuf,
}

/// The services of the stack in `folder` that still run.
pub(crate) fn of_stack(folder: &Path) -> Vec<Orphan> {
    group(look(), &|of| of == folder)
}

/// The services that still run of stacks whose folder has been deleted, and `is_ours`.
pub(crate) fn of_deleted_stacks(is_ours: &dyn Fn(&Path) -> bool) -> Vec<Orphan> {
    let seen = look();
    let deleted = deleted_folders(&seen);
    group(seen, &|folder| deleted.contains(folder) && is_ours(folder))
}

/// Folders of which something that is still in use has been deleted.
fn deleted_folders(seen: &[Seen]) -> BTreeSet<PathBuf> {
    let of_lock = |process: &Seen| {
        let lock = process.lock.as_ref().filter(|lock| lock.is_deleted)?;
        Some(lock.name.parent()?.to_owned())
    };
    seen.iter().filter_map(of_lock).filter(|folder| !folder.exists()).collect()
}

fn group(seen: Vec<Seen>, is_wanted: &dyn Fn(&Path) -> bool) -> Vec<Orphan> {
    let mut found: BTreeMap<(PathBuf, String), Orphan> = BTreeMap::new();
    for process in seen {
        let Some((folder, service)) = process.belongs_to().filter(|(folder, _)| is_wanted(folder))
        else {
            continue;
        };
        let since = process.entry.start_time;
        let signs = Signs {
            leader: Some(process.entry.identity()),
            daemon: None,
            known: Vec::new(),
            marker: process.marker.map(|marker| marker.to_string()),
            lock: process.lock.map(|lock| lock.descriptor),
        };
        let known = found.entry((folder.clone(), service.clone()));
        let new = || Orphan { folder, service, signs: signs.clone(), since };
        let known = known.or_insert_with(new);
        known.signs.complete(signs);
        known.since = known.since.min(since);
    }
    found.into_values().collect()
}

/// All processes that are somebody's service.
fn look() -> Vec<Seen> {
    // Root sees everybody's, and is not to end them.
    let user = nix::unistd::geteuid().as_raw();
    let own = table::read().into_iter().filter(|entry| entry.user() == Some(user));
    let seen = own.map(|entry| Seen {
        marker: entry.marker().and_then(|marker| Marker::parse(&marker)),
        lock: entry
            .open_paths()
            .into_iter()
            .filter_map(lock)
            .find(|lock| entry.has_locked(&lock.descriptor)),
        entry,
    });
    let is_service = |process: &Seen| process.marker.is_some() || process.lock.is_some();
    // In a container, the same name is another folder.
    seen.filter(|process| is_service(process) && process.entry.shares_our_files()).collect()
}

/// That lock, if the open file is one.
fn lock((descriptor, name, is_deleted): (PathBuf, PathBuf, bool)) -> Option<HeldLock> {
    let is_lock = name.extension()? == "lock";
    // The lock of the stack is held by commands like ourselves.
    let is_service = name.file_stem()? != "stack";
    let in_a_stack = name.ancestors().nth(2)?.ends_with(".services");
    (is_lock && is_service && in_a_stack).then_some(HeldLock { name, is_deleted, descriptor })
}

impl Seen {
    /// The stack's folder and the service.
    fn belongs_to(&self) -> Option<(PathBuf, String)> {
        if let Some(marker) = &self.marker {
            return Some((marker.folder.clone(), marker.service.clone()));
        }
        let name = &self.lock.as_ref()?.name;
        Some((name.parent()?.to_owned(), name.file_stem()?.to_str()?.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_lock(name: &str) -> bool {
        lock((PathBuf::new(), name.into(), true)).is_some()
    }

    #[test]
    fn only_the_lock_of_a_service_makes_a_process_one_of_a_stack() {
        assert!(is_lock("/a b/.services/default/keep0.lock"));
        for other in [
            "/a b/.services/default/stack.lock",
            "/a b/.services/default/log/keep0.log",
            "/a b/.services/python.lock",
            "/keep0.lock",
            "socket:[1]",
        ] {
            assert!(!is_lock(other), "{other}");
        }
    }
}
