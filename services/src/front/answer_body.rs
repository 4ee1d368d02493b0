//! An answer's body on its way to the client: counted, and given up when the service falls silent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::access_log::Sender;
use super::combined::Entry;
use crate::serve::{Body, BoxError};

/// Writes the line of a request when it is over, however it ends.
pub(super) struct Logged {
    pub(super) entry: Entry,
    pub(super) log: Sender,
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.log.write(&self.entry);
    }
}

/// The body, which ends its connection if nothing comes for too long.
pub(super) struct AnswerBody {
    body: Body,
    patience: Duration,
    /// Runs while the service is awaited.
    alarm: Option<Pin<Box<Sleep>>>,
    logged: Logged,
}

/// Why the body breaks off. Its text follows the name of the service.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("sends nothing more")]
struct Silent;

impl AnswerBody {
    /// `body`, of which something has to come within `patience` each time.
    pub(super) fn new(body: Body, patience: Duration, logged: Logged) -> Self {
        Self { body, patience, alarm: None, logged }
    }

    /// Whether the service has been awaited for too long.
    fn is_overdue(&mut self, context: &mut Context<'_>) -> bool {
        let patience = self.patience;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + patience)));
        alarm.as_mut().poll(context).is_ready()
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Pending if self.is_overdue(context) => {
                return Poll::Ready(Some(Err(Silent.into())));
            }
            Poll::Pending => {}
            Poll::Ready(frame) => {
                self.alarm = None;
                if let Some(Ok(frame)) = frame {
                    self.logged.entry.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
