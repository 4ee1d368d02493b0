//! Plain-text replies as Go's `http.Error` writes them, which the Go programs use for refusals.

use hyper::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};

use crate::serve::{Body, full};

/// A reply's status, and its text without the newline.
pub(crate) type StatusAndText = (u16, &'static str);

/// A reply with `status` whose body is `text` and a newline.
pub(crate) fn reply(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(full(format!("{text}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The same for a row of a table.
pub(crate) fn reply_of((status, text): StatusAndText) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply(status, text)
}
