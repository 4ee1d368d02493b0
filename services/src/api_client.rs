//! A small client of the API server, for the services that ask it about tokens, keepstores and
//! repositories.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use serde_json::Value;

use crate::causes::causes;
use crate::request_log::RequestId;
use crate::serve::CLIENT_IDLE;
use crate::tls;

/// How long the API server may take for a whole answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// No answer that we ask for is nearly as large.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// The authorities to trust when `SSL_CERT_FILE` names none.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Keeps its connections to one API server alive.
pub(crate) struct ApiClient {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// `HOST` or `HOST:PORT`.
    host: String,
}

/// An answer of the API server, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Bytes,
}

/// Why there is no usable answer. Its text follows "the API server …".
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The host or path is no part of a URL.
    #[error("has no such address: {0}")]
    Address(#[from] hyper::http::Error),
    /// Nobody answers there.
    #[error("at {host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    /// The answer was cut off or overlong.
    #[error("at {host} did not finish its answer: {reason}")]
    Incomplete { host: String, reason: String },
    /// It took too long.
    #[error("at {host} did not answer in {} s", PATIENCE.as_secs())]
    TimedOut { host: String },
    /// It refused.
    #[error("at {host} answered {status}: {text}")]
    Refused { host: String, status: StatusCode, text: String },
    /// The answer is not JSON.
    #[error("at {host} answered something that is not JSON: {source}")]
    NotJson { host: String, source: serde_json::Error },
}

/// What authenticates a request: a token, or the header with which a client presented one.
#[derive(Clone, Copy)]
pub(crate) enum Credential<'a> {
    /// A bare token.
    Token(&'a str),
    /// A whole `Authorization` header, passed on as it is.
    Header(&'a HeaderValue),
}

impl ApiClient {
    /// The server that `ARVADOS_API_HOST` names, trusted as `tls` says. Nothing is sent yet.
    ///
    /// # Errors
    /// When the host is not given.
    pub(crate) fn from_environment(tls: ClientConfig) -> anyhow::Result<Self> {
        let host = std::env::var("ARVADOS_API_HOST").ok().filter(|host| !host.is_empty());
        let host = host.context("ARVADOS_API_HOST is not set: it is the API server's HOST:PORT")?;
        Ok(Self::of(host, tls))
    }

    fn of(host: String, tls: ClientConfig) -> Self {
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(CLIENT_IDLE)
            .build(connector(tls, CONNECT_PATIENCE));
        Self { http, host }
    }

    /// Asks for `path` (which begins with a slash and may end in a query), with a JSON `body` if
    /// there is one.
    ///
    /// # Errors
    /// When there is no answer; a refusal is an answer.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        credential: Credential<'_>,
        id: Option<&RequestId>,
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        let authorization = match credential {
            Credential::Header(header) => header.clone(),
            Credential::Token(token) => HeaderValue::try_from(format!("OAuth2 {token}"))
                .map_err(hyper::http::Error::from)?,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://{}{path}", self.host))
            .header(AUTHORIZATION, authorization);
        if let Some(id) = id {
            request = request.header("x-request-id", &id.0);
        }
        let content = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(content))?;
        let answer = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        answer.unwrap_or_else(|_| Err(ApiError::TimedOut { host: self.host.clone() }))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, ApiError> {
        let host = || self.host.clone();
        let response = self.http.request(request).await;
        let response = response.map_err(|error| {
            let reason = causes(&error);
            ApiError::Unreachable { host: host(), reason }
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body =
            body.map_err(|error| ApiError::Incomplete { host: host(), reason: error.to_string() })?;
        Ok(Answer { status, body: body.to_bytes() })
    }

    /// As [`Self::request`], for when only a JSON answer with status 200 will do.
    ///
    /// # Errors
    /// When there is no answer, or another one.
    pub(crate) async fn json(
        &self,
        method: Method,
        path: &str,
        credential: Credential<'_>,
        id: Option<&RequestId>,
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let answer = self.request(method, path, credential, id, body).await?;
        let host = self.host.clone();
        if answer.status != StatusCode::OK {
            let text = String::from_utf8_lossy(&answer.body);
            return Err(ApiError::Refused {
                host,
                status: answer.status,
                text: text.trim().chars().take(1000).collect(),
            });
        }
        serde_json::from_slice(&answer.body).map_err(|source| ApiError::NotJson { host, source })
    }
}

/// Whom to trust: everybody if `ARVADOS_API_HOST_INSECURE` is true, else the authorities in
/// `SSL_CERT_FILE` or those of the system.
///
/// # Errors
/// When the authorities cannot be read.
pub(crate) fn tls_from_environment() -> anyhow::Result<ClientConfig> {
    let insecure = std::env::var("ARVADOS_API_HOST_INSECURE").unwrap_or_default();
    if is_true(&insecure) {
        return tls::client_config(None);
    }
    let authorities = std::env::var_os("SSL_CERT_FILE");
    let authorities = authorities.unwrap_or_else(|| SYSTEM_AUTHORITIES.into());
    tls::client_config(Some(Path::new(&authorities)))
        .context("SSL_CERT_FILE must name the authorities that vouch for the API server")
}

/// Connects to `http:` and `https:` addresses, and gives up after `patience`.
pub(crate) fn connector(tls: ClientConfig, patience: Duration) -> HttpsConnector<HttpConnector> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(patience));
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp)
}

/// What the Go SDK takes for true in `ARVADOS_API_HOST_INSECURE`.
fn is_true(text: &str) -> bool {
    ["1", "yes", "true"].iter().any(|known| known.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn why_there_is_no_answer_is_told_to_the_last_cause() {
        // Nobody listens there.
        let api = ApiClient::of("127.0.0.1:1".to_owned(), tls::client_config(None).unwrap());
        let asked = api.request(Method::GET, "/", Credential::Token("x"), None, None).await;
        let error = asked.err().unwrap().to_string();
        assert!(
            error.contains("cannot be reached") && error.contains("Connection refused"),
            "{error}"
        );
    }

    #[test]
    fn only_clear_words_make_the_connection_insecure() {
        assert!(["1", "yes", "true", "TRUE"].into_iter().all(is_true));
        assert!(!["", "0", "no", "false", "10"].into_iter().any(is_true));
    }
}
