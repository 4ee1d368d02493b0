//! Which requests Go's HTTP server refuses before the program hears of them.

use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, EXPECT, HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode, Version};

use crate::serve::{Body, empty, full};
use crate::unread_body;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// It is malformed, for the reason that Go gives.
    BadRequest(&'static str),
    /// It expects something else than to be asked for its body.
    ExpectationFailed,
}

/// The request; or, if Go's server refuses it, the answer, with which the connection ends.
pub(crate) fn checked(
    parts: Parts,
    body: Incoming,
) -> Result<(Parts, Incoming), Box<Response<Body>>> {
    match check(&parts) {
        Ok(()) => Ok((parts, body)),
        Err(refused) => {
            unread_body::linger(body);
            Err(Box::new(refused.reply()))
        }
    }
}

fn check(parts: &Parts) -> Result<(), Refused> {
    check_host(parts)?;
    match parts.headers.get(EXPECT) {
        Some(wish) if !wish.is_empty() && !expects_to_continue(wish) => {
            Err(Refused::ExpectationFailed)
        }
        _ => Ok(()),
    }
}

fn check_host(parts: &Parts) -> Result<(), Refused> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if parts.version == Version::HTTP_11 && parts.method != Method::CONNECT => {
            Err(Refused::BadRequest(": missing required Host header"))
        }
        (Some(host), None) if !host.as_bytes().iter().all(|byte| is_of_host(*byte)) => {
            Err(Refused::BadRequest(": malformed Host header"))
        }
        (_, Some(_)) => Err(Refused::BadRequest("")),
        _ => Ok(()),
    }
}

/// Whether a host may have this byte (RFC 3986, 3.2.2), and a port behind it.
fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&()*+,-.:;='[]_~".contains(&byte)
}

fn expects_to_continue(wish: &HeaderValue) -> bool {
    let wish = wish.to_str().unwrap_or_default();
    wish.split([' ', ',', '\t']).any(|word| word.eq_ignore_ascii_case("100-continue"))
}

impl Refused {
    fn reply(self) -> Response<Body> {
        let mut response = match self {
            Self::BadRequest(why) => {
                let mut response = Response::new(full(format!("400 Bad Request{why}")));
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, plain);
                *response.status_mut() = StatusCode::BAD_REQUEST;
                response
            }
            Self::ExpectationFailed => {
                let mut response = Response::new(empty());
                *response.status_mut() = StatusCode::EXPECTATION_FAILED;
                response
            }
        };
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_of(version: Version, headers: &[(&str, &str)]) -> Result<(), Refused> {
        let mut request = hyper::Request::builder().version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn there_is_one_host_unless_the_client_is_of_old() {
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        for host in ["h", "", "127.0.0.1:80", "[::1]:80"] {
            assert_eq!(check_of(new, &[("host", host)]), Ok(()), "{host:?}");
        }
        assert_eq!(check_of(old, &[]), Ok(()));
        assert_eq!(check_of(Version::HTTP_2, &[]), Ok(()));
        let bad = |why| Err(Refused::BadRequest(why));
        assert_eq!(check_of(new, &[]), bad(": missing required Host header"));
        for host in ["a b", "a/b", "a\u{e9}"] {
            assert_eq!(
                check_of(old, &[("host", host)]),
                bad(": malformed Host header"),
                "{host:?}"
            );
        }
        assert_eq!(check_of(new, &[("host", "a"), ("host", "b")]), bad(""));
    }

    #[test]
    fn a_client_may_expect_to_be_asked_for_its_body_and_nothing_else() {
        let expecting = |wish| check_of(Version::HTTP_11, &[("host", "h"), ("expect", wish)]);
        for wish in ["100-continue", "x, 100-Continue", ""] {
            assert_eq!(expecting(wish), Ok(()), "{wish:?}");
        }
        for wish in ["100", "x"] {
            assert_eq!(expecting(wish), Err(Refused::ExpectationFailed), "{wish:?}");
        }
    }
}
