//! Writing: the block goes to as many keepstores at once as copies are wanted, and for each that
//! fails, to the next in order.

use std::collections::BTreeMap;
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
use super::upstream::{Caller, Failure, Upstream};
use crate::locator::Locator;

/// A locator with all its hints is far shorter than this many bytes.
const MAX_REPLY_BYTES: usize = 4096;

/// What keepstores confirmed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    /// As one of them gave it: with its signature.
    pub(super) locator: String,
    /// How many copies there are.
    pub(super) replicas: usize,
    /// How many copies there are in each storage class.
    pub(super) classes: BTreeMap<String, usize>,
}

/// Writes `block` under `path`, the locator as the client wrote it, until there are `wanted`
/// copies or no keepstore is left.
///
/// # Errors
/// When there is not even one copy.
pub(super) async fn write(
    proxy: &Keepproxy,
    path: &str,
    locator: &Locator<'_>,
    caller: &Caller,
    block: &Block,
    wanted: usize,
) -> Result<Stored, Refusal> {
    let started = Instant::now();
    let services = proxy.services.list(&proxy.api).await.ok_or(Refusal::NotStored)?;
    let mut candidates = Candidates::new(writable(&services, locator));
    let mut stored = Stored::default();
    // All in this task: threads that woke each other would take longer than a small block.
    let mut running = FuturesUnordered::new();
    loop {
        while stored.replicas + running.len() < wanted {
            let Some(service) = candidates.next() else {
                break;
            };
            running.push(put(&proxy.upstream, service, path, caller, block));
        }
        match running.next().await {
            Some((service, answer)) => {
                candidates.has_answered(service, answer.as_ref().err().copied());
                answer.into_iter().for_each(|one| stored.add(one));
            }
            None if stored.replicas < wanted && candidates.may_be_replaced() => {
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
    block: &Block,
) -> (Arc<KeepService>, Result<Stored, Failure>) {
    let answer = match upstream.request(Method::PUT, &service, path, caller, Some(block)).await {
        Ok(response) => confirmed(response, upstream.patience).await,
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
    let replicas = text("x-keep-replicas-stored").and_then(|number| number.parse().ok());
    let classes = text("x-keep-storage-classes-confirmed").unwrap_or_default();
    Ok(Stored {
        locator: locator.to_owned(),
        // A keepstore that does not say has stored one.
        replicas: replicas.unwrap_or(1),
        classes: parse_classes(classes),
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Stored {
    fn add(&mut self, other: Self) {
        self.locator = other.locator;
        self.replicas += other.replicas;
        for (class, copies) in other.classes {
            *self.classes.entry(class).or_default() += copies;
        }
    }

    /// The classes as the header has them: `default=2, archive=1`.
    pub(super) fn classes_text(&self) -> String {
        let classes = self.classes.iter();
        let texts: Vec<_> = classes.map(|(class, copies)| format!("{class}={copies}")).collect();
        texts.join(", ")
    }
}

fn parse_classes(text: &str) -> BTreeMap<String, usize> {
    let pairs = text.split([',', ';']).filter_map(|pair| {
        let (class, copies) = pair.trim().split_once('=')?;
        Some((class.to_owned(), copies.parse().ok()?))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_add_up_class_by_class() {
        let mut stored = Stored::default();
        for classes in ["default=1", "default=1, archive=2"] {
            stored.add(Stored {
                locator: "abc+3".to_owned(),
                replicas: 1,
                classes: parse_classes(classes),
            });
        }
        assert_eq!((stored.replicas, stored.locator.as_str()), (2, "abc+3"));
        assert_eq!(stored.classes_text(), "archive=2, default=2");
    }

    #[test]
    fn a_keepstore_without_classes_confirms_none() {
        assert!(parse_classes("").is_empty());
        assert!(parse_classes("default, x=y").is_empty());
    }
}
