//! The TLS front over real sockets, before a service made up here.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "common/http.rs"]
mod http;
#[path = "common/service.rs"]
mod service;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use http::{Reply, connect, head, receive};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use service::Service;

type TlsStream = StreamOwned<ClientConnection, TcpStream>;

struct Front {
    front: Service,
    folder: tempfile::TempDir,
    certificate: CertificateDer<'static>,
}

impl Front {
    fn start(upstream: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let at = |name| folder.path().join(name);
        std::fs::write(at("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(at("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let arguments = [
            format!("-certificate={}", at("cert.pem").display()),
            format!("-key={}", at("key.pem").display()),
            format!("-access-log={}", at("access.log").display()),
            format!("-keepproxy={upstream}"),
        ];
        Self {
            front: Service::start("front", &["keepproxy-ssl"], &arguments, &[]),
            folder,
            certificate: made.cert.into(),
        }
    }

    fn connect(&self) -> TlsStream {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "localhost".try_into().unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(tls, connect(self.front.addresses[0]))
    }

    fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        let mut stream = self.connect();
        stream.write_all(&head(method, path, headers, body.len())).unwrap();
        // A server may refuse before it has read all.
        let _ = stream.write_all(body).and_then(|()| stream.flush());
        receive(&mut stream, method)
    }

    /// The access log once it has this many lines.
    fn log(&self, lines: usize) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let text = std::fs::read_to_string(self.folder.path().join("access.log"));
            match text {
                Ok(text) if text.lines().count() >= lines => return text,
                text => assert!(Instant::now() < deadline, "{text:?}"),
            }
            std::thread::yield_now();
        }
    }
}

/// A service that answers every connection once with `answer`, and passes on what it read: the
/// head, and as much body as the head announces.
fn upstream(answer: &'static str) -> (SocketAddr, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap().to_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            sender.send((head, body)).unwrap();
        }
    });
    (address, receiver)
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_request_reaches_the_service_as_nginx_would_send_it() {
    let (address, requests) = upstream(
        "HTTP/1.1 403 Forbidden\r\nServer: other\r\nX-Kept: yes\r\nContent-Length: 2\r\n\
         Connection: close\r\n\r\nno",
    );
    let front = Front::start(address);
    let headers = ["Connection: X-Private", "X-Private: 1", "Authorization: OAuth2 x"];
    let reply = front.send("PUT", "/a%20b?c=d", &headers, b"body");
    assert_eq!((reply.status, reply.text()), (403, "no"));
    assert_eq!((reply.header("server"), reply.header("x-kept")), (Some("nginx"), Some("yes")));
    let (head, body) = requests.recv().unwrap();
    assert!(head.starts_with("put /a%20b?c=d http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nhost: keepproxy\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: oauth2 x\r\n"), "{head}");
    assert!(!head.contains("x-private"), "{head}");
    assert_eq!(body, b"body");
    let line = front.log(1);
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    assert!(line.ends_with("] \"PUT /a%20b?c=d HTTP/1.1\" 403 2 \"-\" \"-\"\n"), "{line}");
}

#[test]
fn a_client_that_waits_to_be_asked_is_asked() {
    let (address, requests) = upstream("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let front = Front::start(address);
    let mut stream = front.connect();
    let request = head("PUT", "/", &["Expect: 100-continue"], 4);
    stream.write_all(&request).unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 100);
    stream.write_all(b"body").unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 200);
    let (head, body) = requests.recv().unwrap();
    assert!(!head.contains("expect"), "{head}");
    assert_eq!(body, b"body");
}

#[test]
fn a_service_that_is_down_is_a_bad_gateway_even_for_a_large_request() {
    let front = Front::start(nobody());
    for length in [0, 8 << 20] {
        let reply = front.send("PUT", "/", &[], &vec![0; length]);
        assert_eq!(reply.status, 502);
        assert!(reply.text().contains("<center><h1>502 Bad Gateway</h1></center>"));
    }
    assert_eq!(front.log(2).matches("\" 502 ").count(), 2);
}

#[test]
fn plain_http_is_told_that_the_port_wants_tls() {
    let front = Front::start(nobody());
    let reply = http::send(front.front.addresses[0], "GET", "/", &[], b"");
    assert_eq!((reply.status, reply.header("server")), (400, Some("nginx")));
    assert!(reply.text().contains("The plain HTTP request was sent to HTTPS port"));
    // A probe that only connects disturbs nobody.
    drop(connect(front.front.addresses[0]));
    assert_eq!(front.send("GET", "/", &[], b"").status, 502);
}

#[test]
fn a_client_that_leaves_without_an_answer_is_logged_too() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = Front::start(silent.local_addr().unwrap());
    let mut stream = front.connect();
    stream.write_all(&head("GET", "/slow", &[], 0)).unwrap();
    stream.flush().unwrap();
    let (_upstream, _) = silent.accept().unwrap();
    drop(stream);
    let line = front.log(1);
    assert!(line.contains("\"GET /slow HTTP/1.1\" 499 0 "), "{line}");
}

#[test]
fn every_line_is_written_before_the_end() {
    let mut front = Front::start(nobody());
    for _ in 0..50 {
        front.send("GET", "/", &[], b"");
    }
    assert_eq!(front.front.stop(), Some(0));
    let text = std::fs::read_to_string(front.folder.path().join("access.log")).unwrap();
    assert_eq!(text.lines().count(), 50);
}
