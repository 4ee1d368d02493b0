//! What the front does over time: with clients that wait, leave, are slow or many.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use crate::descriptors;
use crate::embedded::Front;
use crate::http::{self, connect, head, receive};
use crate::memory::peak_memory;
use crate::tls_client::TlsStream;
use crate::upstream::{Answer, Nobody, Upstream};

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// As much as the front may have in memory at once.
const ENOUGH: u64 = 48 << 20;

fn answering(answer: &[u8]) -> (Upstream, Front) {
    let upstream = Upstream::start(Answer::Bytes(answer.to_vec()));
    let front = Front::start(upstream.address);
    (upstream, front)
}

#[test]
fn a_client_that_waits_to_be_asked_is_asked() {
    let (upstream, front) = answering(EMPTY);
    let mut stream = front.connect();
    stream.write_all(&head("PUT", "/", &["Expect: 100-continue"], 4)).unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 100);
    stream.write_all(b"body").unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 200);
    let request = upstream.requests().remove(0);
    assert!(!request.head.to_lowercase().contains("expect"), "{}", request.head);
    assert_eq!(request.body, b"body");
}

#[test]
fn a_service_that_is_down_is_a_bad_gateway_even_for_a_large_request() {
    let nobody = Nobody::new();
    let front = Front::start(nobody.address);
    for length in [0, 8 << 20] {
        let reply = front.send("PUT", "/", &[], &vec![0; length]);
        assert_eq!(reply.status, 502);
        assert!(reply.text().contains("<center><h1>502 Bad Gateway</h1></center>"));
    }
    assert_eq!(front.log(2).matches("\" 502 ").count(), 2);
}

#[test]
fn plain_http_is_told_that_the_port_wants_tls() {
    let nobody = Nobody::new();
    let front = Front::start(nobody.address);
    let reply = http::send(front.address(), "GET", "/", &[], b"");
    assert_eq!((reply.status, reply.header("server")), (400, Some("nginx")));
    assert!(reply.text().contains("The plain HTTP request was sent to HTTPS port"));
    assert!(front.log(1).contains("\"GET / HTTP/1.1\" 400 "), "{}", front.log(1));
    // A probe that only connects disturbs nobody.
    drop(connect(front.address()));
    assert_eq!(front.send("GET", "/", &[], b"").status, 502);
}

#[test]
fn a_client_that_leaves_without_an_answer_is_logged_too() {
    for half in [false, true] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Front::start(silent.local_addr().unwrap());
        let mut stream = front.connect();
        stream.write_all(&head("GET", "/slow", &[], 0)).unwrap();
        stream.flush().unwrap();
        let (mut upstream, _) = silent.accept().unwrap();
        // Who closes its half is gone, too.
        if half {
            stream.sock.shutdown(Shutdown::Write).unwrap();
        } else {
            drop(stream);
        }
        let line = front.log(1);
        assert!(line.contains("\"GET /slow HTTP/1.1\" 499 0 "), "{line}");
        // And the service hears of it.
        upstream.read_to_end(&mut Vec::new()).unwrap();
    }
}

#[test]
fn a_client_that_leaves_at_once_is_logged_too() {
    const CLIENTS: usize = 20;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = Front::start(silent.local_addr().unwrap());
    for _ in 0..CLIENTS {
        let mut stream = front.connect();
        stream.write_all(&head("GET", "/", &[], 0)).unwrap();
        drop(stream);
    }
    let lines = front.log(CLIENTS);
    assert_eq!(lines.matches("\"GET / HTTP/1.1\" 499 0 ").count(), CLIENTS, "{lines}");
}

#[test]
fn a_service_that_closes_a_used_connection_is_asked_again_where_that_does_no_harm() {
    for (method, status) in [("GET", 200), ("DELETE", 200), ("POST", 502)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Front::start(listener.local_addr().unwrap());
        let service = std::thread::spawn(move || {
            let (mut used, _) = listener.accept().unwrap();
            read_head(&mut used);
            used.write_all(EMPTY).unwrap();
            read_head(&mut used);
            drop(used);
            if status == 200 {
                let (mut fresh, _) = listener.accept().unwrap();
                read_head(&mut fresh);
                fresh.write_all(EMPTY).unwrap();
            }
        });
        let mut stream = front.connect();
        for (method, status) in [("GET", 200), (method, status)] {
            stream.write_all(&head(method, "/", &[], 0)).unwrap();
            assert_eq!(receive(&mut stream, method).status, status, "{method}");
        }
        service.join().unwrap();
    }
}

