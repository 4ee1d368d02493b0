//! The token that a client presents in its `Authorization` header.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

/// The word before a token: clients of 2015 say `OAuth2`, those of today `Bearer`.
const SCHEMES: [&str; 2] = ["OAuth2", "Bearer"];

/// The token in `Authorization: OAuth2 TOKEN` or `Bearer TOKEN`, as presented.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    let known = SCHEMES.iter().any(|name| name.eq_ignore_ascii_case(scheme));
    (known && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(header: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header.parse().unwrap());
        token(&headers).map(str::to_owned)
    }

    #[test]
    fn either_scheme_carries_a_token() {
        for header in ["OAuth2 abc", "Bearer abc", "bearer  abc "] {
            assert_eq!(presented(header).as_deref(), Some("abc"), "{header:?}");
        }
    }

    #[test]
    fn other_schemes_and_missing_tokens_are_no_token() {
        for header in ["Basic abc", "abc", "OAuth2", "OAuth2 ", "Bearerabc"] {
            assert_eq!(presented(header), None, "{header:?}");
        }
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
