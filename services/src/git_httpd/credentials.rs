//! The token behind a git request, in any form that git and its users send it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use crate::authorization;

/// The token in the `Authorization` header, in the password of a Basic one (whoever the user),
/// or in the parameter `api_token` of the query.
pub(super) fn token(headers: &HeaderMap, query: &str) -> Option<String> {
    let bare = authorization::token(headers).map(str::to_owned);
    bare.or_else(|| basic_password(headers))
        .or_else(|| parameter(query, "api_token"))
        .filter(|token| !token.is_empty())
}

fn basic_password(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (_user, password) = decoded.split_once(':')?;
    Some(password.to_owned())
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_header(header: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header.parse().unwrap());
        token(&headers, "")
    }

    #[test]
    fn a_token_comes_as_header_as_password_or_in_the_query() {
        let password = format!("Basic {}", STANDARD.encode("anybody:to:ken"));
        assert_eq!(with_header(&password).as_deref(), Some("to:ken"));
        assert_eq!(with_header("OAuth2 token").as_deref(), Some("token"));
        let query = "service=git-upload-pack&api_token=tok%65n";
        assert_eq!(token(&HeaderMap::new(), query).as_deref(), Some("token"));
    }

    #[test]
    fn nothing_usable_is_no_token() {
        let empty = format!("Basic {}", STANDARD.encode("user:"));
        for header in [&empty, "Basic %%%", "Basic dXNlcg==", "Digest x"] {
            assert_eq!(with_header(header), None, "{header:?}");
        }
        assert_eq!(token(&HeaderMap::new(), "api_token="), None);
    }
}
