//! The blocks of all keepstores, one list after the other.

use http_body_util::{BodyExt, Limited};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response};

use super::paused;
use super::refusal::Refusal;
use super::server::Keepproxy;
use super::upstream::{Caller, Failure};
use crate::log;
use crate::serve::{Body, full};

/// The longest list of one keepstore: millions of blocks.
const MAX_LIST_BYTES: usize = 256 << 20;

/// Answers with the blocks whose hash begins with `prefix`.
///
/// # Errors
/// When a keepstore does not give its list whole.
pub(super) async fn index(
    proxy: &Keepproxy,
    prefix: &str,
    caller: &Caller,
) -> Result<Response<Body>, Refusal> {
    let path = if prefix.is_empty() { "index".to_owned() } else { format!("index/{prefix}") };
    let mut all = Vec::new();
    let services = proxy.services.list(&proxy.api).await.ok_or(Refusal::NoIndex)?;
    for service in services.iter() {
        let ask = || proxy.upstream.request(Method::GET, service, &path, caller, None);
        let asked = match ask().await {
            // A connection that was kept may have ended a moment ago, with a keepstore that is back.
            Err(Failure::Unreachable) => ask().await,
            asked => asked,
        };
        let body = asked.map_err(|_| Refusal::NoIndex)?.into_body();
        let body = paused::at_most(proxy.upstream.patience, body);
        let list = Limited::new(body, MAX_LIST_BYTES).collect().await;
        let list = list.map_err(|error| {
            log::line(format_args!("keepproxy: the index of {}: {error}", service.uuid));
            Refusal::NoIndex
        })?;
        let list = list.to_bytes();
        // An empty line tells that a list is whole.
        let is_whole = list.ends_with(b"\n\n") || *list == *b"\n";
        all.extend_from_slice(
            list.strip_suffix(b"\n").filter(|_| is_whole).ok_or(Refusal::NoIndex)?,
        );
    }
    all.push(b'\n');
    let mut response = Response::new(full(all));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    Ok(response)
}
