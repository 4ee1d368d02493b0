//! One request to one keepstore.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::block::Block;
use super::keep_services::KeepService;
use super::patience::Patience;
use crate::api_client;
use crate::log;
use crate::pieces;
use crate::request_log::RequestId;
use crate::serve::{Body, CLIENT_IDLE, empty};

/// How long a keepstore may take to accept a connection; it is near.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// Keeps its connections to the keepstores alive.
pub(super) struct Upstream {
    http: Client<HttpsConnector<HttpConnector>, Body>,
    waits: Arc<Patience>,
    pub(super) patience: Duration,
}

/// On whose behalf keepstores are asked.
pub(super) struct Caller {
    /// The header as the client presented it.
    pub(super) authorization: HeaderValue,
    pub(super) id: RequestId,
    /// Other headers of the client's, which are for keepstores.
    pub(super) passed_on: Vec<(HeaderName, HeaderValue)>,
}

/// What a keepstore is to store.
pub(super) struct Sent<'a> {
    pub(super) block: &'a Block,
    /// In which storage classes; `None` if it is to choose.
    pub(super) classes: Option<String>,
}

/// How a keepstore did not do as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is not there, or not able to answer now.
    Unreachable,
    /// It did nothing for as long as it was waited for.
    Silent,
    /// It does not have the block.
    NotFound,
    /// It answered no.
    Refused,
}

impl Upstream {
    /// Waits `patience` for an answer to begin, or longer while the keepstore is busy, and as long for
    /// each further piece of it.
    pub(super) fn new(tls: ClientConfig, patience: Duration) -> Self {
        let connector = api_client::connector(tls, CONNECT_PATIENCE);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(CLIENT_IDLE)
            .http1_max_buf_size(pieces::WAITING)
            .build(connector);
        Self { http, waits: Arc::new(Patience::new(patience)), patience }
    }

    /// Sends a request, with a block or nothing; any answer but 200 is a failure, which is logged
    /// unless it is expected.
    ///
    /// # Errors
    /// Says what kind of failure.
    pub(super) async fn request(
        &self,
        method: Method,
        service: &KeepService,
        path: &str,
        caller: &Caller,
        sent: Option<&Sent<'_>>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(service.url(path))
            .header(AUTHORIZATION, &caller.authorization)
            .header("x-request-id", &caller.id.0);
        for (name, value) in &caller.passed_on {
            request = request.header(name, value);
        }
        let sign = self.waits.sign_of(&service.uuid);
        let body = match sent {
            None => empty(),
            Some(Sent { block, classes }) => {
                if let Some(classes) = classes {
                    request = request.header("x-keep-storage-classes", classes);
                }
                request = request.header(CONTENT_LENGTH, block.length());
                let sign = sign.clone();
                block
                    .body()
                    .map_frame(move |piece| {
                        sign.shown();
                        piece
                    })
                    .boxed()
            }
        };
        let request = request.body(body).map_err(|error| unreachable(service, &error))?;
        let too_late = async {
            // A slow client is no fault of the keepstore.
            if let Some(Sent { block, .. }) = sent {
                block.has_come().await;
            }
            self.waits.ends(&sign).await;
        };
        tokio::select! {
            () = too_late => {
                let seconds = self.patience.as_secs();
                log::line(format_args!("keepproxy: {}: silent for {seconds} s", service.uuid));
                Err(Failure::Silent)
            }
            answered = self.http.request(request) => {
                let response = answered.map_err(|error| unreachable(service, &error))?;
                sign.shown();
                successful(service, response)
            }
        }
    }
}

fn successful(
    service: &KeepService,
    response: Response<Incoming>,
) -> Result<Response<Incoming>, Failure> {
    let status = response.status();
    let Some(failure) = failure(status) else { return Ok(response) };
    if failure != Failure::NotFound {
        log::line(format_args!("keepproxy: {} answered {status}", service.uuid));
    }
    Err(failure)
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
        // Another try may go better, now or later; but who is full (507) stays so.
        408 | 429 | 500..=506 | 508.. => Some(Failure::Unreachable),
        _ => Some(Failure::Refused),
    }
}
