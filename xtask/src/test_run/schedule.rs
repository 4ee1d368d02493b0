//! In which order suites are taken, so that all are done as early as possible.
//!
//! They are divided among the jobs, and of each job the longest comes first: then the short ones fill
//! the gaps in the end. How long one takes is known from the run before; one that is new may take as
//! long as its time limit says. A job that is done takes whatever is next, also where others took
//! longer than they were expected to.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

use super::division;
use super::plan::Item;
use crate::suites::Isolation;

/// Suites that run one after the other: those that share a cluster, or one by itself.
#[derive(Debug)]
pub(crate) struct Chain {
    /// Its place in the order in which chains are started.
    pub(crate) order: usize,
    pub(crate) items: Vec<Planned>,
}

/// A suite with its place in the results.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) place: usize,
    pub(crate) item: Item,
}

impl Chain {
    /// The profile of the cluster that its suites share.
    pub(crate) fn shared_profile(&self) -> Option<&str> {
        let item = &self.items.first()?.item;
        item.profile.as_deref().filter(|_| item.suite.isolation == Isolation::Shared)
    }
}

/// The chains of `items`, in the order in which so many jobs are to start them. `known` tells how long
/// a suite of that name took the last time.
pub(crate) fn schedule(
    items: impl IntoIterator<Item = Planned>,
    jobs: usize,
    known: &dyn Fn(&str) -> Option<Duration>,
) -> VecDeque<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for planned in items {
        let is_shared = planned.item.suite.isolation == Isolation::Shared;
        let profile = planned.item.profile.clone().filter(|_| is_shared);
        let same = |chain: &&mut Chain| is_shared && chain.shared_profile() == profile.as_deref();
        match chains.iter_mut().find(same) {
            Some(chain) => chain.items.push(planned),
            None => chains.push(Chain { order: 0, items: vec![planned] }),
        }
    }
    let length = |chain: &Chain| {
        let of = |planned: &Planned| {
            let limit = Duration::from_secs(planned.item.suite.timeout);
            known(&planned.item.name).unwrap_or(limit)
        };
        chain.items.iter().map(of).fold(Duration::ZERO, Duration::saturating_add)
    };
    chains.sort_by_key(|chain| Reverse(length(chain)));
    let lengths: Vec<Duration> = chains.iter().map(length).collect();
    let mut chains: Vec<(Duration, Chain)> =
        starts(&lengths, jobs).into_iter().zip(chains).collect();
    chains.sort_by_key(|(start, _)| *start);
    let ordered = (0..).zip(chains);
    ordered.map(|(order, (_, chain))| Chain { order, ..chain }).collect()
}

/// When each is started, if all take as long as is expected.
fn starts(lengths: &[Duration], jobs: usize) -> Vec<Duration> {
    let mut free = vec![Duration::ZERO; jobs.max(1)];
    let start = |(job, length): (usize, &Duration)| {
        let end = free[job].saturating_add(*length);
        std::mem::replace(&mut free[job], end)
    };
    division::divide(lengths, jobs).into_iter().zip(lengths).map(start).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::suites::Suite;
    use crate::test_run::plan::{Choice, plan};

    fn order(suites: &str, jobs: usize, known: &[(&str, u64)]) -> Vec<Vec<String>> {
        let suites: BTreeMap<String, Suite> = serde_yaml::from_str(suites).unwrap();
        let items = plan(&suites, &Choice::default()).unwrap();
        let items = items.into_iter().enumerate().map(|(place, item)| Planned { place, item });
        let known = |name: &str| {
            let known = known.iter().find(|(known, _)| *known == name);
            known.map(|(_, seconds)| Duration::from_secs(*seconds))
        };
        let names = |chain: Chain| chain.items.into_iter().map(|it| it.item.name).collect();
        schedule(items, jobs, &known).into_iter().map(names).collect()
    }

    #[test]
    fn the_longest_is_first_and_a_new_one_by_its_time_limit() {
        let suites = "{a: {command: [a]}, b: {command: [b]}, c: {command: [c]}, d: {command: [d]}, \
                      e: {command: [e], timeout: 2}}";
        assert_eq!(
            order(suites, 1, &[("a", 1), ("b", 3), ("d", 2)]),
            [["c"], ["b"], ["d"], ["e"], ["a"]]
        );
    }

    #[test]
    fn suites_that_share_a_cluster_follow_each_other() {
        let suites = "
            a: {command: [a], isolation: shared}
            b: {command: [b]}
            c: {command: [c], isolation: shared}
            d: {command: [d], isolation: shared, profiles: [many]}
        ";
        let known = [("a", 2), ("b", 3), ("c", 2), ("d (many)", 1)];
        assert_eq!(order(suites, 1, &known), [vec!["a", "c"], vec!["b"], vec!["d (many)"]]);
    }

    #[test]
    fn jobs_that_take_them_in_this_order_are_done_at_once() {
        let suites = "{a: {command: [a]}, b: {command: [b]}, c: {command: [c]}, d: {command: [d]}, \
                      e: {command: [e]}, f: {command: [f]}}";
        let known = [("a", 3), ("b", 10), ("c", 16), ("d", 5), ("e", 14), ("f", 12)];
        assert_eq!(order(suites, 2, &known), [["c"], ["f"], ["b"], ["e"], ["d"], ["a"]]);
    }
}
