//! How long somebody is waited for who sends or takes nothing.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// Goes off when it has run for too long. It costs nothing as long as nobody has to be waited for.
#[derive(Debug)]
pub(crate) struct Alarm {
    patience: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// One that does not run yet.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, running: None }
    }

    /// Somebody is waited for: whether for too long. Wakes who asks when it is.
    pub(crate) fn is_overdue(&mut self, context: &mut Context<'_>) -> bool {
        let patience = self.patience;
        let running = self.running.get_or_insert_with(|| Box::pin(sleep(patience)));
        running.as_mut().poll(context).is_ready()
    }

    /// Nobody is waited for any more.
    pub(crate) fn stop(&mut self) {
        self.running = None;
    }
}
