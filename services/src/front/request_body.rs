//! A request's body on its way to the service behind the front.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::serve::BoxError;
use crate::unread_body;

/// Passes a body on as it comes. If the service does not want all of it, the rest is read all the
/// same, so that the client sees the answer.
pub(super) struct RequestBody {
    /// `None` only while being dropped.
    body: Option<Incoming>,
    headers: HeaderMap,
}

impl RequestBody {
    /// The body of the request with these `headers`.
    pub(super) fn new(headers: HeaderMap, body: Incoming) -> Self {
        Self { body: Some(body), headers }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context).map_err(BoxError::from),
            None => Poll::Ready(None),
        }
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
        if let Some(body) = self.body.take() {
            unread_body::discard(&self.headers, body);
        }
    }
}
