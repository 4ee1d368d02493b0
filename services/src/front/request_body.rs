//! A request's body on its way to the service behind the front.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::serve::{self, BoxError};

/// As nginx's `lingering_time`: how long the rest of a body is read that nobody wants.
const LINGER: Duration = Duration::from_secs(30);

/// As its `lingering_timeout`: how long a client may pause meanwhile.
const PAUSE: Duration = Duration::from_secs(5);

/// The same for a client that has its answer once the connection is closed, and may wait for that.
const PAUSE_AT_THE_END: Duration = Duration::from_millis(500);

/// Passes a body on as it comes. If the service does not want all of it, the rest is read all the
/// same, so that the client sees the answer.
pub(super) struct RequestBody {
    /// `None` if there is none, or no more.
    body: Option<Incoming>,
    /// The client sends it only when it is asked to, by reading it.
    waits_to_be_asked: bool,
    /// How long the client may pause while nobody wants the rest.
    pause: Duration,
    /// Runs while the client is awaited.
    alarm: Alarm,
    progress: Progress,
}

/// Why a body ends early.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the client sends nothing more")]
struct Silent;

/// How far a body has come, for whoever waits for the answer.
#[derive(Clone)]
pub(super) struct Progress(Arc<Mutex<State>>);

/// Where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// When it last moved.
    pub(super) since: Instant,
    pub(super) stage: Stage,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The client has to send more.
    Client,
    /// The service has to take more, or to answer.
    Service,
    /// The client has sent what is no body.
    Broken,
    /// The client has sent nothing for too long.
    Late,
    /// The client has gone away in the middle of it.
    Left,
}

impl Progress {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State { since: Instant::now(), stage: Stage::Service })))
    }

    /// Where the body is now.
    pub(super) fn state(&self) -> State {
        *self.lock()
    }

    fn moves(&self, stage: Stage) {
        *self.lock() = State { since: Instant::now(), stage };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestBody {
    /// The body of the request with these `headers`, after which the connection goes on or is closed.
    /// Something of it has to come within `patience` each time.
    pub(super) fn new(
        headers: &HeaderMap,
        goes_on: bool,
        patience: Duration,
        body: Incoming,
    ) -> Self {
        let waits_to_be_asked = headers.contains_key(EXPECT);
        let pause = if goes_on { PAUSE } else { PAUSE_AT_THE_END };
        let (alarm, progress) = (Alarm::new(patience), Progress::new());
        Self { body: Some(body), waits_to_be_asked, pause, alarm, progress }
    }

    /// The body of a request that has none.
    pub(super) fn none(patience: Duration) -> Self {
        let (alarm, progress) = (Alarm::new(patience), Progress::new());
        Self { body: None, waits_to_be_asked: false, pause: PAUSE, alarm, progress }
    }

    /// How far it has come, also when somebody else has it.
    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.waits_to_be_asked = false;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        self.progress.moves(match &polled {
            Poll::Pending => Stage::Client,
            Poll::Ready(Some(Err(error))) if serve::has_left(error) => Stage::Left,
            Poll::Ready(Some(Err(_))) => Stage::Broken,
            Poll::Ready(_) => Stage::Service,
        });
        if polled.is_ready() {
            self.alarm.stop();
        } else if self.alarm.is_overdue(context) {
            // Nor is the rest read: whoever waited for it has its answer.
            self.body = None;
            self.progress.moves(Stage::Late);
            return Poll::Ready(Some(Err(Silent.into())));
        }
        polled.map_err(BoxError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(body) = self.body.take()
            && !body.is_end_stream()
            && !self.waits_to_be_asked
            && let Ok(runtime) = Handle::try_current()
        {
            // Whoever still sends after that has had its answer.
            runtime.spawn(tokio::time::timeout(LINGER, read_on(body, self.pause)));
        }
    }
}

async fn read_on(mut body: Incoming, pause: Duration) {
    while let Ok(Some(Ok(_unwanted))) = tokio::time::timeout(pause, body.frame()).await {}
}
