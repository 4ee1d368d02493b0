//! Error replies that look like those of nginx, which stands in front of a real cluster's ports.

use hyper::ext::ReasonPhrase;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, SERVER};
use hyper::{Response, StatusCode};

use crate::serve::{Body, Withheld, empty, full};

/// How nginx names itself when told not to give its version.
pub(crate) const SERVER_NAME: HeaderValue = HeaderValue::from_static("nginx");

/// An extension of pages after which nginx closes the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closes;

/// The page for `status`, such as `502 Bad Gateway`.
pub(crate) fn error(status: StatusCode) -> Response<Body> {
    page(status, &title(status), "")
}

/// The same, after which the connection is closed: what the client sent is not to be relied on.
pub(crate) fn refused(status: StatusCode) -> Response<Body> {
    closing(error(status))
}

/// No page, only a status for the log: the client is not there to read it, or not worth an answer.
pub(crate) fn withheld(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response.extensions_mut().insert(Withheld);
    response
}

/// For a request with a header, or with headers, that are too long.
pub(crate) fn headers_too_large() -> Response<Body> {
    explained(StatusCode::BAD_REQUEST, "Request Header Or Cookie Too Large")
}

/// For a client that speaks plain HTTP to a port that expects TLS.
pub(crate) fn plain_http_to_tls_port() -> Response<Body> {
    explained(StatusCode::BAD_REQUEST, "The plain HTTP request was sent to HTTPS port")
}

fn explained(status: StatusCode, told: &str) -> Response<Body> {
    let head = format!("{} {told}", status.as_u16());
    closing(page(status, &head, &format!("<center>{told}</center>\r\n")))
}

fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response.extensions_mut().insert(Closes);
    response
}

/// nginx's own words, where they are not the usual ones.
fn own_reason(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => Some("Not Allowed"),
        StatusCode::REQUEST_TIMEOUT => Some("Request Time-out"),
        StatusCode::URI_TOO_LONG => Some("Request-URI Too Large"),
        StatusCode::GATEWAY_TIMEOUT => Some("Gateway Time-out"),
        _ => None,
    }
}

fn title(status: StatusCode) -> String {
    let reason = own_reason(status).or_else(|| status.canonical_reason());
    format!("{} {}", status.as_u16(), reason.unwrap_or_default())
}

fn page(status: StatusCode, head: &str, more: &str) -> Response<Body> {
    let heading = title(status);
    let html = format!(
        "<html>\r\n<head><title>{head}</title></head>\r\n<body>\r\n\
         <center><h1>{heading}</h1></center>\r\n{more}\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    let mut response = Response::new(full(html));
    *response.status_mut() = status;
    if let Some(reason) = own_reason(status) {
        response.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
    }
    let headers = response.headers_mut();
    headers.insert(SERVER, SERVER_NAME);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