#[test]
fn a_service_that_closes_a_fresh_connection_is_asked_once() {
    let upstream = Upstream::start(Answer::Last(Vec::new()));
    let front = Front::start(upstream.address);
    assert_eq!(front.send("GET", "/", &[], b"").status, 502);
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_client_that_breaks_off_its_body_breaks_off_that_of_the_service() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = Front::start(listener.local_addr().unwrap());
    let mut stream = front.connect();
    stream.write_all(&head("PUT", "/", &[], 10)).unwrap();
    stream.write_all(b"abc").unwrap();
    stream.flush().unwrap();
    let (mut upstream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\nabc") {
        let mut piece = [0; 512];
        let length = upstream.read(&mut piece).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&request));
        request.extend(&piece[..length]);
    }
    drop(stream);
    // In order or not.
    assert!(!matches!(upstream.read_to_end(&mut Vec::new()), Ok(1..)));
    let line = front.log(1);
    assert!(line.contains("\" 499 0 ") || line.contains("\" 400 "), "{line}");
}

#[test]
fn a_body_that_does_not_go_on_is_given_up() {
    let upstream = Upstream::start(Answer::Silence);
    let front = Front::with(upstream.address, &["-timeout=1s".to_owned()]);
    let mut stream = front.connect();
    stream.write_all(&head("PUT", "/", &[], 10)).unwrap();
    stream.write_all(b"abc").unwrap();
    assert_eq!(all_of(&mut stream), b"");
    assert!(front.log(1).contains("\"PUT / HTTP/1.1\" 408 0 "), "{}", front.log(1));
}

#[test]
fn a_body_that_ends_early_is_answered_with_nothing() {
    let upstream = Upstream::start(Answer::Silence);
    let front = Front::start(upstream.address);
    let mut stream = front.connect();
    stream.write_all(&head("PUT", "/", &[], 10)).unwrap();
    stream.write_all(b"abc").unwrap();
    stream.sock.shutdown(Shutdown::Write).unwrap();
    assert_eq!(all_of(&mut stream), b"");
    assert!(front.log(1).contains("\"PUT / HTTP/1.1\" 400 0 "), "{}", front.log(1));
}

#[test]
fn a_body_that_does_not_go_on_is_given_up_behind_an_early_answer_too() {
    let request = [head("PUT", "/", &[], 10), b"abc".to_vec()].concat();
    let (_front, mut stream, mut upstream) = asked_of_an_impatient_one(&request);
    upstream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").unwrap();
    assert_eq!(receive(&mut stream, "PUT").text(), "no");
    assert_eq!(all_of(&mut stream), b"");
}

#[test]
fn a_client_that_reads_nothing_is_given_up() {
    let request = head("GET", "/", &[], 0);
    let (front, _stream, mut upstream) = asked_of_an_impatient_one(&request);
    upstream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n").unwrap();
    let piece = vec![0; 1 << 20];
    let mut pieces = std::iter::repeat_with(|| upstream.write_all(&piece)).take(1 << 10);
    let error = pieces.find_map(Result::err).unwrap();
    // The front has closed it: nobody had to wait for the client.
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
    assert!(front.log(1).contains("\"GET / HTTP/1.1\" 200 "), "{}", front.log(1));
}

