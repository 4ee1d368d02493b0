//! The body of a keepstore's answer, which may not pause for ever.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use crate::serve::BoxError;

/// `body` as it comes, of which each piece may take as long as `patience`. One that takes longer ends it
/// early, as does a keepstore that dies meanwhile.
pub(super) fn at_most(
    patience: Duration,
    body: Incoming,
) -> impl Body<Data = Bytes, Error = BoxError> {
    StreamBody::new(stream::try_unfold(body, move |mut body| async move {
        match timeout(patience, body.frame()).await? {
            None => Ok(None),
            Some(frame) => Ok::<_, BoxError>(Some((frame?, body))),
        }
    }))
}
