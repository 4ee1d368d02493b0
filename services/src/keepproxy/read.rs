//! Reading: the block streams from the first keepstore that has it.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Response};

use super::candidates::Candidates;
use super::keep_services::in_probe_order;
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
    let mut candidates = Candidates::new(in_probe_order(&services, locator.hash));
    loop {
        while let Some(service) = candidates.next() {
            let asked = proxy.upstream.request(method.clone(), &service, &path, caller, None);
            match asked.await {
                Ok(response) => return Ok(answer(response, proxy.upstream.patience)),
                Err(failure) => candidates.has_answered(service, Some(failure)),
            }
        }
        let listed = match candidates.may_be_replaced() {
            true => proxy.services.list_since(&proxy.api, started).await,
            false => None,
        };
        let listed = listed.map(|services| in_probe_order(&services, locator.hash));
        if !listed.is_some_and(|services| candidates.begin_round(services)) {
            return Err(verdict(&candidates));
        }
    }
}

/// The answer to a GET or HEAD of the empty block.
pub(super) fn nothing() -> Response<Body> {
    let mut answer = Response::new(empty());
    let kind = HeaderValue::from_static("application/octet-stream");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer.headers_mut().insert(CONTENT_LENGTH, 0.into());
    answer
}

/// What a client is told of a keepstore's good answer.
fn answer(response: Response<Incoming>, patience: Duration) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let mut answer = Response::new(passed_on(body, patience));
    let headers = answer.headers_mut();
    for name in [CONTENT_LENGTH, HeaderName::from_static("x-keep-locator")] {
        if let Some(value) = parts.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    answer
}

/// The body as it comes from a keepstore. If it ends early, the client sees that by the length.
fn passed_on(body: Incoming, patience: Duration) -> Body {
    match body.is_end_stream() {
        true => empty(),
        false => paused::at_most(patience, body).boxed(),
    }
}

/// What the client is told when all keepstores failed so.
fn verdict(candidates: &Candidates) -> Refusal {
    if candidates.may_be_replaced() {
        Refusal::Unreachable
    } else if candidates.failed_so(Failure::Refused) {
        Refusal::NotReadable
    } else {
        Refusal::NotFound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keepproxy::keep_services::tests::services;

    #[test]
    fn a_block_is_only_not_found_if_every_keepstore_says_so() {
        use Failure::{NotFound, Refused, Silent, Unreachable};
        let verdict = |failures: &[Failure]| {
            let mut candidates = Candidates::new([]);
            for (service, failure) in services(failures.len()).into_iter().zip(failures) {
                candidates.has_answered(service, Some(*failure));
            }
            verdict(&candidates)
        };
        assert_eq!(verdict(&[]), Refusal::NotFound);
        assert_eq!(verdict(&[NotFound, NotFound]), Refusal::NotFound);
        assert_eq!(verdict(&[NotFound, Refused]), Refusal::NotReadable);
        assert_eq!(verdict(&[Refused, Unreachable, NotFound]), Refusal::Unreachable);
        assert_eq!(verdict(&[Silent, NotFound]), Refusal::Unreachable);
    }
}
