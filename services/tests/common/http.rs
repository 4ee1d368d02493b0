//! HTTP/1.1 on a bare socket, so that a test can also do what no proper client would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A connection on which nothing takes for ever.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Sends a request with a body of known length, on a connection of its own.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> Reply {
    let mut stream = connect(address);
    stream.write_all(&head(method, path, headers, body.len())).unwrap();
    // A server may refuse before it has read all.
    let _ = stream.write_all(body);
    receive(&mut stream, method)
}

/// A request's head, with the empty line.
pub(crate) fn head(method: &str, path: &str, headers: &[&str], length: usize) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n");
    for header in headers.iter().filter(|header| !header.is_empty()) {
        text += &format!("{header}\r\n");
    }
    if length > 0 || matches!(method, "PUT" | "POST") {
        text += &format!("Content-Length: {length}\r\n");
    }
    (text + "\r\n").into_bytes()
}

/// Reads the answer to a request with `method`.
pub(crate) fn receive(stream: &mut impl Read, method: &str) -> Reply {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        let read = stream.read(&mut byte).unwrap();
        assert_eq!(read, 1, "the connection ended within {:?}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut reply = Reply { status: head[9..12].parse().unwrap(), head, body: Vec::new() };
    if method != "HEAD"
        && let Some(length) = reply.header("content-length")
    {
        reply.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut reply.body).unwrap();
    }
    reply
}
