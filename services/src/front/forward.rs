//! Forwards requests to a service, and answers as nginx does, also where the service does not.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use hyper::http::request::Parts;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::access_log::Sender;
use super::answer_body::{AnswerBody, Logged};
use super::combined::Entry;
use super::headers::{self, Caller};
use super::request_body::{Progress, RequestBody, Stage};
use super::request_rules::{self, Refused};
use super::upgrade::Upgrade;
use super::used::Used;
use crate::causes::{causes, chain};
use crate::log;
use crate::nginx_page;
use crate::pieces;
use crate::serve::{Body, BoxError, CLIENT_IDLE, Peer};

/// As nginx's `proxy_connect_timeout`.
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);

/// Tells a service behind a front how its clients speak to that.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The service behind one port.
pub(super) struct Upstream {
    /// What it sees as its host, unless it sees what the client has sent.
    pub(super) name: &'static str,
    /// Whether it speaks to its clients of the address that they use.
    pub(super) knows_its_address: bool,
    pub(super) address: Authority,
    /// The front's own address.
    pub(super) own: Option<SocketAddr>,
    /// How long client and service may each be silent.
    pub(super) patience: Duration,
    pub(super) log: Sender,
    pub(super) http: Client<HttpConnector, RequestBody>,
    pub(super) used: Used,
}

/// What keeps connections to services.
pub(super) fn client() -> Client<HttpConnector, RequestBody> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_PATIENCE));
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(CLIENT_IDLE)
        .http1_max_buf_size(pieces::WAITING)
        .http1_preserve_header_case(true)
        .http1_title_case_headers(true)
        .build(connector)
}

/// Why a service has not answered.
enum Unanswered {
    /// Nothing has moved for too long.
    Silent(Stage),
    /// Something went wrong.
    Failed(hyper_util::client::legacy::Error),
}

impl Upstream {
    /// Answers one request with what the service answers.
    ///
    /// The request is logged even if nobody waits for the answer: a client may leave before that.
    pub(super) fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> {
        // Nginx, as it is configured for the others, passes no upgrade on.
        let upgrade = Upgrade::of(&mut request).filter(|_| self.knows_its_address);
        let (parts, body) = request.into_parts();
        let address = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        let logged = Logged { entry: Entry::new(address, &parts), log: self.log.clone() };
        let caller = Caller::new(&parts);
        let goes_on = caller.keeps_alive();
        let body = RequestBody::new(&parts.headers, goes_on, self.patience, body);
        async move { self.answered(parts, body, upgrade, &caller, logged).await }
    }

    async fn answered(
        &self,
        parts: Parts,
        body: RequestBody,
        upgrade: Option<Upgrade>,
        caller: &Caller,
        mut logged: Logged,
    ) -> Response<Body> {
        let mut response = match request_rules::check(&parts) {
            Err(Refused::HeadersTooLarge) => nginx_page::headers_too_large(),
            Err(Refused::InPlain) => nginx_page::plain_http_to_tls_port(),
            Err(Refused::Status(status)) => nginx_page::refused(status),
            Ok(()) => match self.forwarded(parts, body, upgrade.as_ref()) {
                Ok(request) => self.forward(request, upgrade).await,
                Err(_) => nginx_page::refused(StatusCode::BAD_REQUEST),
            },
        };
        let (status, protocol) = (response.status(), response.headers().get(UPGRADE).cloned());
        let has_length = response.body().size_hint().exact().is_some();
        if response.extensions().get::<nginx_page::Closes>().is_none() {
            caller.answer(response.headers_mut(), self.name, self.own, has_length);
        }
        Upgrade::answer(status, protocol, response.headers_mut());
        logged.entry.status = response.status().as_u16();
        let service = self.address.clone();
        response.map(|body| AnswerBody::new(body, service, self.patience, logged).boxed())
    }

