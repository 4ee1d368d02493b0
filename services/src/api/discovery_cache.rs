//! Discovery documents that were made once, since making one takes milliseconds.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// How many are kept. A cluster has a few names, but a client may make up any.
const MAX_HOSTS: usize = 8;

/// The text of the document for each host that clients reached the server as, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct DiscoveryCache {
    kept: Mutex<VecDeque<(String, Bytes)>>,
}

impl DiscoveryCache {
    /// The document for `host`, which `make` makes if it is not kept.
    pub(crate) fn get(&self, host: &str, make: impl FnOnce() -> Bytes) -> Bytes {
        // Whoever asks for the same one meanwhile waits for it.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, document)) = kept.iter().find(|(known, _)| known == host) {
            return document.clone();
        }
        let document = make();
        if kept.len() == MAX_HOSTS {
            kept.pop_front();
        }
        kept.push_back((host.to_owned(), document.clone()));
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_its_document_made_once() {
        let cache = DiscoveryCache::default();
        for host in ["localhost:1", "127.0.0.1:1"] {
            assert_eq!(cache.get(host, || Bytes::from(host.to_owned())), host);
            assert_eq!(cache.get(host, || Bytes::from("made again")), host);
        }
    }

    #[test]
    fn the_oldest_gives_way() {
        let cache = DiscoveryCache::default();
        for host in 0..=MAX_HOSTS {
            cache.get(&host.to_string(), || Bytes::from("first"));
        }
        assert_eq!(cache.get("1", || Bytes::from("second")), "first");
        assert_eq!(cache.get("0", || Bytes::from("second")), "second");
        assert_eq!(cache.kept.lock().unwrap().len(), MAX_HOSTS);
    }
}
