//! Error replies that look like those of nginx, which stands in front of a real cluster's ports.

use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, SERVER};
use hyper::{Response, StatusCode};

use crate::serve::{Body, full};

/// How nginx names itself when told not to give its version.
pub(crate) const SERVER_NAME: HeaderValue = HeaderValue::from_static("nginx");

/// The page for `status`, such as `502 Bad Gateway`.
pub(crate) fn error(status: StatusCode) -> Response<Body> {
    page(status, &title(status), "")
}

/// For a client that speaks plain HTTP to a port that expects TLS.
pub(crate) fn plain_http_to_tls_port() -> Response<Body> {
    let told = "The plain HTTP request was sent to HTTPS port";
    let mut response = page(
        StatusCode::BAD_REQUEST,
        &format!("400 {told}"),
        &format!("<center>{told}</center>\r\n"),
    );
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn title(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    // nginx has its own name for 504.
    let reason = reason.replace("Gateway Timeout", "Gateway Time-out");
    format!("{} {reason}", status.as_u16())
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
    let headers = response.headers_mut();
    headers.insert(SERVER, SERVER_NAME);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
