//! What a load has taken.

use std::time::Duration;

/// The time of each operation, and that of all.
#[derive(Clone, Debug)]
pub(in super::super) struct Outcome {
    /// In rising order.
    times: Vec<Duration>,
    elapsed: Duration,
    worked: Duration,
}

impl Outcome {
    /// Of operations that took `times` in any order, `elapsed` all together, and the servers `worked`.
    pub(in super::super) fn new(
        mut times: Vec<Duration>,
        elapsed: Duration,
        worked: Duration,
    ) -> Self {
        times.sort_unstable();
        Self { times, elapsed, worked }
    }

    /// How many there were.
    #[cfg(test)]
    pub(in super::super) fn operations(&self) -> usize {
        self.times.len()
    }

    /// The time in which so many of a hundred operations were done, by the nearest rank; nothing of
    /// no operations.
    pub(in super::super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.times.len() * percent).div_ceil(100);
        self.times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Operations a second, of all clients together.
    pub(in super::super) fn rate(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// What the servers worked for one operation.
    pub(in super::super) fn work(&self) -> Duration {
        let operations = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        self.worked.checked_div(operations).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: impl IntoIterator<Item = u64>) -> Outcome {
        let times = milliseconds.into_iter().map(Duration::from_millis).collect();
        Outcome::new(times, Duration::from_secs(2), Duration::from_millis(100))
    }

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let percentiles = |outcome: &Outcome| [50, 99, 100].map(|it| outcome.percentile(it));
        let milliseconds = |times: [u64; 3]| times.map(Duration::from_millis);
        assert_eq!(percentiles(&of((1..=100).rev())), milliseconds([50, 99, 100]));
        assert_eq!(percentiles(&of([3, 1, 2])), milliseconds([2, 3, 3]));
        assert_eq!(percentiles(&of([7])), milliseconds([7, 7, 7]));
        assert_eq!(percentiles(&of([])), milliseconds([0, 0, 0]));
    }

    #[test]
    fn rate_and_work_are_those_of_all_clients() {
        let outcome = of([1; 10]);
        assert_eq!(outcome.rate(), 5.0);
        assert_eq!(outcome.work(), Duration::from_millis(10));
        assert_eq!(of([]).work(), Duration::ZERO);
    }
}
