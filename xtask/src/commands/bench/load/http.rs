//! A client that keeps one connection, and what it asks.

use anyhow::Context as _;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, AsSendBody, Body};

/// What a client may ask of a server, with one token.
pub(in super::super) struct Client {
    agent: Agent,
    base: String,
    authorization: String,
}

impl Client {
    /// One that asks `base`, such as `https://127.0.0.1:1`, with the header `Authorization`.
    pub(in super::super) fn new(agent: Agent, base: String, authorization: String) -> Self {
        Self { agent, base, authorization }
    }

    /// Sends a request, and reads the answer to its end. Returns how many bytes that had.
    ///
    /// # Errors
    /// When the answer is not 200, or does not come.
    pub(in super::super) fn send(
        &self,
        method: &Method,
        path: &str,
        body: impl AsSendBody,
    ) -> anyhow::Result<u64> {
        let what = || format!("{method} {path}");
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header("Authorization", &self.authorization)
            .header("Content-Type", "application/json")
            .body(body)
            .with_context(what)?;
        let response = self.agent.run(request).with_context(what)?;
        drained(response).with_context(what)
    }
}

/// The length of the answer's body, which has to be read before its connection is used again.
fn drained(mut response: Response<Body>) -> anyhow::Result<u64> {
    let status = response.status();
    if status != 200 {
        let text = response.body_mut().read_to_string()?;
        anyhow::bail!("the server says {status}: {}", text.trim());
    }
    Ok(std::io::copy(&mut response.body_mut().as_reader(), &mut std::io::sink())?)
}
