//! One line of the access log, in nginx's format `combined`.

use std::fmt::Write as _;
use std::net::IpAddr;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::header::{AUTHORIZATION, REFERER, USER_AGENT};
use hyper::http::request::Parts;

/// What a line tells of a request.
#[derive(Debug)]
pub(super) struct Entry {
    address: Option<IpAddr>,
    user: String,
    request: String,
    /// `None` if it was not sent.
    referer: Option<String>,
    agent: Option<String>,
    /// The status of the answer.
    pub(super) status: u16,
    /// Bytes of the answer's body.
    pub(super) sent: u64,
}

/// With padding or without, and whatever its last bits are.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What nginx logs when the client went away before it had an answer.
const CLIENT_CLOSED_REQUEST: u16 = 499;

impl Entry {
    /// For a request that has no answer yet.
    pub(super) fn new(address: Option<IpAddr>, parts: &Parts) -> Self {
        let header = |name| {
            let value = parts.headers.get(name);
            value.map(|value| escaped(value.as_bytes()))
        };
        let request = format!("{} {} {:?}", parts.method, parts.uri, parts.version);
        Self {
            address,
            user: basic_user(parts).unwrap_or_default(),
            request: escaped(request.as_bytes()),
            referer: header(REFERER),
            agent: header(USER_AGENT),
            status: CLIENT_CLOSED_REQUEST,
            sent: 0,
        }
    }

    /// The line, with its newline, for a request that ended at `now`.
    pub(super) fn line(&self, now: jiff::Timestamp) -> String {
        let address = self.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
        format!(
            "{address} - {} [{}] \"{}\" {} {} \"{}\" \"{}\"\n",
            if self.user.is_empty() { "-" } else { &self.user },
            now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            self.request,
            self.status,
            self.sent,
            self.referer.as_deref().unwrap_or("-"),
            self.agent.as_deref().unwrap_or("-"),
        )
    }
}

/// As nginx does: what would break the line or its quotes becomes `\xHH`.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\x{byte:02X}");
            }
            _ => text.push(char::from(*byte)),
        }
    }
    text
}

fn basic_user(parts: &Parts) -> Option<String> {
    let text = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some(escaped(&decoded[..colon]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(request: hyper::http::request::Builder) -> String {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut entry = Entry::new(Some([127, 0, 0, 1].into()), &parts);
        entry.status = 200;
        entry.sent = 5;
        entry.line(jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_line_is_as_nginx_writes_it() {
        let request = hyper::Request::get("/x?y=z")
            .header("user-agent", "curl/8")
            .header("referer", "http://here/")
            .header("authorization", "Basic Z2l0OnNlY3JldA==");
        assert_eq!(
            line(request),
            "127.0.0.1 - git [01/Jan/1970:00:00:00 +0000] \"GET /x?y=z HTTP/1.1\" 200 5 \
             \"http://here/\" \"curl/8\"\n"
        );
    }

    #[test]
    fn the_target_is_logged_as_it_came() {
        assert!(
            line(hyper::Request::get("http://other/x?y")).contains("\"GET http://other/x?y HTTP")
        );
        assert!(line(hyper::Request::options("*")).contains("\"OPTIONS * HTTP/1.1\""));
    }

    #[test]
    fn a_user_has_a_colon_behind_it_and_an_empty_header_is_not_a_missing_one() {
        let logged = |user: &str, agent: &str| {
            let request = hyper::Request::get("/").header("user-agent", agent);
            line(request.header("authorization", format!("Basic {user}")))
        };
        assert!(logged("dXNlcg==", "x").contains(" - - ["));
        assert!(logged("dXM6cA", "x").contains(" - us ["));
        assert!(logged("OnB3", "").contains(" - - ["));
        assert!(logged("OnB3", "").ends_with("\"-\" \"\"\n"));
    }

    #[test]
    fn what_a_client_sends_cannot_break_the_line() {
        let agent = hyper::header::HeaderValue::from_bytes(b"a\"b\\c\xff").unwrap();
        let logged = line(hyper::Request::put("/").header("user-agent", agent));
        assert!(logged.ends_with("\"-\" \"a\\x22b\\x5Cc\\xFF\"\n"), "{logged}");
        assert_eq!(logged.lines().count(), 1);
    }
}
