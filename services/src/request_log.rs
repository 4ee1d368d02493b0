//! One line a request on standard error, which is the service's log.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};

use crate::log;

/// The id that a client's request carries through all services, kept in the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    /// The client's own `X-Request-Id`, or a new one in Arvados' form: `req-` and 20 characters.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let own = headers.get("x-request-id").and_then(|value| value.to_str().ok());
        match own {
            Some(id) if !id.is_empty() && id.len() < 1024 => Self(id.to_owned()),
            _ => Self(format!("req-{}", random_base36(20))),
        }
    }

    /// That of a request which was given one when it came.
    pub(crate) fn given_to(parts: &Parts) -> Self {
        let given = parts.extensions.get::<Self>().cloned();
        given.unwrap_or_else(|| Self::of(&parts.headers))
    }

    /// Tells the client, as Go's programs of today do.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        if let Ok(id) = HeaderValue::try_from(&self.0) {
            headers.insert("x-request-id", id);
        }
    }
}

/// `length` random characters of `[0-9a-z]`, as in Arvados' uuids.
pub(crate) fn random_base36(length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let byte = random_byte();
        // 252 is the largest multiple of 36 in a byte: above it, the alphabet's start would be
        // drawn more often.
        if byte < 252 {
            text.push(char::from(ALPHABET[usize::from(byte % 36)]));
        }
    }
    text
}

/// A random byte. The kernel is asked for many at once: every request has an id.
fn random_byte() -> u8 {
    thread_local! {
        static DRAWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    DRAWN.with_borrow_mut(|drawn| {
        loop {
            if let Some(byte) = drawn.pop() {
                return byte;
            }
            let mut random = [0; 512];
            if getrandom::fill(&mut random).is_ok() {
                drawn.extend(random);
            }
        }
    })
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
    let _ = write!(line, "{now:.3} ");
    push_escaped(&mut line, &id.0);
    let _ = write!(line, " {peer} \"{method} ");
    push_escaped(&mut line, path);
    let _ = write!(line, "\" {} {milliseconds:.1}ms", status.as_u16());
    log::line(line);
}

/// Adds `text`, in which nothing can end the line or its quotes.
fn push_escaped(line: &mut String, text: &str) {
    let is_plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\');
    match text.bytes().all(is_plain) {
        // As nearly all are, and a character at a time takes longer.
        true => line.push_str(text),
        false => line.extend(text.escape_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sends_cannot_break_the_line() {
        let escaped = |text: &str| {
            let mut line = String::new();
            push_escaped(&mut line, text);
            line
        };
        assert_eq!(escaped("/a b/~"), "/a b/~");
        assert_eq!(escaped("\n\"é\\'"), r#"\n\"\u{e9}\\\'"#);
    }

    #[test]
    fn a_request_keeps_its_clients_id() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", "req-theirs".parse().unwrap());
        let id = RequestId::of(&headers);
        assert_eq!(id.0, "req-theirs");
        let mut told = HeaderMap::new();
        id.tell(&mut told);
        assert_eq!(told, headers);
    }

    #[test]
    fn a_new_id_is_req_and_twenty_characters() {
        let id = RequestId::of(&HeaderMap::new()).0;
        let random = id.strip_prefix("req-").unwrap();
        assert_eq!(random.len(), 20);
        assert!(random.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()));
    }
}
