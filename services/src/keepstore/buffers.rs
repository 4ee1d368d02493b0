//! How many blocks may be worked on at a time: the flag `-max-buffers`.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;

/// One permit for each block that comes in or is checked.
#[derive(Clone)]
pub(super) struct Buffers {
    permits: Arc<Semaphore>,
    /// One for each request that has a permit or waits for one.
    turns: Arc<Semaphore>,
    max: usize,
}

/// What a request holds while it works on a block.
pub(super) struct Buffer {
    _permit: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Buffers {
    /// `max` of them, for which `may_wait` more requests may wait.
    pub(super) fn new(max: usize, may_wait: usize) -> Self {
        let turns = max.saturating_add(may_wait).min(Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(max)), turns: Arc::new(Semaphore::new(turns)), max }
    }

    /// Waits for one.
    ///
    /// # Errors
    /// [`Refusal::Busy`] when too many wait already.
    pub(super) async fn get(&self) -> Result<Buffer, Refusal> {
        let turn = Arc::clone(&self.turns).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        Ok(Buffer { _permit: permit.map_err(|_closed| Refusal::Failed)?, _turn: turn })
    }

    /// How many there are.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// How many are held.
    pub(super) fn in_use(&self) -> usize {
        self.max.saturating_sub(self.permits.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn one_more_than_may_wait_is_refused() {
        let buffers = Buffers::new(1, 1);
        let held = buffers.get().await.unwrap();
        assert_eq!((buffers.in_use(), buffers.max()), (1, 1));
        let mut waiting = Box::pin(buffers.get());
        let mut context = Context::from_waker(Waker::noop());
        assert!(Future::poll(waiting.as_mut(), &mut context).is_pending());
        assert_eq!(buffers.get().await.err(), Some(Refusal::Busy));
        drop(held);
        let second = waiting.await.unwrap();
        assert_eq!(buffers.in_use(), 1);
        drop(second);
        assert!(buffers.get().await.is_ok());
    }
}
