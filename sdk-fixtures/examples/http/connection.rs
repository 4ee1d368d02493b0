//! One HTTP request over a connection of its own, sent byte for byte as it is given. A client
//! library would put right, or refuse to send, some of what a server has to refuse.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// How long a server may be silent.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where a service listens, and how its certificate is checked if it speaks TLS.
#[derive(Clone)]
pub(crate) struct Address {
    /// `HOST:PORT`.
    pub(crate) host: String,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(given, value)| given.eq_ignore_ascii_case(name).then_some(&**value))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Sends a request whose head ends with an empty line, and reads the answer to its end, or to that
/// of the connection, for which the head is to ask.
///
/// # Errors
/// When there is no connection, or no whole answer.
pub(crate) fn exchange(address: &Address, head: &str, body: &[u8]) -> anyhow::Result<Answer> {
    let socket = TcpStream::connect(&address.host)
        .with_context(|| format!("cannot connect to {}", address.host))?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    let mut stream: Box<dyn Stream> = match &address.tls {
        None => Box::new(socket),
        Some(config) => {
            let name = address.host.rsplit_once(':').map_or(&*address.host, |(host, _)| host);
            let name = ServerName::try_from(name.to_owned())?;
            Box::new(StreamOwned::new(ClientConnection::new(config.clone(), name)?, socket))
        }
    };
    // A server that refuses a request need not take all of its body: the answer counts.
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let sent = sent.and_then(|()| stream.flush());
    let is_head = head.starts_with("HEAD ");
    let received = read_answer(&mut *stream, is_head);
    let bytes = match (received, sent) {
        (Ok(bytes), Err(error)) if bytes.is_empty() => Err(error).context("cannot send"),
        (received, _) => received.context("cannot receive"),
    }?;
    parse(&bytes, is_head)
}

/// The connection may stay open behind the answer: a server may wait for the rest of a body that
/// it has refused. And not every server says goodbye on one with TLS.
fn read_answer(stream: &mut dyn Stream, is_head: bool) -> std::io::Result<Vec<u8>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16384]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(bytes),
            Err(error) => return Err(error),
        }
        if says_where_it_ends(&bytes) && parse(&bytes, is_head).is_ok() {
            return Ok(bytes);
        }
    }
}

/// Whether the end of the answer can be told from what comes before it.
fn says_where_it_ends(bytes: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let is_complete = response.parse(bytes).is_ok_and(|status| status.is_complete());
    let names = ["content-length", "transfer-encoding"];
    is_complete
        && response
            .headers
            .iter()
            .any(|it| names.iter().any(|name| it.name.eq_ignore_ascii_case(name)))
}

fn parse(bytes: &[u8], is_head: bool) -> anyhow::Result<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).context("not HTTP")? else {
        anyhow::bail!("the answer ended early, after {} bytes", bytes.len());
    };
    let status = response.code.unwrap_or_default();
    if (100..200).contains(&status) {
        return parse(&bytes[length..], is_head);
    }
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = response.headers.iter().map(|it| (it.name.to_owned(), text(it.value)));
    let mut answer = Answer { status, headers: headers.collect(), body: Vec::new() };
    let rest = &bytes[length..];
    answer.body = if is_head {
        anyhow::ensure!(rest.is_empty(), "the answer to HEAD has a body of {} bytes", rest.len());
        Vec::new()
    } else if answer.header("transfer-encoding") == Some("chunked") {
        unchunked(rest)?
    } else {
        if let Some(length) = answer.header("content-length") {
            let length: usize = length.parse().context("Content-Length is no number")?;
            anyhow::ensure!(rest.len() == length, "{} bytes of body, not {length}", rest.len());
        }
        rest.to_vec()
    };
    Ok(answer)
}

fn unchunked(mut rest: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let parsed = httparse::parse_chunk_size(rest);
        let Ok(httparse::Status::Complete((start, size))) = parsed else {
            anyhow::bail!("the chunks ended early, after {} bytes", body.len());
        };
        if size == 0 {
            return Ok(body);
        }
        let end = start.saturating_add(usize::try_from(size)?);
        let chunk = rest.get(start..end).context("a chunk ended early")?;
        body.extend_from_slice(chunk);
        rest = rest[end..].strip_prefix(b"\r\n").context("a chunk does not end where it should")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_it_says_though_the_connection_goes_on() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let mut socket = listener.accept().unwrap().0;
            socket.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nfoo").unwrap();
            // Until the client goes.
            socket.read_to_end(&mut Vec::new()).unwrap();
        });
        let answer = exchange(&Address { host, tls: None }, "PUT / HTTP/1.1\r\n\r\n", b"").unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (413, "foo"));
        server.join().unwrap();
    }

    #[test]
    fn a_whole_answer_is_read_and_one_that_is_cut_off_is_an_error() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n2\r\nba\r\n0\r\n\r\n";
        assert_eq!(parse(chunked, false).unwrap().text(), "fooba");
        let sized =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nfoo";
        let answer = parse(sized, false).unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (404, "foo"));
        assert_eq!(answer.header("Content-Length"), Some("3"));
        for whole in [&chunked[..], sized] {
            assert!(parse(&whole[..whole.len() - 8], false).is_err());
        }
        assert!(parse(sized, true).is_err(), "HEAD with a body");
    }
}
