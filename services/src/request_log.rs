//! One line a request on standard error, which is the service's log.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::{Method, StatusCode};

use crate::log;

/// The id that a client's request carries through all services, kept in the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    /// The client's own `X-Request-Id`, or a new one in Arvados' form: `req-` and 20 characters.
    pub(crate) fn of(headers: &hyper::HeaderMap) -> Self {
        let own = headers.get("x-request-id").and_then(|value| value.to_str().ok());
        match own {
            Some(id) if !id.is_empty() && id.len() < 1024 => Self(id.to_owned()),
            _ => Self(format!("req-{}", random_base36(20))),
        }
    }
}

/// `length` random characters of `[0-9a-z]`, as in Arvados' uuids.
pub(crate) fn random_base36(length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // Enough for all that is asked for, at once: each call goes to the kernel.
        let mut random = [0; 32];
        if getrandom::fill(&mut random).is_err() {
            continue;
        }
        // 252 is the largest multiple of 36 in a byte: above it, the alphabet's start would be
        // drawn more often.
        let even = random.into_iter().filter(|byte| *byte < 252);
        let left = length - text.len();
        text.extend(even.take(left).map(|byte| char::from(ALPHABET[usize::from(byte % 36)])));
    }
    text
}

/// Writes the line. The query stays out of it: clients put tokens there.
pub(crate) fn log(
    id: &RequestId,
    peer: SocketAddr,
    method: &Method,
    path: &str,
    status: StatusCode,
    took: Duration,
) {
    let mut line = String::with_capacity(128);
    let now = jiff::Timestamp::now();
    let milliseconds = took.as_secs_f64() * 1000.0;
    // Writing to a String cannot fail.
    let _ = write!(
        line,
        "{now:.3} {} {peer} \"{method} {}\" {} {milliseconds:.1}ms",
        id.0.escape_default(),
        path.escape_default(),
        status.as_u16(),
    );
    log::line(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_its_clients_id() {
        let mut headers = hyper::HeaderMap::new();
        headers.insert("x-request-id", "req-theirs".parse().unwrap());
        assert_eq!(RequestId::of(&headers).0, "req-theirs");
    }

    #[test]
    fn a_new_id_is_req_and_twenty_characters() {
        let id = RequestId::of(&hyper::HeaderMap::new()).0;
        let random = id.strip_prefix("req-").unwrap();
        assert_eq!(random.len(), 20);
        assert!(random.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()));
    }
}
