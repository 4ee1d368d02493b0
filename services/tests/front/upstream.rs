//! A service that answers whatever a test has told it to, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket};

/// How it answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With these bytes.
    Bytes(Vec<u8>),
    /// With these, and then it closes the connection.
    Last(Vec<u8>),
    /// Never.
    Silence,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its head, without the empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A running service; it ends with the test's process.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    answer: Answer,
    requests: Vec<Request>,
    /// Kept open, so that silence is not an end.
    silent: Vec<TcpStream>,
}

impl Upstream {
    /// Starts one that answers with `answer`.
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { answer, requests: Vec::new(), silent: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || converse(stream.unwrap(), &shared));
            }
        });
        Self { address, state }
    }

    /// From now on it answers so, and has been asked nothing.
    pub(crate) fn will(&self, answer: Answer) {
        let mut state = self.state.lock().unwrap();
        state.answer = answer;
        state.requests.clear();
    }

    /// What it was asked.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }
}

fn converse(mut stream: TcpStream, state: &Mutex<State>) {
    while let Some(request) = read_request(&mut stream) {
        let mut state = state.lock().unwrap();
        state.requests.push(request);
        match state.answer.clone() {
            Answer::Bytes(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
            Answer::Last(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
            Answer::Silence => {
                state.silent.push(stream);
                return;
            }
        }
    }
}

/// `None` if the client is gone.
fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut head = read_until(stream, b"\r\n\r\n")?;
    head.truncate(head.len() - 4);
    let head: String = head.into_iter().map(char::from).collect();
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let mut body = Vec::new();
    if field("transfer-encoding").is_some() {
        loop {
            let size = String::from_utf8(read_until(stream, b"\r\n")?).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else if let Some(length) = field("content-length") {
        body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).ok()?;
    }
    Some(Request { head, body })
}

fn read_until(stream: &mut TcpStream, end: &[u8]) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    while !found.ends_with(end) {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        found.push(byte[0]);
    }
    Some(found)
}

/// An address where nobody listens, as long as this lives.
pub(crate) struct Nobody {
    pub(crate) address: SocketAddr,
    _held: OwnedFd,
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let flags = SockFlag::SOCK_CLOEXEC;
        let held = socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
        bind(held.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
        let address: SockaddrIn = getsockname(held.as_raw_fd()).unwrap();
        let address = SocketAddr::from((address.ip(), address.port()));
        Self { address, _held: held }
    }
}
