//! A client of keepstores with one connection, which costs so little that the server's time shows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::block::{Block, STAMP};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of a large block is read at once.
const PIECE: usize = 1 << 20;

/// What it is spoken over.
trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// One that is kept open as long as the server wants; nginx closes each after 1,000 requests.
pub(super) struct Connection {
    address: String,
    tls: Option<Arc<ClientConfig>>,
    stream: BufReader<Box<dyn Stream>>,
    /// The server has said so with its last answer.
    closes: bool,
    headers: String,
    piece: Vec<u8>,
}

impl Connection {
    /// To `HOST:PORT`, over TLS if there is a way to check its certificate.
    ///
    /// # Errors
    /// When nobody answers there.
    pub(super) fn open(
        address: &str,
        tls: Option<Arc<ClientConfig>>,
        token: &str,
    ) -> anyhow::Result<Self> {
        let stream = connect(address, tls.as_ref())?;
        let headers = format!("Host: {address}\r\nAuthorization: OAuth2 {token}\r\n");
        let (address, closes, piece) = (address.to_owned(), false, vec![0; PIECE]);
        Ok(Self { address, tls, stream, closes, headers, piece })
    }

    /// Where the next request goes.
    fn server(&mut self) -> anyhow::Result<&mut dyn Stream> {
        if self.closes {
            self.stream = connect(&self.address, self.tls.as_ref())?;
            self.closes = false;
        }
        Ok(self.stream.get_mut())
    }

    /// Stores a block.
    ///
    /// # Errors
    /// When the answer is not 200 and the block's locator.
    pub(super) fn put(&mut self, block: &Block) -> anyhow::Result<()> {
        let length = block.len();
        let mut head = format!(
            "PUT /{} HTTP/1.1\r\n{}Content-Length: {length}\r\n\r\n",
            block.hash, self.headers
        )
        .into_bytes();
        let stream = self.server()?;
        if length <= PIECE {
            // In one packet.
            head.extend_from_slice(&block.beginning);
            head.extend_from_slice(&block.stamp);
            stream.write_all(&head)?;
        } else {
            stream.write_all(&head)?;
            stream.write_all(&block.beginning)?;
            stream.write_all(&block.stamp)?;
        }
        stream.flush()?;
        let length = self.length_of_answer()?;
        let mut locator = vec![0; length];
        self.stream.read_exact(&mut locator)?;
        anyhow::ensure!(locator.starts_with(block.hash.as_bytes()), "another locator");
        Ok(())
    }

    /// Reads a block of `size` bytes.
    ///
    /// # Errors
    /// When the answer is not 200 and the block.
    pub(super) fn get(&mut self, block: &Block, size: usize) -> anyhow::Result<()> {
        let head = format!("GET /{}+{size} HTTP/1.1\r\n{}\r\n", block.hash, self.headers);
        let stream = self.server()?;
        stream.write_all(head.as_bytes())?;
        stream.flush()?;
        let mut left = self.length_of_answer()?;
        anyhow::ensure!(left == size, "{left} bytes in place of {size}");
        while left > STAMP {
            let most = PIECE.min(left - STAMP);
            let read = self.stream.read(&mut self.piece[..most])?;
            anyhow::ensure!(read > 0, "{left} bytes are missing");
            left -= read;
        }
        let mut stamp = [0; STAMP];
        self.stream.read_exact(&mut stamp)?;
        anyhow::ensure!(stamp == block.stamp, "another block");
        Ok(())
    }

    /// Reads the head of an answer.
    fn length_of_answer(&mut self) -> anyhow::Result<usize> {
        let mut line = String::new();
        anyhow::ensure!(self.stream.read_line(&mut line)? > 0, "there is no answer");
        let status = line.trim().to_owned();
        let mut length = None;
        loop {
            line.clear();
            anyhow::ensure!(self.stream.read_line(&mut line)? > 0, "the answer breaks off");
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = Some(value.trim().parse()?);
                }
                Some((name, value)) if name.eq_ignore_ascii_case("connection") => {
                    self.closes = value.trim().eq_ignore_ascii_case("close");
                }
                Some(_) => {}
                None => break,
            }
        }
        anyhow::ensure!(status.split(' ').nth(1) == Some("200"), "the server says {status:?}");
        length.context("an answer without a length")
    }
}

fn connect(
    address: &str,
    tls: Option<&Arc<ClientConfig>>,
) -> anyhow::Result<BufReader<Box<dyn Stream>>> {
    let socket = TcpStream::connect(address).with_context(|| address.to_owned())?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(socket),
        Some(config) => {
            let name = ServerName::try_from("localhost")?;
            Box::new(StreamOwned::new(ClientConnection::new(Arc::clone(config), name)?, socket))
        }
    };
    Ok(BufReader::new(stream))
}
