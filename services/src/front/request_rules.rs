//! Which requests nginx refuses before any service hears of them.

use hyper::header::{CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, Uri, Version};
use percent_encoding::percent_decode_str;

use super::host;
use super::line_buffers::LineBuffers;
use crate::serve::InPlain;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// With the page of this status.
    Status(StatusCode),
    /// With a page of its own, also of status 400.
    HeadersTooLarge,
    /// With another one: the port expects TLS.
    InPlain,
}

impl Refused {
    const BAD_REQUEST: Self = Self::Status(StatusCode::BAD_REQUEST);
}

/// # Errors
/// Says how the request is refused.
pub(super) fn check(parts: &Parts) -> Result<(), Refused> {
    check_sizes(parts)?;
    if !parts.method.as_str().bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'_' | b'-')) {
        return Err(Refused::BAD_REQUEST);
    }
    if !is_path(&parts.uri) || !parts.uri.authority().is_none_or(host::is_plain) {
        return Err(Refused::BAD_REQUEST);
    }
    check_host(parts)?;
    if matches!(parts.method, Method::CONNECT | Method::TRACE) {
        return Err(Refused::Status(StatusCode::METHOD_NOT_ALLOWED));
    }
    check_encoding(&parts.headers)?;
    match parts.extensions.get() {
        Some(InPlain) => Err(Refused::InPlain),
        None => Ok(()),
    }
}

fn check_sizes(parts: &Parts) -> Result<(), Refused> {
    let mut buffers = LineBuffers::new();
    let line = parts.method.as_str().len() + " ".len() + length(&parts.uri) + " HTTP/1.1\r\n".len();
    buffers.take(line).map_err(|_full| Refused::Status(StatusCode::URI_TOO_LONG))?;
    let headers = parts.headers.iter();
    let mut lines = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    let all = lines.try_for_each(|line| buffers.take(line));
    all.and_then(|()| buffers.take("\r\n".len())).map_err(|_full| Refused::HeadersTooLarge)
}

/// As it came, with what names a host.
fn length(uri: &Uri) -> usize {
    let scheme = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    scheme + authority + uri.path_and_query().map_or(0, |target| target.as_str().len())
}

/// There is no encoding, or one that nginx knows.
fn check_encoding(headers: &HeaderMap) -> Result<(), Refused> {
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    match (encodings.next(), encodings.next()) {
        (None, _) => Ok(()),
        (Some(_), Some(_)) => Err(Refused::BAD_REQUEST),
        (Some(encoding), None) if !encoding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Err(Refused::Status(StatusCode::NOT_IMPLEMENTED))
        }
        _ if headers.contains_key(CONTENT_LENGTH) => Err(Refused::BAD_REQUEST),
        _ => Ok(()),
    }
}

/// Whether it is a path that stays below the root, behind a host or not.
fn is_path(uri: &Uri) -> bool {
    // Of `GET *` and `CONNECT host:1` there is no path, or only a star.
    let has_path = uri.path().starts_with('/') && (uri.scheme().is_some() || uri.host().is_none());
    has_path && is_well_escaped(uri.path()) && stays_below_root(uri.path())
}

fn is_well_escaped(path: &str) -> bool {
    let mut parts = path.split('%');
    parts.next();
    parts.all(|part| match part.as_bytes() {
        [b'0', b'0', ..] => false,
        [high, low, ..] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    })
}

fn stays_below_root(path: &str) -> bool {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let mut depth = 0_usize;
    path.split('/').all(|segment| {
        let deeper = match segment {
            "" | "." => Some(depth),
            ".." => depth.checked_sub(1),
            _ => Some(depth + 1),
        };
        depth = deeper.unwrap_or(0);
        deeper.is_some()
    })
}

