//! Which processes belong to a service.
//!
//! No single sign covers every program: some clear their environment, some close their
//! descriptors, some leave the session. What belongs to a service is the union of: its session,
//! the marker in the environment, the holders of its lock, and of all these the descendants and
//! those who share a session with one.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::table::{self, Entry, FileId};

/// By what the processes of a service are known.
#[derive(Clone, Debug)]
pub(crate) struct Signs {
    /// The process that we started, which leads its session; unknown if we were killed before
    /// we could write it down.
    pub(crate) leader: Option<Identity>,
    /// The one that went on when the leader had ended: a daemon.
    pub(crate) daemon: Option<Identity>,
    /// Those that were found earlier, of which not all may bear a sign of their own any more.
    pub(crate) known: Vec<Identity>,
    /// Random, and in the environment of nothing else; unknown if the state is lost.
    pub(crate) marker: Option<String>,
    /// The lock file that its processes inherit; unknown if the state is lost.
    pub(crate) lock: Option<PathBuf>,
}

impl Signs {
    /// Takes from `other` what is not known yet.
    pub(crate) fn complete(&mut self, other: Self) {
        self.leader = self.leader.or(other.leader);
        self.daemon = self.daemon.or(other.daemon);
        self.known.extend(other.known);
        self.marker = self.marker.take().or(other.marker);
        self.lock = self.lock.take().or(other.lock);
    }
}

/// What can be seen of a process.
#[derive(Clone, Debug)]
struct Seen {
    identity: Identity,
    parent: i32,
    /// `None` if one of it is older than the stack, or is this program: then it is the session of
    /// whoever called us, in which a service is for an instant before it leads its own.
    session: Option<i32>,
    marker: Option<String>,
    /// Those that it holds.
    locks: Vec<FileId>,
    /// Whether it works in the stack's folder.
    at_home: bool,
}

/// The running processes of each service, in the order of `services`.
///
/// Only processes that started no earlier than `since` (clock ticks) are looked at closely, and
/// this program is never among them.
pub(crate) fn find(services: &[Signs], home: &Path, since: u64) -> Vec<Vec<Identity>> {
    let lock_ids: Vec<Option<FileId>> =
        services.iter().map(|service| FileId::of(service.lock.as_ref()?)).collect();
    let all_locks: Vec<FileId> = lock_ids.iter().flatten().copied().collect();
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let (candidates, others): (Vec<Entry>, Vec<Entry>) =
        table::read().into_iter().partition(|entry| entry.start_time >= since && entry.pid != own);
    let foreign: HashSet<i32> = others.iter().map(|entry| entry.session).collect();
    let processes: Vec<Seen> = candidates
        .into_iter()
        .map(|entry| Seen {
            identity: entry.identity(),
            parent: entry.parent,
            session: (!foreign.contains(&entry.session)).then_some(entry.session),
            marker: entry.marker(),
            locks: entry.locked_files(&all_locks),
            at_home: entry.working_folder().is_some_and(|folder| folder.starts_with(home)),
        })
        .collect();
    services
        .iter()
        .zip(lock_ids)
        .map(|(service, lock)| belonging(service, lock, &processes))
        .collect()
}

