//! What becomes of a request body that is refused before it was read.
//!
//! Closing a connection on which a client is still sending resets it, and the client may then
//! never see the answer that explains the refusal. So the rest is read and thrown away, within
//! bounds, while the answer goes out.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body as _, Incoming};
use hyper::header::EXPECT;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// More than a block, so that one just over the limit gets its answer.
const MAX_BYTES: u64 = 128 << 20;

/// How long a client may go on sending what nobody wants.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads `body`, of the request with these `headers`, to its end and forgets it.
pub(crate) fn discard(headers: &HeaderMap, mut body: Incoming) {
    // A client that waits for `100 Continue` takes the refusal instead and sends nothing.
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return;
    }
    // Without a runtime the service is ending, and its connections with it.
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        let read_on = async {
            let mut seen = 0;
            while let Some(Ok(frame)) = body.frame().await {
                seen += frame.data_ref().map_or(0, |data| data.len() as u64);
                if seen > MAX_BYTES {
                    break;
                }
            }
        };
        // Whoever still sends after that has been told.
        let _ = timeout(PATIENCE, read_on).await;
    });
}
