//! Paths with empty, `.` or `..` segments: the real program's router sends its clients to the path
//! that is meant, before it looks at anything else. git follows that.

use std::borrow::Cow;

use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Method, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::serve::{Body, empty, full};

/// What Go's `net/url` escapes in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// The path of a request with its percent signs decoded, so that an encoded dot or slash is one too.
pub(super) fn decoded(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

/// The path that `path` means, if it is written otherwise. It never leads above the root.
pub(super) fn cleaned(path: &str) -> Option<String> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let mut clean = format!("/{}", segments.join("/"));
    if path.ends_with('/') && clean != "/" {
        clean.push('/');
    }
    (clean != path).then_some(clean)
}

/// Sends a client to `path`, which is decoded, with the query that it came with.
pub(super) fn redirect(method: &Method, path: &str, query: Option<&str>) -> Response<Body> {
    let mut location = utf8_percent_encode(path, ESCAPED).to_string();
    if let Some(query) = query {
        location = format!("{location}?{query}");
    }
    let link = format!("<a href=\"{}\">Moved Permanently</a>.\n\n", html_escaped(&location));
    let has_page = matches!(*method, Method::GET | Method::HEAD);
    let mut response = Response::new(if has_page { full(link) } else { empty() });
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let headers = response.headers_mut();
    if has_page {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    // It came in a request, so it fits into an answer.
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, location);
    }
    response
}

fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_path_stays() {
        for path in ["/", "/a", "/a/", "/a.git/info/refs", "/a/.git/HEAD", "/..a/b.."] {
            assert_eq!(cleaned(path), None, "{path:?}");
        }
    }

    #[test]
    fn what_is_meant_never_leads_above_the_root() {
        for (path, meant) in [
            ("", "/"),
            ("*", "/*"),
            ("//a.git/HEAD", "/a.git/HEAD"),
            ("/a//b.git/HEAD", "/a/b.git/HEAD"),
            ("/a/./b/", "/a/b/"),
            ("/a/../../../etc/passwd", "/etc/passwd"),
            ("/a.git/objects/../HEAD", "/a.git/HEAD"),
            ("/..", "/"),
            ("/a/..", "/"),
        ] {
            assert_eq!(cleaned(path).as_deref(), Some(meant), "{path:?}");
        }
        assert_eq!(cleaned(&decoded("/a/%2e%2E%2fb")).as_deref(), Some("/b"));
    }

    #[test]
    fn a_redirect_says_where_to() {
        let response = redirect(&Method::GET, "/a b&.git/x", Some("service=git-upload-pack&y"));
        assert_eq!(response.status(), 301);
        assert_eq!(response.headers()[LOCATION], "/a%20b&.git/x?service=git-upload-pack&y");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        let response = redirect(&Method::POST, "/a", None);
        assert_eq!(response.headers()[LOCATION], "/a");
        assert!(!response.headers().contains_key(CONTENT_TYPE));
    }
}
