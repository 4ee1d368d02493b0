//! Which connections to a service have brought an answer before. Such a one may have been closed while
//! a request was on its way, and nginx asks again then.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::Response;
use hyper::body::Incoming;
use hyper::http::Extensions;
use hyper_util::client::legacy::Error;
use hyper_util::client::legacy::connect::HttpInfo;

use crate::causes::chain;
use crate::serve;

/// How many ports there are.
const PORTS: usize = 1 << 16;

/// The ports from which they come, a bit each. A port that is used again is at worst asked twice.
pub(super) struct Used(Box<[AtomicU64]>);

impl Used {
    /// None yet.
    pub(super) fn new() -> Self {
        Self((0..PORTS / 64).map(|_| AtomicU64::new(0)).collect())
    }

    /// The connection of `response` has brought an answer.
    pub(super) fn have(&self, response: &Response<Incoming>) {
        if let Some(info) = response.extensions().get::<HttpInfo>() {
            let (word, bit) = self.at(info);
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Whether a connection ended on a request, and had brought an answer before.
    pub(super) fn had(&self, error: &Error) -> bool {
        let mut extensions = Extensions::new();
        if let Some(connection) = error.connect_info() {
            connection.get_extras(&mut extensions);
        }
        let Some(info) = extensions.get::<HttpInfo>() else {
            return false;
        };
        let (word, bit) = self.at(info);
        word.fetch_and(!bit, Ordering::Relaxed) & bit != 0 && has_ended(error)
    }

    fn at(&self, info: &HttpInfo) -> (&AtomicU64, u64) {
        let port = usize::from(info.local_addr().port());
        (&self.0[port / 64], 1 << (port % 64))
    }
}

fn has_ended(error: &Error) -> bool {
    let mut incomplete = chain(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    serve::has_left(error) || incomplete.any(hyper::Error::is_incomplete_message)
}
