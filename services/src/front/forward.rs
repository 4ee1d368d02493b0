//! Forwards requests to a service, with the headers that nginx's `proxy_pass` would send.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::access_log::Sender;
use super::combined::Entry;
use super::request_body::RequestBody;
use crate::log;
use crate::nginx_page;
use crate::serve::{Body, BoxError, Peer};

/// As nginx's `proxy_connect_timeout`.
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);

/// Headers that concern one connection only, or that we set ourselves, in either direction.
const NOT_FORWARDED: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    // We ask the client ourselves to go on, by reading its body.
    header::EXPECT,
];

/// The service behind one port.
pub(super) struct Upstream {
    name: HeaderValue,
    address: Authority,
    http: Client<HttpConnector, RequestBody>,
    log: Sender,
}

impl Upstream {
    /// The service at `address`, which sees `name` as its host.
    pub(super) fn new(name: &'static str, address: Authority, log: Sender) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_PATIENCE));
        let http =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { name: HeaderValue::from_static(name), address, http, log }
    }

    /// Answers one request with what the service answers.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let address = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        let mut logged = Logged { entry: Entry::new(address, &parts), log: self.log.clone() };
        let body = RequestBody::new(parts.headers.clone(), body);
        remove_hop_by_hop(&mut parts.headers);
        parts.headers.insert(header::HOST, self.name.clone());
        let response = match self.uri(parts.uri.path_and_query().cloned()) {
            Ok(uri) => {
                let mut forwarded = Request::new(body);
                *forwarded.method_mut() = parts.method;
                *forwarded.uri_mut() = uri;
                *forwarded.headers_mut() = parts.headers;
                self.forward(forwarded).await
            }
            Err(_) => nginx_page::error(StatusCode::BAD_REQUEST),
        };
        logged.entry.status = response.status().as_u16();
        response.map(|body| Counted { body, logged }.boxed())
    }

    fn uri(&self, target: Option<PathAndQuery>) -> Result<Uri, hyper::http::Error> {
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.address.clone())
            .path_and_query(target.unwrap_or(PathAndQuery::from_static("/")))
            .build()
    }

    async fn forward(&self, request: Request<RequestBody>) -> Response<Body> {
        let response = match self.http.request(request).await {
            Ok(response) => response,
            Err(error) => {
                let causes =
                    std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
                        error.source()
                    });
                let causes: Vec<_> = causes.map(ToString::to_string).collect();
                log::line(format_args!("front: upstream {}: {}", self.address, causes.join(": ")));
                return nginx_page::error(status_of(&error));
            }
        };
        let mut response = response.map(|body| body.map_err(BoxError::from).boxed());
        let headers = response.headers_mut();
        remove_hop_by_hop(headers);
        // Ours are put in their place.
        headers.remove(header::DATE);
        headers.insert(header::SERVER, nginx_page::SERVER_NAME);
        response
    }
}

/// 504 if the service did not accept a connection in time, else 502.
fn status_of(error: &hyper_util::client::legacy::Error) -> StatusCode {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    let timed_out = causes
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::TimedOut);
    match timed_out {
        true => StatusCode::GATEWAY_TIMEOUT,
        false => StatusCode::BAD_GATEWAY,
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in NOT_FORWARDED.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Writes the line of a request when it is over, however it ends.
struct Logged {
    entry: Entry,
    log: Sender,
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.log.write(self.entry.line(jiff::Timestamp::now()));
    }
}

/// The body of an answer, whose bytes are counted on their way.
struct Counted {
    body: Body,
    logged: Logged,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.logged.entry.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_one_connection_is_not_forwarded() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("authorization", "OAuth2 x"),
            ("content-length", "3"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "content-length"]);
    }
}
