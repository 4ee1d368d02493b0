//! The front of an API server, which knows the address that its clients use, and has websockets.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::embedded::Front;
use crate::upstream::{Answer, Upstream};

#[test]
fn the_api_server_sees_the_host_and_the_scheme_that_its_clients_use() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
    let upstream = Upstream::start(Answer::Bytes(answer));
    let front = Front::of("api", upstream.address, &[]);
    assert_eq!(front.send("GET", "/", &[], b"").status, 200);
    let head = upstream.requests().remove(0).head.to_lowercase();
    assert!(head.contains("\r\nhost: test\r\n"), "{head}");
    assert!(head.contains("\r\nx-forwarded-proto: https"), "{head}");
}

#[test]
fn a_websocket_of_the_api_server_is_passed_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = Front::of("api", listener.local_addr().unwrap(), &[]);
    let echo = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let agrees = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                      Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";
        stream.write_all(agrees.as_bytes()).unwrap();
        let mut said = [0; 5];
        stream.read_exact(&mut said).unwrap();
        stream.write_all(&said).unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    });
    let mut client = front.connect();
    let asks = "GET /websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                Upgrade: websocket\r\nSec-WebSocket-Key: y\r\n\r\n";
    client.write_all(asks.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    for header in ["connection: upgrade", "upgrade: websocket", "sec-websocket-accept: x"] {
        assert!(answer.contains(&format!("\r\n{header}\r\n")), "{answer}");
    }
    client.write_all(b"hello").unwrap();
    let mut said = [0; 5];
    client.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"hello");
    let head = echo.join().unwrap();
    assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
}
