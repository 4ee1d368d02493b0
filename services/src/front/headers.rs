//! Which headers go on to the service and back to the client, as nginx's `proxy_pass` has it.

use std::net::SocketAddr;

use hyper::Version;
use hyper::header::{
    CONNECTION, DATE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, SERVER, TE,
    TRANSFER_ENCODING, UPGRADE,
};

use hyper::http::request::Parts;

use super::host;
use crate::nginx_page::SERVER_NAME;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// Not sent to the service: what concerns the client's connection only.
const NOT_FORWARDED: [HeaderName; 6] = [
    CONNECTION,
    KEEP_ALIVE,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    // We ask the client ourselves to go on, by reading its body.
    EXPECT,
];

/// Not sent to the client: what concerns the service's connection only, what we put ourselves, and
/// what is meant for nginx.
const NOT_RETURNED: [HeaderName; 11] = [
    CONNECTION,
    KEEP_ALIVE,
    TRANSFER_ENCODING,
    UPGRADE,
    DATE,
    HeaderName::from_static("x-pad"),
    HeaderName::from_static("x-accel-expires"),
    HeaderName::from_static("x-accel-redirect"),
    HeaderName::from_static("x-accel-limit-rate"),
    HeaderName::from_static("x-accel-buffering"),
    HeaderName::from_static("x-accel-charset"),
];

/// Turns the headers of a client into those that a service called `name` gets.
pub(super) fn forward(headers: &mut HeaderMap, name: &HeaderValue) {
    for unwanted in &NOT_FORWARDED {
        headers.remove(unwanted);
    }
    let ignored: Vec<HeaderName> = headers.keys().filter(|name| !is_valid(name)).cloned().collect();
    for name in ignored {
        headers.remove(name);
    }
    headers.insert(HOST, name.clone());
}

/// nginx ignores other names, unless it is told not to: in CGI, `_` and `-` become the same.
fn is_valid(name: &HeaderName) -> bool {
    name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What a client has said that its answer depends on.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    version: Version,
    keeps_alive: bool,
    /// What it takes us for, in small letters; empty if it does not say.
    host: String,
}

impl Caller {
    /// From what it has sent.
    pub(super) fn new(parts: &Parts) -> Self {
        let (version, headers) = (parts.version, &parts.headers);
        let says = |word: &str| {
            let mut values = headers.get_all(CONNECTION).iter();
            values.any(|value| value.to_str().is_ok_and(|text| contains(text, word)))
        };
        let keeps_alive = !says("close") && (version >= Version::HTTP_11 || says("keep-alive"));
        let named = headers.get(HOST).map(HeaderValue::as_bytes);
        let named = parts.uri.authority().map(|target| target.as_str().as_bytes()).or(named);
        let host = String::from_utf8_lossy(named.and_then(host::name).unwrap_or_default());
        Self { version, keeps_alive, host: host.to_ascii_lowercase() }
    }

    /// Whether its connection goes on after the answer.
    pub(super) fn keeps_alive(&self) -> bool {
        self.keeps_alive
    }

    /// Turns the headers of the service called `name` into those that this client gets from the front
    /// at `own`. Whether the answer's length is known decides whether an old client can see its end.
    pub(super) fn answer(
        &self,
        headers: &mut HeaderMap,
        name: &str,
        own: Option<SocketAddr>,
        has_length: bool,
    ) {
        for unwanted in &NOT_RETURNED {
            headers.remove(unwanted);
        }
        headers.insert(SERVER, SERVER_NAME);
        self.set_connection(headers, has_length);
        if let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok())
            && let Some(location) = self.location(location, name, own)
            && let Ok(location) = HeaderValue::try_from(location)
        {
            headers.insert(LOCATION, location);
        }
    }

    /// Says whether the connection stays, as nginx always does.
    pub(super) fn set_connection(&self, headers: &mut HeaderMap, has_length: bool) {
        let stays = self.keeps_alive && (has_length || self.version >= Version::HTTP_11);
        let value = if stays { "keep-alive" } else { "close" };
        headers.insert(CONNECTION, HeaderValue::from_static(value));
    }

    /// Where a redirect leads for this client, if it leads to the service.
    fn location(&self, given: &str, name: &str, own: Option<SocketAddr>) -> Option<String> {
        let path = given.strip_prefix("http://")?.strip_prefix(name)?;
        if !path.starts_with('/') {
            return None;
        }
        Some(match (own, self.host.as_str()) {
            (Some(own), "") if own.port() == 443 => format!("https://{}{path}", own.ip()),
            (Some(own), "") => format!("https://{own}{path}"),
            (Some(own), host) if own.port() != 443 => {
                format!("https://{host}:{}{path}", own.port())
            }
            (_, host) => format!("https://{host}{path}"),
        })
    }
}

fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        fields.iter().map(field).collect()
    }

    #[test]
    fn what_concerns_one_connection_is_not_forwarded() {
        let mut headers = map(&[
            ("host", "h"),
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("under_score", "1"),
            ("authorization", "OAuth2 x"),
            ("content-length", "3"),
        ]);
        forward(&mut headers, &HeaderValue::from_static("keepproxy"));
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "content-length", "host", "x-private"]);
        assert_eq!(headers["host"], "keepproxy");
    }

    fn caller(
        version: Version,
        uri: &'static str,
        sent: &[(&'static str, &'static str)],
    ) -> Caller {
        let mut parts = Request::get(uri).version(version).body(()).unwrap().into_parts().0;
        parts.headers = map(sent);
        Caller::new(&parts)
    }

    fn answered(
        version: Version,
        sent: &[(&'static str, &'static str)],
        has_length: bool,
    ) -> String {
        let mut headers = map(&[("server", "other"), ("date", "then"), ("x-kept", "1")]);
        let caller = caller(version, "/", sent);
        caller.answer(&mut headers, "keepproxy", Some(([127, 0, 0, 1], 9).into()), has_length);
        assert_eq!((&headers["server"], headers.len()), (&SERVER_NAME, 3));
        headers["connection"].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_client_decides_whether_its_connection_stays() {
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        assert_eq!(answered(new, &[], true), "keep-alive");
        assert_eq!(answered(new, &[], false), "keep-alive");
        assert_eq!(answered(new, &[("connection", "Close")], true), "close");
        assert_eq!(answered(old, &[], true), "close");
        assert_eq!(answered(old, &[("connection", "Keep-Alive")], true), "keep-alive");
        assert_eq!(answered(old, &[("connection", "keep-alive, close")], true), "close");
        // Only its end ends the answer.
        assert_eq!(answered(old, &[("connection", "Keep-Alive")], false), "close");
    }

    #[test]
    fn a_redirect_within_the_service_leads_through_the_front() {
        let own = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        for (host, port, given, expected) in [
            ("h:9", 9, "http://keepproxy/x", Some("https://h:9/x")),
            ("h", 443, "http://keepproxy/x?y", Some("https://h/x?y")),
            ("[::1]:9", 9, "http://keepproxy/", Some("https://[::1]:9/")),
            ("LOCAL.:5", 9, "http://keepproxy/", Some("https://local:9/")),
            ("", 9, "http://keepproxy/", Some("https://127.0.0.1:9/")),
            ("", 443, "http://keepproxy/", Some("https://127.0.0.1/")),
            ("h", 9, "http://keepproxy2/x", None),
            ("h", 9, "/x", None),
            ("h", 9, "http://elsewhere/x", None),
            ("h", 9, "x", None),
        ] {
            let caller = caller(Version::HTTP_11, "/", &[("host", host)]);
            let location = caller.location(given, "keepproxy", own(port));
            assert_eq!(location.as_deref(), expected, "{host} {given}");
        }
        let caller = caller(Version::HTTP_11, "http://other:5/x", &[("host", "h")]);
        let location = caller.location("http://keepproxy/x", "keepproxy", own(9));
        assert_eq!(location.as_deref(), Some("https://other:9/x"));
    }
}
