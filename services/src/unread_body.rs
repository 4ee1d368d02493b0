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
    /// It can, as far as is known: of a body of unknown length much may still come.
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

/// Reads on in `body`, of the request with these `headers`, while the answer goes out.
pub(crate) fn discard(headers: &HeaderMap, body: Incoming) -> Connection {
    if body.is_end_stream() {
        return Connection::GoesOn;
    }
    // A client that waits for `100 Continue` takes the refusal instead and sends nothing; whether
    // it does wait, nobody knows.
    if headers.contains_key(EXPECT) {
        return Connection::Ends;
    }
    let length = body.size_hint().exact();
    let is_short = length.is_none_or(|length| length <= SHORT_BYTES);
    // Without a runtime the service is ending, and its connections with it.
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            let mut body = body;
            if is_short {
                let _ = timeout(PATIENCE, read_on(&mut body, SHORT_BYTES)).await;
            }
            // Whoever still sends after that has been told.
            let _ = timeout(LINGER, read_on(&mut body, u64::MAX)).await;
        });
    }
    if is_short { Connection::GoesOn } else { Connection::Ends }
}

/// Reads to the end, or more than `limit` bytes.
async fn read_on(body: &mut Incoming, limit: u64) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, |data| data.len() as u64);
        if seen > limit {
            break;
        }
    }
}
