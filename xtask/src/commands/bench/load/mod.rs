//! Load: clients that each do one thing again and again, all at the same time, and what that takes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::signals::Interrupt;

pub(super) mod http;
mod outcome;
pub(super) mod table;
pub(super) mod work;

pub(super) use outcome::Outcome;

/// How long clients go on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    /// Until they have done it so often, all together: for what takes seconds each time.
    Operations(usize),
    /// Until that time is over; what is under way then is finished.
    Time(Duration),
}

/// How something is to be measured.
pub(super) struct Load<'a> {
    /// How many do it at the same time.
    pub(super) clients: usize,
    /// How often each does it first, before anything counts: connections and caches are warm then.
    pub(super) warm_up: usize,
    /// How long it is measured after that.
    pub(super) length: Length,
    /// The processes whose work is counted, with all that descend from them.
    pub(super) servers: &'a [i32],
    /// Ends it early.
    pub(super) interrupt: &'a Interrupt,
}

impl Load<'_> {
    /// Makes clients, each by a call of `client` with its number, and lets each do its one thing.
    ///
    /// # Errors
    /// The first one of a client's, which ends that client and fails all.
    pub(super) fn run<C>(
        &self,
        client: impl Fn(usize) -> anyhow::Result<C> + Sync,
    ) -> anyhow::Result<Outcome>
    where
        C: FnMut() -> anyhow::Result<()> + Send,
    {
        let warm = at_once((0..self.clients).collect(), |number| {
            let mut operation = client(number)?;
            (0..self.warm_up).try_for_each(|_| operation())?;
            Ok(operation)
        })?;
        let worked = work::of(self.servers);
        let started_at = Instant::now();
        let begun = AtomicUsize::new(0);
        let is_over = || match self.length {
            Length::Operations(number) => begun.fetch_add(1, Ordering::Relaxed) >= number,
            Length::Time(time) => started_at.elapsed() >= time,
        };
        let times = at_once(warm, |mut operation| {
            let mut times = Vec::new();
            while !is_over() {
                self.interrupt.check()?;
                let begun_at = Instant::now();
                operation()?;
                times.push(begun_at.elapsed());
            }
            Ok(times)
        })?;
        let elapsed = started_at.elapsed();
        let worked = work::of(self.servers).saturating_sub(worked);
        Ok(Outcome::new(times.concat(), elapsed, worked))
    }
}

/// Does `work` with each of `items`, in a thread of its own.
fn at_once<I: Send, T: Send>(
    items: Vec<I>,
    work: impl Fn(I) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            items.into_iter().map(|item| scope.spawn(move || work(item))).collect();
        let joined = threads.into_iter().map(|thread| {
            thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?.context("a client")
        });
        joined.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_warms_up_and_all_together_do_what_is_asked() {
        let interrupt = Interrupt::catch().unwrap();
        let load = Load {
            clients: 3,
            warm_up: 2,
            length: Length::Operations(10),
            servers: &[],
            interrupt: &interrupt,
        };
        let (clients, operations) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let outcome = load.run(|_| {
            clients.fetch_add(1, Ordering::Relaxed);
            Ok(|| {
                operations.fetch_add(1, Ordering::Relaxed);
                Ok(())
            })
        });
        assert_eq!(outcome.unwrap().operations(), 10);
        assert_eq!(clients.into_inner(), 3);
        assert_eq!(operations.into_inner(), 3 * 2 + 10);
    }

    #[test]
    fn a_client_that_fails_fails_all() {
        let interrupt = Interrupt::catch().unwrap();
        let length = Length::Time(Duration::from_secs(60));
        let load = Load { clients: 1, warm_up: 0, length, servers: &[], interrupt: &interrupt };
        let error = load.run(|_| Ok(|| Err(anyhow::anyhow!("refused")))).err().unwrap();
        assert_eq!(format!("{error:#}"), "a client: refused");
    }
}
