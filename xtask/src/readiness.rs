//! Waiting until a service answers.
//!
//! A connection proves nothing on a listener that we hold ourselves: it waits in the backlog until
//! somebody accepts it. So we connect at once, ask, and wait for whichever comes first: the answer,
//! the end of the process, a signal to us, or the deadline. No polling, no try counts.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::process::identity::Identity;
use crate::process::pidfd::PidFd;
use crate::process::poll;
use crate::process::table;
use crate::services::Question;

/// Whom to wait for, and how long.
pub(crate) struct Awaited<'a> {
    pub(crate) process: Identity,
    /// Of that process.
    pub(crate) handle: &'a PidFd,
    pub(crate) address: SocketAddr,
    pub(crate) question: Question,
    /// Trusts the stack's authority.
    pub(crate) tls: Arc<ClientConfig>,
    /// Whether the process listens by itself, so that somebody else might in its place.
    pub(crate) listens_itself: bool,
    pub(crate) deadline: Instant,
    /// Readable when the waiting is to end; see [`crate::signals::Interrupt`].
    pub(crate) interrupt: Option<&'a (dyn AsFd + Sync)>,
}

/// Why a service is not ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotReady {
    /// The process has ended.
    #[error("it has ended")]
    Exited,
    /// A signal told us to stop waiting.
    #[error("interrupted")]
    Interrupted,
    /// The deadline has passed; with what happened last.
    #[error("no answer in time ({0})")]
    TimedOut(String),
}

/// The naps between two tries, where trying again is the only way: connecting to a program that
/// listens by itself.
const FIRST_NAP: Duration = Duration::from_millis(1);
const LONGEST_NAP: Duration = Duration::from_millis(50);

impl Awaited<'_> {
    /// Returns as soon as the service has answered.
    ///
    /// # Errors
    /// Says why it has not.
    pub(crate) fn until_ready(&self) -> Result<(), NotReady> {
        let mut nap = FIRST_NAP;
        loop {
            let why = match self.ask() {
                Ok(()) if !self.listens_itself => return Ok(()),
                Ok(()) if table::session_listens(self.process, self.address.port()) => {
                    return Ok(());
                }
                Ok(()) => format!("another program answers on {}", self.address),
                Err(Asking::Ended(not_ready)) => return Err(not_ready),
                Err(Asking::Failed(error)) => error.to_string(),
            };
            let wake = Instant::now() + nap;
            self.sleep_until(wake.min(self.deadline), &why)?;
            nap = (nap * 2).min(LONGEST_NAP);
        }
    }

    fn sleep_until(&self, wake: Instant, why: &str) -> Result<(), NotReady> {
        match self.wait_for(None, wake, why) {
            Err(NotReady::TimedOut(_)) if wake < self.deadline => Ok(()),
            result => result,
        }
    }

    /// Waits until `stream` is readable; without one, until something ends the waiting.
    fn wait_for(
        &self,
        stream: Option<&TcpStream>,
        deadline: Instant,
        doing: &str,
    ) -> Result<(), NotReady> {
        let mut watched: Vec<&dyn AsFd> = vec![self.handle];
        watched.extend(self.interrupt.map(|interrupt| interrupt as &dyn AsFd));
        let ends = watched.len();
        watched.extend(stream.map(|stream| stream as &dyn AsFd));
        let ready = poll::until_readable(&watched, Some(deadline))
            .map_err(|error| NotReady::TimedOut(error.to_string()))?;
        // An answer counts even if the process has ended since; its end is noticed by the next.
        match ready.iter().max() {
            None => Err(NotReady::TimedOut(doing.to_owned())),
            Some(&index) if index >= ends => Ok(()),
            Some(0) => Err(NotReady::Exited),
            Some(_) => Err(NotReady::Interrupted),
        }
    }

    fn ask(&self) -> Result<(), Asking> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let timeout = left.max(FIRST_NAP);
        let stream = TcpStream::connect_timeout(&self.address, timeout).map_err(Asking::Failed)?;
        let _without_it_slower = stream.set_nodelay(true);
        let mut watched = Watched { stream, awaited: self, ended: RefCell::new(None) };
        let result = self.converse(&mut watched);
        match (result, watched.ended.into_inner()) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(not_ready)) => Err(Asking::Ended(not_ready)),
            (Err(error), None) => Err(Asking::Failed(error)),
        }
    }

    fn converse(&self, stream: &mut Watched<'_>) -> io::Result<()> {
        if self.question == Question::Http {
            return question_over(stream, self.address);
        }
        let name = ServerName::from(self.address.ip());
        let mut connection =
            rustls::ClientConnection::new(Arc::clone(&self.tls), name).map_err(io::Error::other)?;
        let mut stream = rustls::Stream::new(&mut connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(stream.sock)?;
        }
        match self.question {
            Question::TlsHandshake => {
                // Politely, or the service logs an error of ours.
                stream.conn.send_close_notify();
                stream.flush()
            }
            Question::Http | Question::Https => question_over(&mut stream, self.address),
        }
    }
}

/// Asks for `/` and wants no more than the beginning of an HTTP answer, whatever it says.
fn question_over(stream: &mut (impl Read + Write), address: SocketAddr) -> io::Result<()> {
    const BEGINNING: &[u8] = b"HTTP/1.";
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    stream.flush()?;
    let mut answer = [0; BEGINNING.len()];
    stream.read_exact(&mut answer)?;
    if answer == BEGINNING {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

/// Why one try was in vain.
enum Asking {
    /// There is no use in another one.
    Ended(NotReady),
    Failed(io::Error),
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
