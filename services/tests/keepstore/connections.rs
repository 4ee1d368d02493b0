//! Clients that are slow, many, impatient or gone.

use std::net::TcpStream;

use super::*;

#[test]
fn an_interrupted_put_leaves_nothing() {
    let keepstore = Keepstore::start("current", &[]);
    for block in [vec![1; 3], vec![1; 3 << 20]] {
        let path = format!("/{}", hash_of(&block));
        let mut stream = connect(keepstore.service.addresses[0]);
        stream.write_all(&head("PUT", &path, &[], block.len())).unwrap();
        stream.write_all(&block[1..]).unwrap();
        // Of a large one most is on disk by now.
        let is_aside = || !files(&keepstore.volume()).is_empty();
        wait_until(|| block.len() == 3 || is_aside());
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
        wait_until(|| !is_aside());
        assert_eq!(keepstore.send("GET", &path, &[], b"").status, 404);
    }
}

#[test]
fn a_large_block_comes_in_beside_its_place() {
    let keepstore = Keepstore::start("current", &[]);
    let block = vec![3; 3 << 20];
    let hash = hash_of(&block);
    let folder = keepstore.volume().join(&hash[..3]);
    let mut stream = connect(keepstore.service.addresses[0]);
    stream.write_all(&head("PUT", &format!("/{hash}"), &[], block.len())).unwrap();
    stream.write_all(&block[1..]).unwrap();
    wait_until(|| !files(&keepstore.volume()).is_empty());
    let found = files(&keepstore.volume());
    let [aside] = &found[..] else { panic!("{found:?}") };
    assert_eq!(aside.parent(), Some(&*folder));
    let name = aside.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("tmp{hash}")), "{name}");
    stream.write_all(&block[..1]).unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 200);
    assert_eq!(files(&keepstore.volume()), [folder.join(&hash)]);
}

#[test]
fn a_buffer_is_taken_while_a_block_comes_in_and_given_back() {
    let keepstore = Keepstore::start("current", &[]);
    let mut stream = connect(keepstore.service.addresses[0]);
    stream.write_all(&head("PUT", &format!("/{FOO}"), &[], 3)).unwrap();
    stream.write_all(b"fo").unwrap();
    wait_until(|| keepstore.status()["BufferPool"]["BuffersInUse"] == 1);
    stream.write_all(b"o").unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 200);
    wait_until(|| keepstore.status()["BufferPool"]["BuffersInUse"] == 0);
}

#[test]
fn the_largest_block_is_stored_and_one_byte_more_is_refused_before_it_is_read() {
    let keepstore = Keepstore::start("current", &["-max-buffers=1"]);
    let mut block = vec![7; 64 << 20];
    let path = format!("/{}", hash_of(&block));
    assert_eq!(keepstore.send("PUT", &path, &[], &block).status, 200);
    assert!(keepstore.send("GET", &path, &[], b"").body == block);
    block.push(7);
    let refused = keepstore.send("PUT", &path, &[], &block);
    assert_eq!((refused.status, refused.text()), (413, "request entity too large\n"));
}

fn get(stream: &mut TcpStream, path: &str) {
    stream.write_all(&head("GET", path, &[], 0)).unwrap();
}

#[test]
fn a_slow_reader_holds_no_buffer() {
    let keepstore = Keepstore::start("current", &["-max-buffers=1"]);
    let block = vec![1; 32 << 20];
    let path = format!("/{}", hash_of(&block));
    assert_eq!(keepstore.send("PUT", &path, &[], &block).status, 200);
    let mut slow = connect(keepstore.service.addresses[0]);
    get(&mut slow, &path);
    let mut first = [0; 12];
    slow.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // All that is left is more than fits into the sockets between us.
    assert_eq!(keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo").status, 200);
    assert!(keepstore.send("GET", &path, &[], b"").body == block);
    let mut rest = vec![0; 32 << 20];
    slow.read_exact(&mut rest).unwrap();
}

#[test]
fn who_waits_for_a_buffer_gets_one() {
    let keepstore = Keepstore::start("current", &["-max-buffers=1"]);
    keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
    let mut holder = connect(keepstore.service.addresses[0]);
    holder.write_all(&head("PUT", &format!("/{FOO}"), &[], 3)).unwrap();
    wait_until(|| keepstore.status()["BufferPool"]["BuffersInUse"] == 1);
    let mut waiting = connect(keepstore.service.addresses[0]);
    get(&mut waiting, &format!("/{FOO}"));
    holder.write_all(b"foo").unwrap();
    assert_eq!(receive(&mut holder, "PUT").status, 200);
    assert_eq!(receive(&mut waiting, "GET").text(), "foo");
}

#[test]
fn a_thousand_connections_are_served() {
    descriptors::allow(4096);
    let keepstore = Keepstore::start("current", &[]);
    keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
    let address = keepstore.service.addresses[0];
    let mut streams: Vec<_> = (0..1000).map(|_| connect(address)).collect();
    for _ in 0..2 {
        // Not all at once: more than so many may not wait for a buffer.
        for some in streams.chunks_mut(200) {
            for stream in &mut *some {
                get(stream, &format!("/{FOO}"));
            }
            for stream in some {
                assert_eq!(receive(stream, "GET").text(), "foo");
            }
        }
    }
}

#[test]
fn a_connection_goes_on_behind_a_refused_body_that_is_short_and_says_so_otherwise() {
    let keepstore = Keepstore::start("current", &[]);
    let mut stream = connect(keepstore.service.addresses[0]);
    for (length, closes) in [(3, None), (1 << 20, Some("close"))] {
        let head = "PUT /no-locator HTTP/1.1\r\nHost: keep\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(format!("{head}{length:x}\r\n").as_bytes()).unwrap();
        stream.write_all(&vec![b'x'; length]).unwrap();
        stream.write_all(b"\r\n0\r\n\r\n").unwrap();
        let refused = receive(&mut stream, "PUT");
        assert_eq!((refused.status, refused.header("connection")), (400, closes));
    }
}

#[test]
fn requests_may_come_before_their_answers() {
    let keepstore = Keepstore::start("current", &[]);
    let mut stream = connect(keepstore.service.addresses[0]);
    let mut all = head("PUT", &format!("/{FOO}"), &[], 3);
    all.extend_from_slice(b"foo");
    all.extend(head("GET", &format!("/{FOO}"), &[], 0));
    all.extend(head("HEAD", &format!("/{}", hash_of(b"bar")), &[], 0));
    all.extend(head("GET", &format!("/{FOO}"), &[], 0));
    stream.write_all(&all).unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 200);
    assert_eq!(receive(&mut stream, "GET").text(), "foo");
    assert_eq!(receive(&mut stream, "HEAD").status, 404);
    assert_eq!(receive(&mut stream, "GET").text(), "foo");
}

