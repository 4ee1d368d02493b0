//! Which job is to run what, so that the last one ends as early as possible.
//!
//! The longest first, each to the job that has least to do, is within a third of the best. From
//! there on other divisions are tried, until one is as good as can be or it has taken long enough.

use std::time::Duration;

/// How many placements are tried: some milliseconds.
const PATIENCE: usize = 1000;

/// The job of each of `lengths`, which are in descending order.
pub(super) fn divide(lengths: &[Duration], jobs: usize) -> Vec<usize> {
    let mut search = Search {
        lengths,
        good_enough: good_enough(lengths, jobs),
        loads: vec![Duration::ZERO; jobs.max(1)],
        placed: Vec::new(),
        best: None,
        tried: 0,
    };
    search.place_next();
    search.best.map(|best| best.jobs).unwrap_or_default()
}

/// No division ends earlier than this, save for a hundredth: lengths are not known better.
fn good_enough(lengths: &[Duration], jobs: usize) -> Duration {
    let total = lengths.iter().copied().fold(Duration::ZERO, Duration::saturating_add);
    let even = total / u32::try_from(jobs.max(1)).unwrap_or(u32::MAX);
    let bound = lengths.first().map_or(even, |longest| even.max(*longest));
    bound.saturating_add(bound / 100)
}

struct Search<'a> {
    lengths: &'a [Duration],
    good_enough: Duration,
    /// What each job has to do so far.
    loads: Vec<Duration>,
    /// The jobs of the first ones.
    placed: Vec<usize>,
    best: Option<Division>,
    tried: usize,
}

/// A division of all.
struct Division {
    ends: Duration,
    jobs: Vec<usize>,
}

impl Search<'_> {
    /// Tries all jobs for the next one, and for all behind it.
    fn place_next(&mut self) {
        let Some(length) = self.lengths.get(self.placed.len()) else { return self.note() };
        let mut jobs: Vec<usize> = (0..self.loads.len()).collect();
        jobs.sort_by_key(|job| self.loads[*job]);
        // With as much to do, one is as good as another.
        jobs.dedup_by_key(|job| self.loads[*job]);
        for job in jobs {
            let before = self.loads[job];
            let load = before.saturating_add(*length);
            if !self.is_worth(load) {
                // The others have more to do already.
                break;
            }
            self.tried += 1;
            self.loads[job] = load;
            self.placed.push(job);
            self.place_next();
            self.placed.pop();
            self.loads[job] = before;
        }
    }

    /// Whether a division in which a job has that much to do could be better than the best.
    fn is_worth(&self, load: Duration) -> bool {
        self.best.as_ref().is_none_or(|best| {
            load < best.ends && best.ends > self.good_enough && self.tried < PATIENCE
        })
    }

    fn note(&mut self) {
        let ends = self.loads.iter().copied().max().unwrap_or_default();
        if self.best.as_ref().is_none_or(|best| ends < best.ends) {
            self.best = Some(Division { ends, jobs: self.placed.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(lengths: &[u64], jobs: usize) -> Vec<usize> {
        let lengths: Vec<Duration> = lengths.iter().copied().map(Duration::from_secs).collect();
        divide(&lengths, jobs)
    }

    #[test]
    fn halves_are_found_that_the_longest_first_does_not_find() {
        assert_eq!(divided(&[3, 3, 2, 2, 2], 2), [0, 0, 1, 1, 1]);
        assert_eq!(divided(&[16, 14, 12, 10, 5, 3], 2), [0, 0, 1, 1, 1, 1]);
    }

    #[test]
    fn the_first_division_is_kept_where_none_is_better() {
        assert_eq!(divided(&[9, 1, 1], 2), [0, 1, 1]);
        assert_eq!(divided(&[2, 1], 3), [0, 1]);
        assert_eq!(divided(&[2, 1], 1), [0, 0]);
        assert_eq!(divided(&[], 2), [0; 0]);
    }

    #[test]
    fn however_many_there_are_the_search_ends() {
        let mut lengths: Vec<u64> = (1000..1200).map(|number| number * 7919 % 4096).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(divided(&lengths, 7).len(), lengths.len());
        assert_eq!(divided(&[u64::MAX, u64::MAX, 1], 2).len(), 3);
    }
}