/// All that comes, and then the end, with or without a goodbye.
fn all_of(stream: &mut TlsStream) -> Vec<u8> {
    let mut all = Vec::new();
    let ended = stream.read_to_end(&mut all);
    let kind = ended.as_ref().map_err(std::io::Error::kind).err();
    assert!(!matches!(kind, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{ended:?}");
    all
}

/// A front that waits for a second, a client that has sent it that much of a request, and the service
/// that has its head.
fn asked_of_an_impatient_one(request: &[u8]) -> (Front, TlsStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = Front::with(listener.local_addr().unwrap(), &["-timeout=1s".to_owned()]);
    let mut stream = front.connect();
    stream.write_all(request).unwrap();
    stream.flush().unwrap();
    let (mut upstream, _) = listener.accept().unwrap();
    read_head(&mut upstream);
    (front, stream, upstream)
}

/// Takes the head of a request.
fn read_head(upstream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        upstream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
}

#[test]
fn who_reads_to_the_end_need_not_send_a_body_that_is_refused() {
    let nobody = Nobody::new();
    let front = Front::start(nobody.address);
    let mut stream = front.connect();
    // A shorter wait than ours for bodies of connections that go on.
    stream.sock.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
    stream.write_all(&head("PUT", "/", &["Connection: close"], 8 << 20)).unwrap();
    stream.write_all(b"abc").unwrap();
    let answer = all_of(&mut stream);
    assert!(answer.starts_with(b"HTTP/1.1 502 "), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn an_answer_that_does_not_go_on_is_given_up() {
    let request = head("GET", "/", &[], 0);
    let (front, mut stream, mut upstream) = asked_of_an_impatient_one(&request);
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").unwrap();
    let answer = all_of(&mut stream);
    assert!(answer.ends_with(b"\r\n\r\nab"), "{}", String::from_utf8_lossy(&answer));
    assert!(front.log(1).contains("\"GET / HTTP/1.1\" 200 2 "));
}

#[test]
fn every_line_is_written_before_the_end() {
    let nobody = Nobody::new();
    let mut front = Front::start(nobody.address);
    for _ in 0..50 {
        front.send("GET", "/", &[], b"");
    }
    assert_eq!(front.front.stop(), Some(0));
    assert_eq!(std::fs::read_to_string(front.log_file()).unwrap().lines().count(), 50);
}

#[test]
fn a_pipe_that_nobody_reads_yet_delays_no_request() {
    const REQUESTS: usize = 60;
    let nobody = Nobody::new();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("access.pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let flag = format!("-access-log={}", pipe.display());
    let front = Front::with(nobody.address, &[flag]);
    // Together they are more than a pipe holds.
    let agent = format!("User-Agent: {}", "x".repeat(4000));
    for _ in 0..REQUESTS {
        assert_eq!(front.send("GET", "/", &[&agent], b"").status, 502);
    }
    let lines = BufReader::new(File::open(pipe).unwrap()).lines().take(REQUESTS);
    assert!(lines.map(Result::unwrap).all(|line| line.contains("\"GET / HTTP/1.1\" 502 ")));
}

#[test]
fn requests_may_come_before_the_answers_to_those_before() {
    let (upstream, front) = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let mut stream = front.connect();
    let paths = ["/1", "/2", "/3"];
    let requests: Vec<_> = paths.iter().map(|path| head("GET", path, &[], 0)).collect();
    stream.write_all(&requests.concat()).unwrap();
    for _ in paths {
        assert_eq!(receive(&mut stream, "GET").text(), "ok");
    }
    let heads = upstream.requests().into_iter().map(|request| request.head);
    let asked: Vec<_> = heads.map(|head| head[4..6].to_owned()).collect();
    assert_eq!(asked, paths);
}

#[test]
fn bodies_pass_through_in_pieces() {
    const LENGTH: usize = 96 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = Front::start(listener.local_addr().unwrap());
    let service = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut piece = vec![0; 1 << 20];
        let mut read = 0;
        while read < LENGTH {
            read += stream.read(&mut piece).unwrap();
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        piece.fill(7);
        for _ in 0..LENGTH >> 20 {
            stream.write_all(&piece).unwrap();
        }
        stream
    });
    let mut stream = front.connect();
    stream.write_all(&head("PUT", "/", &[], LENGTH)).unwrap();
    let piece = vec![1; 1 << 20];
    for _ in 0..LENGTH >> 20 {
        stream.write_all(&piece).unwrap();
    }
    // A client that takes its time with the answer does not have it wait in our memory.
    read_one(&mut stream);
    let peak = peak_memory(front.front.child.id());
    assert!(peak > 0 && peak < ENOUGH, "{peak} bytes at once");
    let reply = receive(&mut After { first: Some(b'H'), stream: &mut stream }, "PUT");
    assert_eq!((reply.status, reply.body.len()), (200, LENGTH));
    assert!(reply.body.iter().all(|byte| *byte == 7));
    let peak = peak_memory(front.front.child.id());
    assert!(peak < ENOUGH, "{peak} bytes at once");
    drop(service.join().unwrap());
}

fn read_one(stream: &mut TlsStream) {
    let mut first = [0];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(first, *b"H");
}

/// A stream of which one byte was read already.
struct After<'a> {
    first: Option<u8>,
    stream: &'a mut TlsStream,
}

impl Read for After<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.first.take() {
            Some(first) => {
                buffer[0] = first;
                Ok(1)
            }
            None => self.stream.read(buffer),
        }
    }
}

#[test]
fn a_thousand_clients_are_answered_at_once() {
    descriptors::allow(4200);
    let (_upstream, front) = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let mut streams: Vec<_> = (0..1000).map(|_| front.connect()).collect();
    for stream in &mut streams {
        stream.write_all(&head("GET", "/", &[], 0)).unwrap();
        stream.flush().unwrap();
    }
    for stream in &mut streams {
        assert_eq!(receive(stream, "GET").text(), "ok");
    }
    // And each still has its connection.
    for stream in streams.iter_mut().step_by(100) {
        stream.write_all(&head("GET", "/", &[], 0)).unwrap();
        assert_eq!(receive(stream, "GET").text(), "ok");
    }
}
