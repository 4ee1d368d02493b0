//! A connection on which the next request is looked for right behind an answer, and from which no more
//! than a piece (see [`pieces`]) is read at a time.
//!
//! To put a thread to sleep and wake it again takes longer than to answer a small request. A client
//! that the answer has woken often has its next request out at once: tokio would hear of it from the
//! kernel's next report of all sockets, while one attempt to read finds it. And for a client that sends
//! one request behind the other we stay awake a moment.
//!
//! A service that has to ask another one gains nothing: its threads would take the processors from
//! those that it waits for.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::pieces::{self, Open};

/// How soon behind an answer a prompt client has its next request here: so long it is waited for awake.
const MOMENT: Duration = Duration::from_micros(100);

/// How many requests are found in a row before the other connections have their turn.
const FOUND_IN_A_ROW: u8 = 2;

/// The most that is looked for: a request that is longer is no matter of microseconds.
const MOST_BYTES: usize = 8 << 10;

/// A connection to a client.
pub(crate) struct Eager {
    stream: TcpStream,
    /// When something was written last, if nothing has come since.
    answered: Option<Instant>,
    /// Whether the last request was there within [`MOMENT`].
    is_prompt: bool,
    /// How many requests were found since others had their turn.
    found: u8,
    is_eager: bool,
    _open: Open,
}

impl Eager {
    /// All of `stream`, which without `is_eager` is read when tokio says so.
    pub(crate) fn new(stream: TcpStream, is_eager: bool) -> Self {
        Self { stream, answered: None, is_prompt: false, found: 0, is_eager, _open: Open::count() }
    }

    /// Waits for the next bytes, which stay to be read.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(crate) async fn peek(&self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(bytes).await
    }

    /// Reads what was reported, up to a piece.
    fn read_piece(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = pieces::size();
        if buffer.remaining() <= most {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let mut piece = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let read = Pin::new(&mut self.stream).poll_read(context, &mut piece);
        let length = piece.filled().len();
        buffer.advance(length);
        read
    }

    /// Reads what is there although nothing was reported. The report comes all the same, and whoever is
    /// woken by it finds nothing more.
    fn look(&mut self, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let most = buffer.remaining().min(MOST_BYTES);
        let unfilled = buffer.initialize_unfilled_to(most);
        match recv(self.stream.as_raw_fd(), unfilled, MsgFlags::MSG_DONTWAIT) {
            Ok(length) => {
                buffer.advance(length);
                self.found += 1;
                Poll::Ready(Ok(()))
            }
            Err(errno) => match io::Error::from(errno) {
                error if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    Poll::Pending
                }
                error => Poll::Ready(Err(error)),
            },
        }
    }

    /// Notes that something went out.
    fn noted(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if self.is_eager && matches!(written, Poll::Ready(Ok(1..))) {
            self.answered = Some(Instant::now());
        }
        written
    }
}

/// Has us polled again when all others have had their turn, those included of whom the kernel has not
/// been asked yet.
fn come_again(context: &mut Context<'_>) {
    let again = pin!(tokio::task::yield_now());
    // That is why it is pending: it has taken the waker.
    let _ = again.poll(context);
}

impl AsyncRead for Eager {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.read_piece(context, buffer);
        let Some(answered) = self.answered else {
            return read;
        };
        let read = match read {
            Poll::Pending if self.found < FOUND_IN_A_ROW => self.look(buffer),
            Poll::Pending => {
                self.found = 0;
                come_again(context);
                return Poll::Pending;
            }
            reported => {
                self.found = 0;
                reported
            }
        };
        let is_soon = answered.elapsed() < MOMENT;
        if read.is_ready() {
            self.is_prompt = is_soon;
            self.answered = None;
        } else if is_soon && self.is_prompt {
            // Whoever else can run goes first: the client, most of all.
            std::thread::yield_now();
            come_again(context);
        }
        read
    }
}

impl AsyncWrite for Eager {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.noted(written)
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
    use std::io::Write;
    use std::net::Shutdown;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn connected() -> (Eager, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Eager::new(listener.accept().await.unwrap().0, true), client)
    }

    /// How much can be read with no report from the kernel in between, if anything is there.
    async fn finds(stream: &mut Eager) -> Option<usize> {
        let mut bytes = [0; 16];
        let mut read = std::pin::pin!(stream.read(&mut bytes));
        std::future::poll_fn(|context| {
            Poll::Ready(match read.as_mut().poll(context) {
                Poll::Ready(read) => Some(read.unwrap()),
                Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test]
    async fn what_comes_behind_an_answer_is_found_before_it_is_reported() {
        let (mut stream, mut client) = connected().await;
        client.write_all(b"first").unwrap();
        let mut first = [0; 5];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(finds(&mut stream).await, None);
        client.write_all(b"second").unwrap();
        assert_eq!(finds(&mut stream).await, None, "only behind an answer");
        stream.write_all(b"answer").await.unwrap();
        assert_eq!(finds(&mut stream).await, Some(6));
        assert_eq!(finds(&mut stream).await, None);
    }

    #[tokio::test]
    async fn what_comes_later_is_read_when_it_is_reported() {
        let (mut stream, mut client) = connected().await;
        stream.write_all(b"answer").await.unwrap();
        assert_eq!(finds(&mut stream).await, None);
        let later = async {
            tokio::task::yield_now().await;
            client.write_all(b"later").unwrap();
        };
        let mut read = [0; 5];
        let (read_all, ()) = tokio::join!(stream.read_exact(&mut read), later);
        assert_eq!((read_all.unwrap(), &read), (5, b"later"));
    }

    #[tokio::test]
    async fn no_more_than_a_piece_is_read_at_a_time() {
        let (mut stream, mut client) = connected().await;
        let sender = std::thread::spawn(move || client.write_all(&vec![7; 4 * pieces::LARGEST]));
        let (mut bytes, mut all) = (vec![0; 2 * pieces::LARGEST], 0);
        while all < 4 * pieces::LARGEST {
            let length = stream.read(&mut bytes).await.unwrap();
            assert!((1..=pieces::LARGEST).contains(&length), "{length}");
            assert!(bytes[..length].iter().all(|byte| *byte == 7));
            all += length;
        }
        sender.join().unwrap().unwrap();
    }

    #[tokio::test]
    async fn after_a_few_it_is_the_turn_of_others() {
        let (mut stream, mut client) = connected().await;
        let mut found = Vec::new();
        assert_eq!(finds(&mut stream).await, None);
        for _ in 0..=FOUND_IN_A_ROW {
            stream.write_all(b"answer").await.unwrap();
            client.write_all(b"next").unwrap();
            found.push(finds(&mut stream).await);
        }
        found.push(finds(&mut stream).await);
        let few = usize::from(FOUND_IN_A_ROW);
        assert_eq!(found, [vec![Some(4); few], vec![None, Some(4)]].concat());
    }

    #[tokio::test]
    async fn the_end_is_found_too() {
        let (mut stream, client) = connected().await;
        stream.write_all(b"answer").await.unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(finds(&mut stream).await, Some(0));
    }
}
