//! The header that a CGI program writes before its content (RFC 3875, section 6).

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};

/// Longer headers are a program gone wrong.
pub(super) const MAX_BYTES: usize = 64 << 10;

/// What a program said about its content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CgiHeader {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Where in the output the content begins.
    pub(super) length: usize,
}

/// Why a program's output is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line:?} of its header is malformed")]
pub(super) struct Malformed {
    line: usize,
}

/// Reads the header at the start of `output`; `None` while its end is not there yet.
///
/// # Errors
/// Says which line is no header field.
pub(super) fn parse(output: &[u8]) -> Result<Option<CgiHeader>, Malformed> {
    let mut found = CgiHeader { status: StatusCode::OK, headers: HeaderMap::new(), length: 0 };
    for (number, line) in output.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let Some(text) = line.strip_suffix(b"\n") else {
            return Ok(None);
        };
        found.length += line.len();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            return Ok(Some(found));
        }
        found.field(text).ok_or(Malformed { line: number + 1 })?;
    }
    Ok(None)
}

impl CgiHeader {
    fn field(&mut self, line: &[u8]) -> Option<()> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"status") {
            // The reason may follow the number.
            self.status = StatusCode::from_bytes(value.get(..3)?).ok()?;
            return Some(());
        }
        let name = HeaderName::from_bytes(name).ok()?;
        self.headers.append(name, HeaderValue::from_bytes(value).ok()?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_fields_and_content_are_told_apart() {
        let output = b"Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nbody";
        let found = parse(output).unwrap().unwrap();
        assert_eq!(found.status, StatusCode::NOT_FOUND);
        assert_eq!(found.headers["content-type"], "text/plain");
        assert_eq!(found.headers.len(), 1);
        assert_eq!(&output[found.length..], b"body");
    }

    #[test]
    fn without_a_status_it_is_200_and_bare_newlines_will_do() {
        let found = parse(b"Expires: never\n\nx").unwrap().unwrap();
        assert_eq!((found.status, found.length), (StatusCode::OK, 16));
    }

    #[test]
    fn an_unfinished_header_is_waited_for() {
        for part in [&b""[..], b"Content-", b"Content-Type: x\r\n", b"Content-Type: x\r\n\r"] {
            assert_eq!(parse(part), Ok(None), "{part:?}");
        }
    }

    #[test]
    fn what_is_no_field_is_an_error() {
        for wrong in [&b"fatal\n\n"[..], b"A: b\nc d: e\n\n", b"Status: x\n\n", b"Status: 9\n\n"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
