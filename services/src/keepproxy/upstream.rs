//! One request to one keepstore.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::keep_services::KeepService;
use crate::api_client;
use crate::log;
use crate::request_log::RequestId;

/// How long a keepstore may take to accept a connection; it is near.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// Keeps its connections to the keepstores alive.
#[derive(Clone)]
pub(super) struct Upstream {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    patience: Duration,
}

/// On whose behalf keepstores are asked.
#[derive(Clone)]
pub(super) struct Caller {
    /// The header as the client presented it.
    pub(super) authorization: HeaderValue,
    pub(super) id: RequestId,
}

/// How a keepstore did not do as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is not there, or not able to answer now.
    Unreachable,
    /// It does not have the block.
    NotFound,
    /// It answered no.
    Refused,
}

impl Upstream {
    /// Waits `patience` for an answer to begin.
    pub(super) fn new(tls: ClientConfig, patience: Duration) -> Self {
        let connector = api_client::connector(tls, CONNECT_PATIENCE);
        let http =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { http, patience }
    }

    /// Sends a request; any answer but 200 is a failure, which is logged unless it is expected.
    ///
    /// # Errors
    /// Says what kind of failure.
    pub(super) async fn request(
        &self,
        method: Method,
        service: &KeepService,
        path: &str,
        caller: &Caller,
        content: Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(service.url(path))
            .header(AUTHORIZATION, &caller.authorization)
            .header("x-request-id", &caller.id.0)
            .body(Full::new(content));
        let request = request.map_err(|error| unreachable(service, &error))?;
        match tokio::time::timeout(self.patience, self.http.request(request)).await {
            Err(elapsed) => Err(unreachable(service, &elapsed)),
            Ok(Err(error)) => Err(unreachable(service, &error)),
            Ok(Ok(response)) => match failure(response.status()) {
                None => Ok(response),
                Some(failure) => {
                    if failure != Failure::NotFound {
                        log::line(format_args!(
                            "keepproxy: {} answered {}",
                            service.uuid,
                            response.status()
                        ));
                    }
                    Err(failure)
                }
            },
        }
    }
}

fn unreachable(service: &KeepService, why: &dyn std::error::Error) -> Failure {
    let cause = why.source().map_or_else(String::new, |cause| format!(": {cause}"));
    log::line(format_args!("keepproxy: {} at {}: {why}{cause}", service.uuid, service.url("")));
    Failure::Unreachable
}

/// What a status means; `None` for success.
fn failure(status: StatusCode) -> Option<Failure> {
    match status.as_u16() {
        200 => None,
        404 => Some(Failure::NotFound),
        // Another try may go better, now or later.
        408 | 429 | 500.. => Some(Failure::Unreachable),
        _ => Some(Failure::Refused),
    }
}
