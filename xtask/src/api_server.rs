//! The API server of a stack, as this program talks to it: with the admin's fixture token, and
//! every status checked.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::parent::ParentApi;
use crate::services::Context;
use crate::stack::StackFolder;

/// How long each step of a request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the stack's API server.
pub(crate) struct ApiServer {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

impl ApiServer {
    /// The one that the stack uses, with the admin's token. If it is the stack's own, only the stack's
    /// authority is trusted.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub(crate) fn of_stack(context: &Context<'_>) -> anyhow::Result<Self> {
        Self::with_token(context, context.admin_token)
    }

    /// The same with another token.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub(crate) fn with_token(context: &Context<'_>, token: &str) -> anyhow::Result<Self> {
        if let Some(api) = &context.parent.api {
            return Self::of_parent(api, token);
        }
        let agent = match context.agent.get() {
            Some(agent) => agent,
            None => {
                let agent = agent_of_stack(context.folder)?;
                context.agent.get_or_init(|| agent)
            }
        };
        Ok(Self::new(agent.clone(), &context.address("api"), token))
    }

    /// One that is not ours.
    ///
    /// # Errors
    /// When the authority that it is to be verified against cannot be read.
    pub(crate) fn of_parent(api: &ParentApi, token: &str) -> anyhow::Result<Self> {
        let tls = match &api.authority {
            Some(authority) => trusting(authority).with_context(|| {
                let authority = authority.display();
                format!("no certificate in {authority}, which ARVADOS_TEST_CA_CERT names")
            })?,
            None => TlsConfig::builder().disable_verification(true).build(),
        };
        Ok(Self::new(agent(tls), &api.host, token))
    }

    fn new(agent: ureq::Agent, address: &str, token: &str) -> Self {
        let (base, authorization) = (format!("https://{address}"), format!("OAuth2 {token}"));
        Self { agent, base, authorization }
    }

    /// All items of a resource.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(crate) fn list(&self, resource: &str) -> anyhow::Result<Vec<Value>> {
        let url = self.url(&list_path(resource));
        items(&url, checked("GET", &url, self.get(&url))?)
    }

    /// All items of a resource that not every server has: `None` from one without it.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(crate) fn list_if_known(&self, resource: &str) -> anyhow::Result<Option<Vec<Value>>> {
        let url = self.url(&list_path(resource));
        match self.get(&url) {
            Ok(reply) if reply.status() == 404 => Ok(None),
            reply => items(&url, checked("GET", &url, reply)?).map(Some),
        }
    }

    /// Makes a record: `body` is `{"SINGULAR": {ATTRIBUTES}}`.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(crate) fn create(&self, resource: &str, body: &Value) -> anyhow::Result<Value> {
        self.post(&format!("/arvados/v1/{resource}"), body)
    }

    /// Removes a record.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(crate) fn delete(&self, resource: &str, uuid: &str) -> anyhow::Result<()> {
        let url = self.url(&format!("/arvados/v1/{resource}/{uuid}"));
        let request = self.agent.delete(&url).header("Authorization", &self.authorization);
        checked("DELETE", &url, request.call()).map(drop)
    }

    /// Puts the database back to the fixtures.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(crate) fn reset_database(&self) -> anyhow::Result<()> {
        self.post("/database/reset", &Value::Object(serde_json::Map::new())).map(drop)
    }

    fn get(&self, url: &str) -> Reply {
        self.agent.get(url).header("Authorization", &self.authorization).call()
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = self.url(path);
        let request = self.agent.post(&url).header("Authorization", &self.authorization);
        checked("POST", &url, request.send_json(body))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// An HTTP client that trusts the stack's own authority only, and takes every status for an answer.
///
/// # Errors
/// When the certificate cannot be read.
pub(crate) fn agent_of_stack(folder: &StackFolder) -> anyhow::Result<ureq::Agent> {
    let authority = folder.authority();
    let tls = trusting(&authority).with_context(|| {
        let authority = authority.display();
        format!("no certificate in {authority}: take the stack down and up for a new one")
    })?;
    Ok(agent(tls))
}

fn agent(tls: TlsConfig) -> ureq::Agent {
    ureq::Agent::config_builder()
        .tls_config(tls)
        // With a limit for the whole, ureq would start a thread for every request, to look up the name.
        .timeout_connect(Some(PATIENCE))
        .timeout_send_request(Some(PATIENCE))
        .timeout_send_body(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_recv_body(Some(PATIENCE))
        .proxy(None)
        .http_status_as_error(false)
        .build()
        .new_agent()
}

type Reply = Result<http::Response<ureq::Body>, ureq::Error>;

fn list_path(resource: &str) -> String {
    format!("/arvados/v1/{resource}?limit=1000")
}

/// The items of the list in a reply to a GET of `url`.
fn items(url: &str, mut reply: Value) -> anyhow::Result<Vec<Value>> {
    match reply.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => anyhow::bail!("GET {url}: the reply has no items"),
    }
}

/// Trusts the authorities in that file, and no others.
fn trusting(authorities: &Path) -> anyhow::Result<TlsConfig> {
    let text = fs_err::read(authorities)?;
    let items = parse_pem(&text).collect::<Result<Vec<_>, _>>()?;
    let certificates = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    anyhow::ensure!(!certificates.is_empty(), "there is none");
    Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build())
}

/// The reply's JSON if its status is 200.
fn checked(method: &str, url: &str, response: Reply) -> anyhow::Result<Value> {
    let mut response = response.with_context(|| format!("{method} {url}"))?;
    let status = response.status();
    let text = response.body_mut().read_to_string().with_context(|| format!("{method} {url}"))?;
    let said = text.trim();
    anyhow::ensure!(status == 200, "{method} {url}: the API server says {status}: {said}");
    serde_json::from_str(&text).with_context(|| format!("{method} {url}: the reply is no JSON"))
}
