//! Reading: the block streams from the first keepstore that has it.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Response};

use super::keep_services::{KeepService, in_probe_order};
use super::paused;
use super::refusal::Refusal;
use super::routes::without_cluster_hints;
use super::server::Keepproxy;
use super::upstream::{Caller, Failure};
use crate::locator::Locator;
use crate::serve::{Body, empty};

/// Answers a GET or HEAD for `text`, which is `locator` as the client wrote it.
///
/// # Errors
/// When no keepstore gives the block.
pub(super) async fn read(
    proxy: &Keepproxy,
    method: &Method,
    text: &str,
    locator: &Locator<'_>,
    caller: &Caller,
) -> Result<Response<Body>, Refusal> {
    let path = without_cluster_hints(text);
    let started = Instant::now();
    let services = proxy.services.list(&proxy.api).await.ok_or(Refusal::Unreachable)?;
    let ordered = in_probe_order(&services, locator.hash);
    let failures = match first_answer(proxy, &ordered, method, &path, caller).await {
        Ok(response) => return Ok(response),
        Err(failures) => failures,
    };
    if failures.contains(&Failure::Unreachable) {
        // A keepstore that does not answer may have been replaced since.
        let now = proxy.services.list_since(&proxy.api, started).await;
        if let Some(now) = now.filter(|now| *now != services) {
            let ordered = in_probe_order(&now, locator.hash);
            let second = first_answer(proxy, &ordered, method, &path, caller).await;
            return second.map_err(|failures| verdict(&failures));
        }
    }
    Err(verdict(&failures))
}

/// The answer to a GET or HEAD of the empty block.
pub(super) fn nothing() -> Response<Body> {
    let mut answer = Response::new(empty());
    let kind = HeaderValue::from_static("application/octet-stream");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer.headers_mut().insert(CONTENT_LENGTH, 0.into());
    answer
}

/// The first good answer, or how each keepstore failed.
async fn first_answer(
    proxy: &Keepproxy,
    services: &[KeepService],
    method: &Method,
    path: &str,
    caller: &Caller,
) -> Result<Response<Body>, Vec<Failure>> {
    let mut failures = Vec::new();
    for service in services {
        let asked = proxy.upstream.request(method.clone(), service, path, caller, None);
        match asked.await {
            Err(failure) => failures.push(failure),
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let mut answer = Response::new(passed_on(body, proxy.upstream.patience));
                let headers = answer.headers_mut();
                for name in [CONTENT_LENGTH, HeaderName::from_static("x-keep-locator")] {
                    if let Some(value) = parts.headers.get(&name) {
                        headers.insert(name, value.clone());
                    }
                }
                let kind = HeaderValue::from_static("application/octet-stream");
                headers.insert(CONTENT_TYPE, kind);
                return Ok(answer);
            }
        }
    }
    Err(failures)
}

/// The body as it comes from a keepstore. If it ends early, the client sees that by the length.
fn passed_on(body: Incoming, patience: Duration) -> Body {
    match body.is_end_stream() {
        true => empty(),
        false => paused::at_most(patience, body).boxed(),
    }
}

/// What the client is told when all keepstores failed so.
fn verdict(failures: &[Failure]) -> Refusal {
    if failures.contains(&Failure::Unreachable) {
        Refusal::Unreachable
    } else if failures.contains(&Failure::Refused) {
        Refusal::NotReadable
    } else {
        Refusal::NotFound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_only_not_found_if_every_keepstore_says_so() {
        use Failure::{NotFound, Refused, Unreachable};
        assert_eq!(verdict(&[]), Refusal::NotFound);
        assert_eq!(verdict(&[NotFound, NotFound]), Refusal::NotFound);
        assert_eq!(verdict(&[NotFound, Refused]), Refusal::NotReadable);
        assert_eq!(verdict(&[Refused, Unreachable, NotFound]), Refusal::Unreachable);
    }
}
