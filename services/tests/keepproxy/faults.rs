//! Clients and keepstores that go away, or stop, in the middle of a block.

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use super::*;

/// A keepstore of which every connection is treated so. It ends with the test's process.
fn strange_keepstore(mut treat: impl FnMut(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(|stream| treat(stream.unwrap())));
    address
}

impl Cluster {
    fn register_also(&self, strange: SocketAddr) {
        self.api.known.lock().unwrap().keepstores.push(strange);
    }

    /// Nothing is left of a block on any keepstore, or written aside.
    fn has_nothing(&self) -> bool {
        self.keepstores.iter().all(|keepstore| {
            let folders = std::fs::read_dir(keepstore.volume.path()).unwrap();
            let mut folders = folders.map(|entry| entry.unwrap().path()).filter(|it| it.is_dir());
            folders.all(|folder| std::fs::read_dir(folder).unwrap().next().is_none())
        })
    }
}

fn large_block() -> (String, Vec<u8>) {
    let block: Vec<u8> = (0..8 << 20).map(|at: u32| (at >> 10) as u8).collect();
    let hash = Md5::digest(&block).iter().map(|byte| format!("{byte:02x}")).collect();
    (hash, block)
}

#[test]
fn another_keepstore_takes_a_block_when_one_dies_meanwhile() {
    let cluster = Cluster::start("current", 2, &[]);
    cluster.register_also(strange_keepstore(|mut stream| {
        stream.read_exact(&mut [0; 1000]).unwrap();
    }));
    let (hash, block) = large_block();
    for wish in ["2", "3"] {
        let wish = format!("X-Keep-Desired-Replicas: {wish}");
        let put = cluster.send("PUT", &format!("/{hash}"), &[GOOD, &wish], &block);
        assert_eq!((put.status, put.header("x-keep-replicas-stored")), (200, Some("2")));
        assert_eq!(cluster.copies(&hash), 2);
    }
    assert!(cluster.send("GET", &format!("/{hash}"), &[GOOD], b"").body == block);
}

