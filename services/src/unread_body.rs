//! What becomes of a request body that is refused before it was read.
//!
//! Closing a connection on which a client is still sending resets it, and the client may then
//! never see the answer that explains the refusal. As Go's server does, we read the rest of a short
//! body, after which the connection can go on; of a long one, the client is told that the connection
//! ends with the answer, and has a moment to take it.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::{HeaderMap, Response};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::serve::Body;

/// The longest body, in bytes, that is read for nothing.
const SHORT_BYTES: u64 = 256 << 10;

/// How long a client may take for the rest of a short body.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the connection stays open after the answer where the rest is too long.
const LINGER: Duration = Duration::from_millis(500);

/// Whether the connection can be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// It can.
    GoesOn,
    /// It ends with the answer.
    Ends,
}

impl Connection {
    /// Tells the client, if it has to know.
    pub(crate) fn mark(self, mut response: Response<Body>) -> Response<Body> {
        if self == Self::Ends {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Reads `body`, of the request with these `headers`, to its end if it is short: one of known length
/// while the answer goes out, any other before that.
pub(crate) async fn discard(headers: &HeaderMap, mut body: Incoming) -> Connection {
    if body.is_end_stream() {
        return Connection::GoesOn;
    }
    // A client that waits for `100 Continue` takes the refusal instead and sends nothing; whether
    // it does wait, nobody knows.
    if headers.contains_key(EXPECT) {
        return Connection::Ends;
    }
    match body.size_hint().exact() {
        Some(length) if length <= SHORT_BYTES => {
            read_aside(body, PATIENCE);
            Connection::GoesOn
        }
        None if timeout(PATIENCE, is_short(&mut body)).await == Ok(true) => Connection::GoesOn,
        _ => {
            linger(body);
            Connection::Ends
        }
    }
}

/// Reads on for a moment while the answer goes out with which the connection ends: whoever still sends
/// after that has been told.
pub(crate) fn linger(body: Incoming) {
    read_aside(body, LINGER);
}

fn read_aside(mut body: Incoming, patience: Duration) {
    // Without a runtime the service is ending, and its connections with it.
    if let Ok(runtime) = Handle::try_current() {
        runtime
            .spawn(timeout(patience, async move { while let Some(Ok(_)) = body.frame().await {} }));
    }
}

/// Whether a body ends before there is too much of it.
async fn is_short(body: &mut Incoming) -> bool {
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        seen += frame.data_ref().map_or(0, |data| data.len() as u64);
        if seen > SHORT_BYTES {
            return false;
        }
    }
    true
}
