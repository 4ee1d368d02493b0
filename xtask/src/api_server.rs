//! The API server of a stack, as this program talks to it: with the admin's fixture token, and
//! every status checked.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::services::Context;
use crate::stack::StackFolder;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the stack's API server.
pub(crate) struct ApiServer {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

impl ApiServer {
    /// Trusts the stack's own authority only.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub(crate) fn of_stack(context: &Context<'_>) -> anyhow::Result<Self> {
        let agent = agent_of_stack(context.folder)?;
        let base = format!("https://{}", context.address("api"));
        Ok(Self { agent, base, authorization: format!("OAuth2 {}", context.admin_token) })
    }

    /// All items of a resource.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(crate) fn list(&self, resource: &str) -> anyhow::Result<Vec<Value>> {
        let path = list_path(resource);
        items(&path, checked("GET", &path, self.get(&path))?)
    }

    /// All items of a resource that not every server has: `None` from one without it.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(crate) fn list_if_known(&self, resource: &str) -> anyhow::Result<Option<Vec<Value>>> {
        let path = list_path(resource);
        match self.get(&path) {
            Ok(reply) if reply.status() == 404 => Ok(None),
            reply => items(&path, checked("GET", &path, reply)?).map(Some),
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
        let path = format!("/arvados/v1/{resource}/{uuid}");
        let request =
            self.agent.delete(self.url(&path)).header("Authorization", &self.authorization);
        checked("DELETE", &path, request.call()).map(drop)
    }

    /// Puts the database back to the fixtures.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(crate) fn reset_database(&self) -> anyhow::Result<()> {
        self.post("/database/reset", &Value::Object(serde_json::Map::new())).map(drop)
    }

    fn get(&self, path: &str) -> Reply {
        self.agent.get(self.url(path)).header("Authorization", &self.authorization).call()
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.agent.post(self.url(path)).header("Authorization", &self.authorization);
        checked("POST", path, request.send_json(body))
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
    let none = || {
        let authority = authority.display();
        format!("no certificate in {authority}: take the stack down and up for a new one")
    };
    let text = fs_err::read(&authority).with_context(none)?;
    let certificate = Certificate::from_pem(&text).with_context(none)?.to_owned();
    let roots = RootCerts::new_with_certs(&[certificate]);
    Ok(ureq::Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .timeout_global(Some(PATIENCE))
        .proxy(None)
        .http_status_as_error(false)
        .build()
        .new_agent())
}

type Reply = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn list_path(resource: &str) -> String {
    format!("/arvados/v1/{resource}?limit=1000")
}

/// The items of the list in a reply to a GET of `path`.
fn items(path: &str, mut reply: Value) -> anyhow::Result<Vec<Value>> {
    match reply.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => anyhow::bail!("GET {path}: the reply has no items"),
    }
}

/// The reply's JSON if its status is 200.
fn checked(method: &str, path: &str, response: Reply) -> anyhow::Result<Value> {
    let mut response = response.with_context(|| format!("{method} {path}"))?;
    let status = response.status();
    let text = response.body_mut().read_to_string().with_context(|| format!("{method} {path}"))?;
    anyhow::ensure!(
        status == 200,
        "{method} {path}: the API server says {status}: {}",
        text.trim()
    );
    serde_json::from_str(&text).with_context(|| format!("{method} {path}: the reply is no JSON"))
}