#[test]
fn a_block_that_a_keepstore_does_not_finish_is_not_taken_for_whole() {
    let cluster = Cluster::start("current", 0, &[]);
    cluster.register_also(strange_keepstore(|mut stream| {
        stream.read_exact(&mut [0; 100]).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfoo").unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }));
    let mut stream = connect(cluster.proxy.addresses[0]);
    stream.write_all(&http::head("GET", &format!("/{FOO}"), &[GOOD], 0)).unwrap();
    let mut reply = Vec::new();
    // The connection ends, in order or not.
    let _ = stream.read_to_end(&mut reply);
    let reply = String::from_utf8(reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
    assert!(head.is_empty() || head.contains("Content-Length: 10") && body.len() < 10, "{reply}");
}

#[test]
fn a_keepstore_that_does_not_answer_is_not_waited_for_longer_than_told() {
    let cluster = Cluster::start("current", 1, &["-timeout=1"]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    cluster.register_also(silent.local_addr().unwrap());
    // Nobody has the block, and one does not say so.
    assert_eq!(cluster.send("GET", &format!("/{FOO}"), &[GOOD], b"").status, 502);
    let log = std::fs::read_to_string(cluster.proxy.log.path()).unwrap();
    assert_eq!(log.matches(": silent for 1 s\n").count(), 1, "it is asked once: {log}");
    let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo");
    assert_eq!((put.status, put.header("x-keep-replicas-stored")), (200, Some("1")));
}

/// A keepstore that is not able to answer so many requests, and then has a block.
fn busy_keepstore(mut requests: usize) -> SocketAddr {
    let mut answered = Vec::new();
    strange_keepstore(move |mut stream| {
        stream.read_exact(&mut [0; 100]).unwrap();
        let (status, body) = match requests {
            0 => ("200 OK", format!("{FOO}+3\n")),
            _ => ("503 Busy", String::new()),
        };
        requests = requests.saturating_sub(1);
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: ");
        stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        answered.push(stream);
    })
}

#[test]
fn a_keepstore_that_is_busy_is_asked_twice_again() {
    for (era, requests, is_well) in [("current", 2, true), ("2015", 2, true), ("current", 3, false)]
    {
        for (method, body) in [("GET", ""), ("HEAD", ""), ("PUT", "foo")] {
            let cluster = Cluster::start(era, 0, &[]);
            cluster.register_also(busy_keepstore(requests));
            let reply = cluster.send(method, &format!("/{FOO}"), &[GOOD], body.as_bytes());
            assert_eq!(reply.status == 200, is_well, "{era} {method}: {}", reply.status);
        }
    }
}

#[test]
fn a_keepstore_that_dies_within_its_answer_is_in_the_log() {
    let cluster = Cluster::start("current", 0, &[]);
    cluster.register_also(strange_keepstore(|mut stream| {
        stream.read_exact(&mut [0; 100]).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfo").unwrap();
    }));
    let mut stream = connect(cluster.proxy.addresses[0]);
    stream.write_all(&http::head("GET", &format!("/{FOO}"), &[GOOD], 0)).unwrap();
    let mut reply = Vec::new();
    // It is cut off, in whatever way.
    let _ = stream.read_to_end(&mut reply);
    assert!(!reply.ends_with(b"foo"));
    wait_until("the log tells of it", || {
        let log = std::fs::read_to_string(cluster.proxy.log.path()).unwrap();
        log.contains(": error from user's Body stream: ").then_some(())
    });
}

#[test]
fn keepstores_that_nobody_lists_are_not_taken_for_none() {
    for (era, status) in [("current", 502), ("2015", 404)] {
        let cluster = Cluster::start(era, 1, &[]);
        cluster.api.known.lock().unwrap().lists_nothing = true;
        assert_eq!(cluster.send("GET", &format!("/{FOO}"), &[GOOD], b"").status, status);
        let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo");
        assert_eq!((put.status, put.header("x-keep-replicas-stored")), (503, Some("0")));
    }
}

#[test]
fn an_interrupted_block_leaves_nothing() {
    let cluster = Cluster::start("current", 2, &[]);
    let (hash, block) = large_block();
    let mut stream = connect(cluster.proxy.addresses[0]);
    let head = http::head("PUT", &format!("/{hash}"), &[GOOD], block.len());
    stream.write_all(&head).unwrap();
    stream.write_all(&block[..block.len() - 1]).unwrap();
    wait_until("keepstores get what has come", || (!cluster.has_nothing()).then_some(()));
    drop(stream);
    wait_until("what was written aside is removed", || cluster.has_nothing().then_some(()));
    assert_eq!(cluster.copies(&hash), 0);
    assert_eq!(cluster.send("PUT", &format!("/{hash}"), &[GOOD], &block).status, 200);
}

#[test]
fn content_of_another_hash_is_stored_nowhere() {
    let cluster = Cluster::start("current", 2, &[]);
    let (_, block) = large_block();
    let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD], &block);
    assert_eq!((put.status, put.header("x-keep-replicas-stored")), (503, Some("0")));
    assert_eq!(cluster.copies(FOO), 0);
}

#[test]
fn a_keepstore_that_stops_within_its_answer_is_not_waited_for_for_ever() {
    let cluster = Cluster::start("current", 0, &["-timeout=1"]);
    let mut stopped = Vec::new();
    cluster.register_also(strange_keepstore(move |mut stream| {
        stream.read_exact(&mut [0; 100]).unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{}", &FOO[..4]);
        stream.write_all(answer.as_bytes()).unwrap();
        // It stays open.
        stopped.push(stream);
    }));
    let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo");
    assert_eq!((put.status, put.header("x-keep-replicas-stored")), (503, Some("0")));
    let log = std::fs::read_to_string(cluster.proxy.log.path()).unwrap();
    assert!(log.contains(": no locator came: Silent\n"), "{log}");
    assert_eq!(cluster.send("GET", "/index", &[GOOD], b"").status, 502);
}
