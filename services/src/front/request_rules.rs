//! Which requests nginx refuses before any service hears of them.

use hyper::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, Uri, Version};
use percent_encoding::percent_decode_str;

use crate::serve::InPlain;

/// nginx's `large_client_header_buffers`: the most that one line may have, and that all may.
const MAX_LINE: usize = 8 << 10;
const MAX_LINES: usize = 4 * MAX_LINE + 1024;

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
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if parts.method.as_str().len() + " ".len() + target + " HTTP/1.1\r\n".len() > MAX_LINE {
        return Err(Refused::Status(StatusCode::URI_TOO_LONG));
    }
    check_sizes(parts)?;
    if !parts.method.as_str().bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'_' | b'-')) {
        return Err(Refused::BAD_REQUEST);
    }
    if !is_path(&parts.uri) {
        return Err(Refused::BAD_REQUEST);
    }
    if parts.method == Method::TRACE {
        return Err(Refused::Status(StatusCode::METHOD_NOT_ALLOWED));
    }
    check_host(parts)?;
    let framed_twice =
        parts.headers.contains_key(CONTENT_LENGTH) && parts.headers.contains_key(TRANSFER_ENCODING);
    match parts.extensions.get() {
        _ if framed_twice => Err(Refused::BAD_REQUEST),
        Some(InPlain) => Err(Refused::InPlain),
        None => Ok(()),
    }
}

fn check_sizes(parts: &Parts) -> Result<(), Refused> {
    let mut total = 0;
    for (name, value) in &parts.headers {
        let line = name.as_str().len() + value.len() + ": \r\n".len();
        total += line;
        if line > MAX_LINE || total > MAX_LINES {
            return Err(Refused::HeadersTooLarge);
        }
    }
    Ok(())
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
        (Some(host), None) if is_host(host.as_bytes()) => Ok(()),
        _ => Err(Refused::BAD_REQUEST),
    }
}

fn is_host(host: &[u8]) -> bool {
    let name = host.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_plain = |byte: &u8| !matches!(byte, b'/' | 0..=b' ' | 0x7f);
    !name.is_empty() && host.iter().all(is_plain) && !name.windows(2).any(|pair| pair == b"..")
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
        for uri in ["*", "h:1", "/..", "/a/../../b", "/%2e%2e/b", "/a%00", "/a%zz", "/a%4", "/%"] {
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
        let twice = [H, ("content-length", "3"), ("transfer-encoding", "chunked")];
        assert_eq!(checked("POST", "/", &twice), Err(Refused::BAD_REQUEST));
    }

    #[test]
    fn lines_have_eight_kilobytes_and_all_of_them_33() {
        let path = |length| format!("/{}", "a".repeat(length - "GET / HTTP/1.1\r\n".len()));
        assert_eq!(checked("GET", &path(MAX_LINE), &[H]), Ok(()));
        let too_long = Refused::Status(StatusCode::URI_TOO_LONG);
        assert_eq!(checked("GET", &path(MAX_LINE + 1), &[H]), Err(too_long));
        let value = |length| "a".repeat(length - "x: \r\n".len());
        assert_eq!(checked("GET", "/", &[H, ("x", &value(MAX_LINE))]), Ok(()));
        let long = value(MAX_LINE + 1);
        assert_eq!(checked("GET", "/", &[H, ("x", &long)]), Err(Refused::HeadersTooLarge));
        let long = value(MAX_LINE);
        let many = [("x", long.as_str()); 5];
        assert_eq!(checked("GET", "/", &many), Err(Refused::HeadersTooLarge));
    }
}
