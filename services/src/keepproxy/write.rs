//! Writing: the block goes to as many keepstores at once as copies are wanted, and for each that
//! fails, or has not all wished storage classes, to the next in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Response};
use tokio::time::error::Elapsed;

use super::block::Block;
use super::candidates::Candidates;
use super::keep_services::{KeepService, in_probe_order};
use super::paused;
use super::refusal::Refusal;
use super::server::Keepproxy;
use super::stored::{Stored, Wish};
use super::upstream::{Caller, Failure, Sent, Upstream};
use crate::locator::Locator;
use crate::log;

/// A locator with all its hints is far shorter than this many bytes.
const MAX_REPLY_BYTES: usize = 4096;

/// Writes `block` under `path`, the locator as the client wrote it, until `wish` is
/// fulfilled or no keepstore is left.
///
/// # Errors
/// When there is not even one copy.
pub(super) async fn write(
    proxy: &Keepproxy,
    path: &str,
    locator: &Locator<'_>,
    caller: &Caller,
    block: &Block,
    wish: &Wish,
) -> Result<Stored, Refusal> {
    let started = Instant::now();
    let services = proxy.services.list(&proxy.api).await.ok_or(Refusal::NotStored)?;
    let mut candidates = Candidates::new(writable(&services, locator));
    let mut stored = Stored::default();
    // All in this task: threads that woke each other would take longer than a small block.
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < wish.lacking(&stored) {
            let Some(service) = candidates.next() else {
                break;
            };
            let classes = wish.lacking_text(&stored);
            running.push(put(&proxy.upstream, service, path, caller, Sent { block, classes }));
        }
        match running.next().await {
            Some((service, answer)) => {
                candidates.has_answered(service, answer.as_ref().err().copied());
                answer.into_iter().for_each(|one| stored.add(one));
            }
            None if wish.lacking(&stored) > 0 && candidates.may_be_replaced() => {
                let listed = proxy.services.list_since(&proxy.api, started).await;
                if !listed.is_some_and(|now| candidates.begin_round(writable(&now, locator))) {
                    break;
                }
            }
            None => break,
        }
    }
    match stored.replicas {
        0 => Err(Refusal::NotStored),
        _ => Ok(stored),
    }
}

fn writable(
    services: &[Arc<KeepService>],
    locator: &Locator<'_>,
) -> impl Iterator<Item = Arc<KeepService>> {
    let ordered = in_probe_order(services, locator.hash);
    ordered.into_iter().filter(|service| !service.read_only)
}

async fn put(
    upstream: &Upstream,
    service: Arc<KeepService>,
    path: &str,
    caller: &Caller,
    sent: Sent<'_>,
) -> (Arc<KeepService>, Result<Stored, Failure>) {
    let answer = match upstream.request(Method::PUT, &service, path, caller, Some(&sent)).await {
        Ok(response) => confirmed(response, upstream.patience).await.inspect_err(|failure| {
            log::line(format_args!("keepproxy: {}: no locator came: {failure:?}", service.uuid));
        }),
        Err(failure) => Err(failure),
    };
    (service, answer)
}

async fn confirmed(response: Response<Incoming>, patience: Duration) -> Result<Stored, Failure> {
    let (parts, body) = response.into_parts();
    let body = paused::at_most(patience, body);
    let body = Limited::new(body, MAX_REPLY_BYTES).collect().await;
    let body = body.map_err(|error| match error.is::<Elapsed>() {
        true => Failure::Silent,
        false => Failure::Unreachable,
    });
    let body = body?.to_bytes();
    let locator = std::str::from_utf8(&body).unwrap_or_default().trim();
    if Locator::parse(locator).is_none() {
        return Err(Failure::Refused);
    }
    let text = |name| header(&parts.headers, name);
    // A keepstore that does not say has stored one.
    let replicas = text("x-keep-replicas-stored").and_then(|number| number.parse().ok());
    let classes = text("x-keep-storage-classes-confirmed").unwrap_or_default();
    Ok(Stored::confirmed(locator, replicas.unwrap_or(1), classes))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
