//! What a client takes the front for, as nginx reads it.

use hyper::http::uri::Authority;

/// The name in `host`, which may have a port behind it, or `None` if nginx refuses it: without a
/// dot at its end.
pub(super) fn name(host: &[u8]) -> Option<&[u8]> {
    let is_odd = |byte: &u8| matches!(byte, b'/' | 0..=b' ' | 0x7f);
    if host.iter().any(is_odd) || host.windows(2).any(|pair| pair == b"..") {
        return None;
    }
    let (before, end) = if host.starts_with(b"[") { (b']', 1) } else { (b':', 0) };
    let length = host.iter().position(|byte| *byte == before).map_or(host.len(), |at| at + end);
    let name = &host[..length];
    let name = name.strip_suffix(b".").unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

/// Whether nginx takes that in the first line of a request: a plain name or an address, and a port.
pub(super) fn is_plain(authority: &Authority) -> bool {
    let host = authority.host();
    let port = authority.as_str().strip_prefix(host).unwrap_or("@");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (host.starts_with('[') || host.bytes().all(is_plain))
        && port.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit())
        && name(host.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_port_and_no_dot_at_its_end() {
        for (host, expected) in [
            ("h", Some("h")),
            ("h:80", Some("h")),
            ("h:x:y", Some("h")),
            ("h.", Some("h")),
            ("h.:80", Some("h")),
            (".h", Some(".h")),
            ("[::1]:80", Some("[::1]")),
            ("[::1", Some("[::1")),
            ("", None),
            (".", None),
            (":80", None),
            (".:80", None),
            ("a..b", None),
            ("h:..", None),
            ("a/b", None),
            ("a b", None),
        ] {
            assert_eq!(name(host.as_bytes()), expected.map(str::as_bytes), "{host}");
        }
    }

    #[test]
    fn an_address_names_no_user() {
        for (authority, expected) in [
            ("o", true),
            ("o:80", true),
            ("o:", true),
            ("[::1]:80", true),
            ("u@o", false),
            ("u:p@o", false),
            ("a_b", false),
            (".", false),
        ] {
            assert_eq!(is_plain(&authority.parse().unwrap()), expected, "{authority}");
        }
    }
}
