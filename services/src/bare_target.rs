//! Requests whose target has quotes, angle brackets or backquotes as they are:
//! `GET /arvados/v1/users?filters=[["uuid","=",…`.
//!
//! RFC 3986 wants them percent-encoded, and hyper refuses them otherwise; curl and Go send what they are
//! given, and every real server takes it. So they are encoded on their way to hyper, in nothing but the
//! first line of a request: a byte too many in a body would be the end of its connection. Where a
//! request begins is known for the first one, and behind requests without a body.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use hyper::body::Body;
use hyper::header::UPGRADE;
use hyper::{Method, Request, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the real servers take in a target, and hyper does not.
const BARE: &[u8] = b"\"<>`";

/// Told of every request of a connection, to know whether the next one begins where it ends.
#[derive(Clone, Default)]
pub(crate) struct Requests(Arc<AtomicBool>);

impl Requests {
    /// `request` has arrived.
    pub(crate) fn have<B: Body>(&self, request: &Request<B>) {
        let is_all = request.body().is_end_stream()
            && request.version() <= Version::HTTP_11
            && request.method() != Method::CONNECT
            && !request.headers().contains_key(UPGRADE);
        self.0.store(is_all, Ordering::Relaxed);
    }

    /// Whether nothing of the last request was left to come; of one request it is true once.
    fn are_over(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Where in a connection the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the first line of a request, before which there may be empty ones; whether at its start.
    FirstLine(bool),
    /// In a header; whether at the start of its line.
    Header(bool),
    /// Behind the headers of a request: nothing has come yet.
    Behind,
    /// Somewhere else, for the rest of the connection.
    Unknown,
}

/// A connection to a client.
pub(crate) struct Connection<S> {
    stream: S,
    requests: Requests,
    place: Place,
    /// What has been read and encoded, and was too much for who asked.
    left: Vec<u8>,
}

impl<S> Connection<S> {
    /// All of `stream`, in which `requests` come.
    pub(crate) fn new(stream: S, requests: Requests) -> Self {
        Self { stream, requests, place: Place::FirstLine(true), left: Vec::new() }
    }

    /// `bytes`, which have come next, with what stands bare in a target encoded; `None` if nothing does.
    fn encoded(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.place == Place::Behind && self.requests.are_over() {
            self.place = Place::FirstLine(true);
        }
        let end = match self.place {
            Place::FirstLine(at_start) => end_of_first_line(at_start, bytes),
            _ => 0,
        };
        let (first_line, rest) = bytes.split_at(end);
        self.go_behind(bytes);
        first_line.iter().any(|byte| BARE.contains(byte)).then(|| {
            let mut encoded = Vec::with_capacity(3 * first_line.len() + rest.len());
            for byte in first_line {
                match BARE.contains(byte) {
                    true => encoded.extend(format!("%{byte:02X}").bytes()),
                    false => encoded.push(*byte),
                }
            }
            encoded.extend(rest);
            encoded
        })
    }

    /// Finds out where it is that `bytes` end.
    fn go_behind(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = line.ends_with(b"\n");
            let is_empty = is_empty(line);
            self.place = match self.place {
                Place::FirstLine(true) if is_empty => Place::FirstLine(true),
                Place::FirstLine(_) if ends => Place::Header(true),
                Place::FirstLine(_) => Place::FirstLine(false),
                Place::Header(true) if ends && is_empty => Place::Behind,
                Place::Header(true) if is_empty => Place::Header(true),
                Place::Header(_) => Place::Header(ends),
                Place::Behind | Place::Unknown => return self.place = Place::Unknown,
            };
        }
    }

    /// Gives `buffer` of what is left as much as it takes.
    fn hand_over(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.left.len().min(buffer.remaining());
        buffer.put_slice(&self.left[..length]);
        self.left.drain(..length);
    }
}

fn is_empty(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n" | b"\r")
}

/// How much of `bytes` is the first line, with the empty ones before it if that has not begun.
fn end_of_first_line(at_start: bool, bytes: &[u8]) -> usize {
    let mut end = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if !(at_start && is_empty(line)) {
            break;
        }
    }
    end
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.left.is_empty() {
            self.hand_over(buffer);
            return Poll::Ready(Ok(()));
        }
        let start = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.place != Place::Unknown
            && let Some(encoded) = self.encoded(&buffer.filled()[start..])
        {
            buffer.set_filled(start);
            self.left = encoded;
            self.hand_over(buffer);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    const GET: &[u8] = b"GET /?a=[\"<>`\"] HTTP/1.1\r\nA: \"b\"\r\n\r\n";
    const GOT: &[u8] = b"GET /?a=[%22%3C%3E%60%22] HTTP/1.1\r\nA: \"b\"\r\n\r\n";
    const POST: &[u8] = b"POST /?\" HTTP/1.1\nContent-Length: 4\n\n\"<>\n";

    /// What is read of `pieces`, each of which arrives alone, into room for `length` bytes at a time.
    /// Beside each is the request that hyper has found before it arrives.
    fn read(pieces: &[(&[u8], Option<Request<String>>)], length: usize) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let requests = Requests::default();
        let mut connection = Connection::new(&b""[..], requests.clone());
        let mut all = Vec::new();
        for (piece, request) in pieces {
            request.iter().for_each(|request| requests.have(request));
            connection.stream = piece;
            let mut some = vec![0; length];
            loop {
                let count = runtime.block_on(connection.read(&mut some)).unwrap();
                if count == 0 {
                    break;
                }
                all.extend(&some[..count]);
            }
        }
        all
    }

    fn request(method: &str, body: &str) -> Option<Request<String>> {
        Some(Request::builder().method(method).body(body.to_owned()).unwrap())
    }

    #[test]
    fn what_stands_bare_in_the_first_line_is_encoded_whatever_the_room() {
        for length in [1, 2, 3, 7, 24, 1000] {
            let pieces = [(GET, None), (GET, request("GET", ""))];
            assert_eq!(read(&pieces, length), [GOT, GOT].concat(), "{length}");
            for cut in 1..GET.len() {
                let pieces = [(&GET[..cut], None), (&GET[cut..], None)];
                assert_eq!(read(&pieces, length), GOT, "{cut} {length}");
            }
        }
    }

    #[test]
    fn a_body_stays_as_it_is() {
        let encoded = b"POST /?%22 HTTP/1.1\nContent-Length: 4\n\n\"<>\n";
        for cut in 1..POST.len() {
            let pieces = [(&POST[..cut], None), (&POST[cut..], None), (GET, None)];
            assert_eq!(read(&pieces, 1000), [&encoded[..], GET].concat(), "{cut}");
        }
        let head = POST.len() - 4;
        let pieces = [(&POST[..head], None), (&POST[head..], request("POST", "....")), (GET, None)];
        assert_eq!(read(&pieces, 1000), [&encoded[..], GET].concat());
    }

    #[test]
    fn empty_lines_may_come_before_a_request() {
        let (sent, got) = ([b"\r\n\n", GET].concat(), [b"\r\n\n", GOT].concat());
        for cut in 1..sent.len() {
            assert_eq!(read(&[(&sent[..cut], None), (&sent[cut..], None)], 1000), got, "{cut}");
        }
    }

    #[test]
    fn behind_an_upgrade_nothing_is_a_request() {
        let upgrade = Request::builder().header("upgrade", "websocket").body(String::new());
        let pieces = [(GET, None), (GET, upgrade.ok())];
        assert_eq!(read(&pieces, 1000), [GOT, GET].concat());
        assert_eq!(read(&[(GET, None), (GET, request("CONNECT", ""))], 1000), [GOT, GET].concat());
        let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\"\n\"";
        assert_eq!(read(&[(http2, None)], 24), http2);
    }

    #[test]
    fn requests_that_came_at_once_are_not_mistaken() {
        let both = [GET, POST].concat();
        let pieces = [(&both[..GET.len() + 3], None), (&both[GET.len() + 3..], request("GET", ""))];
        assert_eq!(read(&pieces, 1000), [GOT, POST].concat());
    }
}