#[test]
fn who_asks_before_it_sends_is_told_to_go_on_or_why_not() {
    let keepstore = Keepstore::start("current", &[]);
    let expect = ["Expect: 100-continue"];
    let mut stream = connect(keepstore.service.addresses[0]);
    stream.write_all(&head("PUT", &format!("/{FOO}"), &expect, 3)).unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 100);
    stream.write_all(b"foo").unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 200);
    stream.write_all(&head("PUT", &format!("/{FOO}"), &expect, (64 << 20) + 1)).unwrap();
    let refused = receive(&mut stream, "PUT");
    assert_eq!((refused.status, refused.header("connection")), (413, Some("close")));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "it ends at once");
}

#[test]
fn a_connection_goes_on_after_every_refusal_of_a_short_body() {
    for era in ERAS {
        let keepstore = Keepstore::start(era, &[]);
        let mut stream = connect(keepstore.service.addresses[0]);
        let bar = format!("/{}", hash_of(b"bar"));
        for (method, path) in [
            ("PUT", &*bar),
            ("PUT", "/no-locator"),
            ("PUT", "/trash"),
            ("POST", &bar),
            ("GET", &bar),
            ("GET", "/index"),
            ("DELETE", &bar),
        ] {
            stream.write_all(&head(method, path, &[], 3)).unwrap();
            stream.write_all(b"foo").unwrap();
            let reply = receive(&mut stream, method);
            assert!(reply.status >= 400, "{era} {method} {path}");
            assert_eq!(reply.header("connection"), None, "{era} {method} {path}");
        }
        let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(chunked.as_bytes()).unwrap();
        stream.write_all(b"3\r\nfoo\r\n0\r\n\r\n").unwrap();
        assert_eq!(receive(&mut stream, "POST").status, 400);
        get(&mut stream, &bar);
        assert_eq!(receive(&mut stream, "GET").status, 404);
    }
}

#[test]
fn the_refusal_of_a_long_body_ends_the_connection() {
    let keepstore = Keepstore::start("2015", &[]);
    let mut stream = connect(keepstore.service.addresses[0]);
    stream.write_all(&head("PUT", "/no-locator", &[], 1 << 20)).unwrap();
    let refused = receive(&mut stream, "PUT");
    assert_eq!((refused.status, refused.header("connection")), (400, Some("close")));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "it ends though nothing was sent");
}

/// All of the answer to what is sent, on a connection that the server has to end.
fn answer_to(keepstore: &Keepstore, request: &str) -> String {
    let mut stream = connect(keepstore.service.addresses[0]);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_go_refuses_is_refused_in_its_words_and_ends_the_connection() {
    let keepstore = Keepstore::start("2015", &[]);
    for (fields, status, text) in [
        ("", "400 Bad Request", "400 Bad Request: missing required Host header"),
        ("Host: a\r\nHost: b\r\n", "400 Bad Request", "400 Bad Request"),
        ("Host: a/b\r\n", "400 Bad Request", "400 Bad Request: malformed Host header"),
        ("Host: a\r\nExpect: wonders\r\n", "417 Expectation Failed", ""),
    ] {
        let request = format!("GET /status.json HTTP/1.1\r\n{fields}\r\n");
        let answer = answer_to(&keepstore, &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{fields}: {answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{text}")), "{fields}: {answer}");
    }
    let old = answer_to(&keepstore, "GET /status.json HTTP/1.0\r\n\r\n");
    assert!(old.starts_with("HTTP/1.0 200 OK\r\n"), "{old}");
}

/// How long a head may be, in bytes.
const LONGEST_HEAD: usize = 128 << 10;

#[test]
fn a_head_may_be_long_but_not_endless() {
    let keepstore = Keepstore::start("current", &[]);
    let head = |end: &str| {
        let start = format!("GET /{FOO} HTTP/1.1\r\nHost: keep\r\nConnection: close\r\nX-Long: ");
        format!("{start}{}{end}", "x".repeat(LONGEST_HEAD - start.len() - end.len()))
    };
    let answer = answer_to(&keepstore, &head("\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    let answer = answer_to(&keepstore, &head(""));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many = format!("GET /{FOO} HTTP/1.1\r\nHost: keep\r\n{}\r\n", "A: b\r\n".repeat(100));
    let answer = answer_to(&keepstore, &many);
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let far = format!("GET /{} HTTP/1.1\r\nHost: keep\r\n\r\n", "x".repeat(64 << 10));
    let answer = answer_to(&keepstore, &far);
    assert!(answer.starts_with("HTTP/1.1 414 "), "{answer}");
}