    /// The request as the service gets it.
    fn forwarded(
        &self,
        mut parts: Parts,
        body: RequestBody,
        upgrade: Option<&Upgrade>,
    ) -> Result<Request<RequestBody>, hyper::http::Error> {
        let host = parts.headers.get(HOST).filter(|_| self.knows_its_address).cloned();
        headers::forward(&mut parts.headers, &host.unwrap_or(HeaderValue::from_static(self.name)));
        if self.knows_its_address {
            // The addresses that it makes for its clients are to lead through here.
            parts.headers.insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
        }
        if !body.is_end_stream() && body.size_hint().exact().is_none() {
            // Otherwise the library takes it that GET and HEAD have no body.
            parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        upgrade.iter().for_each(|upgrade| upgrade.ask(&mut parts.headers));
        parts.uri = self.uri(parts.uri.path_and_query().cloned())?;
        parts.version = Version::HTTP_11;
        Ok(Request::from_parts(parts, body))
    }

    fn uri(&self, target: Option<PathAndQuery>) -> Result<Uri, hyper::http::Error> {
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.address.clone())
            .path_and_query(target.unwrap_or(PathAndQuery::from_static("/")))
            .build()
    }

    async fn forward(
        &self,
        request: Request<RequestBody>,
        upgrade: Option<Upgrade>,
    ) -> Response<Body> {
        let progress = request.body().progress();
        let again = self.repeated(&request);
        let mut answer = self.ask(request).await;
        if let Err(Unanswered::Failed(error)) = &answer
            && let Some(again) = again
            && self.used.had(error)
        {
            answer = self.ask(again).await;
        }
        match answer {
            Ok(mut response) => {
                self.used.have(&response);
                if let Some(upgrade) = upgrade {
                    upgrade.join(&mut response);
                }
                *response.version_mut() = Version::HTTP_11;
                response.map(|body| body.map_err(BoxError::from).boxed())
            }
            Err(Unanswered::Silent(stage)) => self.given_up(stage),
            Err(Unanswered::Failed(error)) => self.failed(&error, &progress),
        }
    }

    /// The same request once more, if to make it twice does no harm, and no body is gone by then.
    fn repeated(&self, request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
        let is_harmless = !matches!(request.method().as_str(), "POST" | "LOCK" | "PATCH");
        (is_harmless && request.body().is_end_stream()).then(|| {
            let mut again = Request::new(RequestBody::none(self.patience));
            again.method_mut().clone_from(request.method());
            again.uri_mut().clone_from(request.uri());
            again.headers_mut().clone_from(request.headers());
            again.extensions_mut().clone_from(request.extensions());
            again
        })
    }

    async fn ask(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, Unanswered> {
        let progress = request.body().progress();
        let mut answer = pin!(self.http.request(request));
        loop {
            let state = progress.state();
            tokio::select! {
                answer = &mut answer => return answer.map_err(Unanswered::Failed),
                () = tokio::time::sleep_until(state.since + self.patience) => {
                    if progress.state() == state {
                        return Err(Unanswered::Silent(state.stage));
                    }
                }
            }
        }
    }

    /// When nothing has moved for too long.
    fn given_up(&self, stage: Stage) -> Response<Body> {
        let seconds = self.patience.as_secs_f32();
        match stage {
            Stage::Client | Stage::Late => nginx_page::withheld(StatusCode::REQUEST_TIMEOUT),
            Stage::Service | Stage::Broken | Stage::Left => {
                log::line(format_args!("front: upstream {}: silent for {seconds} s", self.address));
                nginx_page::error(StatusCode::GATEWAY_TIMEOUT)
            }
        }
    }

    fn failed(
        &self,
        error: &hyper_util::client::legacy::Error,
        progress: &Progress,
    ) -> Response<Body> {
        match progress.state().stage {
            Stage::Late => nginx_page::withheld(StatusCode::REQUEST_TIMEOUT),
            Stage::Broken => nginx_page::refused(StatusCode::BAD_REQUEST),
            Stage::Left => nginx_page::withheld(StatusCode::BAD_REQUEST),
            Stage::Service | Stage::Client => {
                log::line(format_args!("front: upstream {}: {}", self.address, causes(error)));
                nginx_page::error(status_of(error))
            }
        }
    }
}

/// 504 if the service did not accept a connection in time, else 502.
fn status_of(error: &hyper_util::client::legacy::Error) -> StatusCode {
    let timed_out = chain(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::TimedOut);
    match timed_out {
        true => StatusCode::GATEWAY_TIMEOUT,
        false => StatusCode::BAD_GATEWAY,
    }
}