fn belonging(service: &Signs, lock: Option<FileId>, processes: &[Seen]) -> Vec<Identity> {
    let by_itself = |seen: &&Seen| {
        let is_known = [service.leader, service.daemon].contains(&Some(seen.identity))
            || service.known.contains(&seen.identity);
        let has_marker = service.marker.is_some() && seen.marker == service.marker;
        let has_lock = lock.is_some_and(|lock| seen.locks.contains(&lock));
        // A session keeps its number while it has members. Once all are gone the number may be a
        // stranger's, so where nobody else in it is known it takes one more sign.
        let leader = service.leader.map(|leader| leader.pid);
        let in_session = seen.session.is_some() && seen.session == leader && seen.at_home;
        is_known || has_marker || has_lock || in_session
    };
    let mut found: HashSet<i32> =
        processes.iter().filter(by_itself).map(|seen| seen.identity.pid).collect();
    loop {
        let is_found = |seen: &&Seen| found.contains(&seen.identity.pid);
        let sessions: HashSet<i32> =
            processes.iter().filter(is_found).filter_map(|seen| seen.session).collect();
        let related = |seen: &&Seen| {
            let shares_session = seen.session.is_some_and(|session| sessions.contains(&session));
            found.contains(&seen.parent) || shares_session
        };
        let related: HashSet<i32> =
            processes.iter().filter(related).map(|seen| seen.identity.pid).collect();
        if related.is_subset(&found) {
            break;
        }
        found.extend(related);
    }
    let members = processes.iter().filter(|seen| found.contains(&seen.identity.pid));
    members.map(|seen| seen.identity).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, session: i32) -> Seen {
        let identity = Identity { pid, start_time: 1000 };
        let session = Some(session);
        Seen { identity, parent, session, marker: None, locks: vec![], at_home: false }
    }

    fn service(leader: Option<i32>) -> Signs {
        let leader = leader.map(|pid| Identity { pid, start_time: 1000 });
        let marker = Some("ours".into());
        Signs { leader, daemon: None, known: vec![], marker, lock: None }
    }

    fn pids(service: &Signs, processes: &[Seen]) -> Vec<i32> {
        let found = belonging(service, FileId::of("/"), processes);
        found.iter().map(|identity| identity.pid).collect()
    }

    #[test]
    fn session_marker_lock_and_descent_each_suffice() {
        let marked = Seen { marker: Some("ours".into()), ..process(20, 1, 20) };
        let locked = Seen { locks: FileId::of("/").into_iter().collect(), ..process(30, 1, 30) };
        let processes = [
            process(10, 1, 10),
            process(11, 1, 10),
            marked,
            locked,
            process(31, 30, 31),
            process(32, 31, 32),
            process(99, 1, 99),
        ];
        assert_eq!(pids(&service(Some(10)), &processes), [10, 11, 20, 30, 31, 32]);
    }

    #[test]
    fn a_recycled_session_number_is_left_alone() {
        let mut stranger = process(10, 1, 10);
        stranger.identity.start_time = 2000;
        let its_child = process(12, 1, 10);
        assert_eq!(pids(&service(Some(10)), &[stranger, its_child]), [0; 0]);
    }

    #[test]
    fn the_session_of_a_dead_leader_is_ours_if_it_works_in_our_folder() {
        let worker = Seen { at_home: true, ..process(11, 1, 10) };
        assert_eq!(pids(&service(Some(10)), &[worker]), [11]);
    }

    #[test]
    fn the_session_of_a_daemon_is_ours_as_long_as_it_runs() {
        let daemon = process(20, 1, 19);
        let signs = Signs { daemon: Some(daemon.identity), ..service(Some(10)) };
        assert_eq!(pids(&signs, &[daemon, process(21, 1, 19)]), [20, 21]);
        assert_eq!(pids(&signs, &[process(21, 1, 19)]), [0; 0]);
    }

    #[test]
    fn who_shares_a_session_with_one_of_ours_is_ours() {
        let marked = Seen { marker: Some("ours".into()), ..process(20, 1, 19) };
        let processes = [marked, process(21, 1, 19), process(22, 21, 22), process(23, 1, 22)];
        assert_eq!(pids(&service(None), &processes), [20, 21, 22, 23]);
    }

    #[test]
    fn the_callers_session_is_not_ours_even_if_one_of_ours_is_in_it() {
        let locked = Seen { locks: FileId::of("/").into_iter().collect(), ..process(20, 1, 0) };
        let processes = [locked, process(21, 1, 0)].map(|seen| Seen { session: None, ..seen });
        assert_eq!(pids(&service(Some(10)), &processes), [20]);
    }

    #[test]
    fn what_an_orphan_starts_is_ours_if_the_orphan_was_found_in_time() {
        let orphan = process(20, 1, 20);
        let signs = Signs { known: vec![orphan.identity], ..service(None) };
        let processes = [orphan, process(21, 20, 21)];
        assert_eq!(pids(&signs, &processes), [20, 21]);
        assert_eq!(pids(&service(None), &processes), [0; 0]);
    }

    #[test]
    fn another_stacks_marker_and_a_missing_one_are_not_ours() {
        let theirs = Seen { marker: Some("theirs".into()), ..process(20, 1, 20) };
        let unknown = Signs { marker: None, ..service(None) };
        assert_eq!(pids(&service(None), std::slice::from_ref(&theirs)), [0; 0]);
        assert_eq!(pids(&unknown, &[theirs, process(21, 1, 21)]), [0; 0]);
    }
}