fn check_host(parts: &Parts) -> Result<(), Refused> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if parts.version < Version::HTTP_11 => Ok(()),
        (Some(host), None) if host::name(host.as_bytes()).is_some() => Ok(()),
        _ => Err(Refused::BAD_REQUEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(), Refused> {
        let mut request = hyper::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0)
    }

    const H: (&str, &str) = ("host", "h");

    #[test]
    fn what_clients_send_is_not_refused() {
        for uri in
            ["/", "/a%20b?c=%zz/../..", "/a/../b", "/a/%2e%2e/b//c", "http://other/x", "/..a"]
        {
            assert_eq!(checked("GET", uri, &[H]), Ok(()), "{uri}");
        }
        assert_eq!(checked("MKCOL", "/", &[("host", "[::1]:80")]), Ok(()));
    }

    #[test]
    fn paths_that_lead_nowhere_are_bad_requests() {
        for uri in [
            "*",
            "h:1",
            "http://u:p@o/x",
            "/..",
            "/a/../../b",
            "/%2e%2e/b",
            "/a%00",
            "/a%zz",
            "/a%4",
            "/%",
        ] {
            assert_eq!(checked("GET", uri, &[H]), Err(Refused::BAD_REQUEST), "{uri}");
        }
    }

    #[test]
    fn there_is_one_host_and_no_odd_method() {
        for headers in [&[][..], &[H, H], &[("host", "a/b")], &[("host", "")], &[("host", "a..b")]]
        {
            assert_eq!(checked("GET", "/", headers), Err(Refused::BAD_REQUEST), "{headers:?}");
        }
        assert_eq!(checked("get", "/", &[H]), Err(Refused::BAD_REQUEST));
        let not_allowed = Refused::Status(StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(checked("TRACE", "/", &[H]), Err(not_allowed));
        assert_eq!(checked("CONNECT", "/", &[H]), Err(not_allowed));
        let twice = [H, ("content-length", "3"), ("transfer-encoding", "chunked")];
        assert_eq!(checked("POST", "/", &twice), Err(Refused::BAD_REQUEST));
    }

    #[test]
    fn one_encoding_is_known() {
        let encoded = |values: &[&'static str]| {
            let headers: Vec<_> =
                values.iter().map(|value| ("transfer-encoding", *value)).collect();
            checked("POST", "/", &[&[H][..], &headers].concat())
        };
        assert_eq!(encoded(&["Chunked"]), Ok(()));
        assert_eq!(encoded(&["chunked", "chunked"]), Err(Refused::BAD_REQUEST));
        let unknown = Err(Refused::Status(StatusCode::NOT_IMPLEMENTED));
        for value in ["gzip, chunked", "chunked, chunked", ", chunked", "identity"] {
            assert_eq!(encoded(&[value]), unknown, "{value}");
        }
    }

    #[test]
    fn the_first_line_is_all_that_came_and_every_line_has_its_place() {
        const MOST: usize = 8 << 10;
        let path = |length| format!("/{}", "a".repeat(length - "GET / HTTP/1.1\r\n".len()));
        assert_eq!(checked("GET", &path(MOST), &[H]), Ok(()));
        let too_long = Err(Refused::Status(StatusCode::URI_TOO_LONG));
        assert_eq!(checked("GET", &path(MOST + 1), &[H]), too_long);
        let host = "http://other";
        let uri = |length| format!("{host}{}", path(length - host.len()));
        assert_eq!(checked("GET", &uri(MOST), &[H]), Ok(()));
        assert_eq!(checked("GET", &uri(MOST + 1), &[H]), too_long);
        let value = |length| "a".repeat(length - "x: \r\n".len());
        // The end of the head is a line, too, and what follows needs another buffer.
        let long = value(MOST);
        let many = |number| [vec![H], vec![("x", long.as_str()); number]].concat();
        assert_eq!(checked("GET", "/", &many(3)), Ok(()));
        assert_eq!(checked("GET", "/", &many(4)), Err(Refused::HeadersTooLarge));
        let long = value(MOST + 1);
        assert_eq!(checked("GET", "/", &[H, ("x", &long)]), Err(Refused::HeadersTooLarge));
    }
}
