//! A service that is ready when it answers on a port.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::{Asking, Awaited, FIRST_NAP, NotReady};
use crate::process::identity::Identity;
use crate::process::members::{self, Signs};
use crate::process::table;
use crate::services::launch::Question;

/// What is asked where.
pub(crate) struct Port<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) question: Question,
    /// Trusts the stack's authority.
    pub(crate) tls: Arc<ClientConfig>,
    /// Who has to listen there, where the program opens its socket itself: somebody else might in
    /// its place.
    pub(crate) listener: Option<Listener<'a>>,
}

/// The processes of one service.
#[derive(Clone, Debug)]
pub(crate) struct Listener<'a> {
    pub(crate) signs: Signs,
    /// The stack's folder.
    pub(crate) home: &'a Path,
    /// None of them started earlier, in clock ticks.
    pub(crate) since: u64,
}

impl Listener<'_> {
    /// The process of the service that listens on `port`: its first one, if that is among them.
    pub(crate) fn on(&self, port: u16) -> Option<Identity> {
        let processes = members::find(std::slice::from_ref(&self.signs), self.home, self.since);
        let listening = table::listeners(&processes.concat(), port);
        let leader = self.signs.leader.filter(|leader| listening.contains(leader));
        leader.or(listening.first().copied())
    }
}

impl Port<'_> {
    /// Asks once.
    pub(super) fn ask(&self, awaited: &Awaited<'_>) -> Result<(), Asking> {
        self.answers(awaited)?;
        match &self.listener {
            Some(listener) if listener.on(self.address.port()).is_none() => {
                let stranger = format!("another program answers on {}", self.address);
                Err(Asking::Failed(io::Error::other(stranger)))
            }
            _ => Ok(()),
        }
    }

    fn answers(&self, awaited: &Awaited<'_>) -> Result<(), Asking> {
        let left = awaited.deadline.saturating_duration_since(Instant::now());
        let timeout = left.max(FIRST_NAP);
        let stream = TcpStream::connect_timeout(&self.address, timeout).map_err(Asking::Failed)?;
        let _without_it_slower = stream.set_nodelay(true);
        let mut watched = Watched { stream, awaited, ended: RefCell::new(None) };
        let result = self.converse(&mut watched);
        match (result, watched.ended.into_inner()) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(not_ready)) => Err(Asking::Ended(not_ready)),
            (Err(error), None) => Err(Asking::Failed(error)),
        }
    }

    fn converse(&self, stream: &mut Watched<'_>) -> io::Result<()> {
        match &self.question {
            Question::Connection => return Ok(()),
            Question::Http(path) => return question_over(stream, path, self.address),
            Question::Https | Question::TlsHandshake => {}
        }
        let name = ServerName::from(self.address.ip());
        let mut connection =
            rustls::ClientConnection::new(Arc::clone(&self.tls), name).map_err(io::Error::other)?;
        let mut stream = rustls::Stream::new(&mut connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(stream.sock)?;
        }
        if self.question == Question::TlsHandshake {
            // Politely, or the service logs an error of ours.
            stream.conn.send_close_notify();
            return stream.flush();
        }
        question_over(&mut stream, "/", self.address)
    }
}

/// Asks for `path` and wants no more than the beginning of an HTTP answer, whatever it says.
fn question_over(
    stream: &mut (impl Read + Write),
    path: &str,
    address: SocketAddr,
) -> io::Result<()> {
    const BEGINNING: &[u8] = b"HTTP/1.";
    // As a whole: over TLS, each piece would be a record of its own.
    let question = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes())?;
    stream.flush()?;
    let mut answer = [0; BEGINNING.len()];
    stream.read_exact(&mut answer)?;
    if answer == BEGINNING {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

/// A connection on which nobody waits longer than for the process at its other end.
struct Watched<'a> {
    stream: TcpStream,
    awaited: &'a Awaited<'a>,
    ended: RefCell<Option<NotReady>>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let waiting = "connected, but nothing was answered";
        match self.awaited.wait_for(Some(&self.stream), self.awaited.deadline, waiting) {
            Ok(()) => self.stream.read(buffer),
            Err(not_ready) => {
                *self.ended.borrow_mut() = Some(not_ready.clone());
                Err(io::Error::other(not_ready))
            }
        }
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody who answers without being asked, and notes what is asked.
    struct Noted<'a> {
        pieces: Vec<Vec<u8>>,
        answer: &'a [u8],
    }

    impl Read for Noted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.answer.read(buffer)
        }
    }

    impl Write for Noted<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.pieces.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_question_is_one_piece_and_any_answer_in_http_will_do() {
        let ask = |answer: &'static str| {
            let mut noted = Noted { pieces: Vec::new(), answer: answer.as_bytes() };
            let asked = question_over(&mut noted, "/a", ([127, 0, 0, 1], 80).into());
            (noted.pieces, asked.is_ok())
        };
        let question =
            b"GET /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\nConnection: close\r\n\r\n".to_vec();
        assert_eq!(ask("HTTP/1.1 500 Internal"), (vec![question.clone()], true));
        assert_eq!(ask("220 a mail server"), (vec![question.clone()], false));
        assert_eq!(ask("HTTP"), (vec![question], false));
    }
}
