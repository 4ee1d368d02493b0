//! HTTP as it comes: what proper clients seldom send, and what others do.

use std::io::Write;

use crate::cluster::{GitCluster, has_git};
use crate::{descriptors, http};

const GOOD: &str = "Authorization: OAuth2 good";
const HEAD: &str = "/active/foo.git/HEAD";
const CONTENT: &str = "ref: refs/heads/main\n";

/// With a commit, without which HEAD has no content.
fn cluster() -> Option<GitCluster> {
    has_git().then(|| {
        let cluster = GitCluster::start();
        cluster.push("work", b"text");
        cluster
    })
}

#[test]
fn head_tells_what_get_would() {
    let Some(cluster) = cluster() else { return };
    let reply = cluster.ask("HEAD", HEAD, GOOD);
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("21")));
    assert_eq!(reply.header("content-type"), Some("text/plain"));
}

#[test]
fn a_range_is_not_heeded() {
    let Some(cluster) = cluster() else { return };
    let headers = [GOOD, "Range: bytes=0-3"];
    let reply = http::send(cluster.git.addresses[0], "GET", HEAD, &headers, b"");
    assert_eq!((reply.status, reply.text()), (200, CONTENT));
}

#[test]
fn a_method_that_git_has_no_use_for_is_refused() {
    let Some(cluster) = cluster() else { return };
    for (method, path) in [
        ("PUT", HEAD),
        ("DELETE", HEAD),
        ("GET", "/active/foo.git/git-upload-pack"),
        ("POST", "/active/foo.git/info/refs"),
    ] {
        let reply = cluster.ask(method, path, GOOD);
        assert_eq!(reply.status, 405, "{method} {path}");
    }
    // Not the type of what it claims to be.
    let reply = cluster.ask("POST", "/active/foo.git/git-upload-pack", GOOD);
    assert_eq!(reply.status, 415);
}

#[test]
fn who_has_sent_all_may_close_its_half() {
    let Some(cluster) = cluster() else { return };
    for (version, request) in [
        (
            "HTTP/1.1",
            format!("GET {HEAD} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{GOOD}\r\n\r\n"),
        ),
        ("HTTP/1.0", format!("GET {HEAD} HTTP/1.0\r\n{GOOD}\r\n\r\n")),
    ] {
        let answer = cluster.exchange(request.as_bytes());
        assert!(answer.starts_with(&format!("{version} 200 OK\r\n")), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{CONTENT}")), "{answer}");
        assert!(answer.contains("\r\nContent-Type: text/plain\r\n"), "{answer}");
    }
}

#[test]
fn requests_may_come_before_the_answers_to_those_before() {
    let Some(cluster) = cluster() else { return };
    let request =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: h\r\n{more}{GOOD}\r\n\r\n");
    let answer = cluster.exchange(
        [request(HEAD, ""), request("/foo", ""), request(HEAD, "Connection: close\r\n")]
            .concat()
            .as_bytes(),
    );
    let statuses: Vec<_> =
        answer.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].to_owned()).collect();
    assert_eq!(statuses, ["200", "400", "200"], "{answer}");
    assert_eq!(answer.matches(CONTENT).count(), 2, "{answer}");
}

#[test]
fn a_client_that_waits_to_be_asked_is_asked_or_refused() {
    let Some(cluster) = cluster() else { return };
    let path = "/active/foo.git/git-receive-pack";
    for (token, statuses) in [("good", &[100, 200][..]), ("reader", &[403])] {
        let mut stream = http::connect(cluster.git.addresses[0]);
        let authorization = format!("Authorization: OAuth2 {token}");
        let headers = [
            &authorization,
            "Content-Type: application/x-git-receive-pack-request",
            "Expect: 100-continue",
        ];
        stream.write_all(&http::head("POST", path, &headers, 4)).unwrap();
        for status in statuses {
            assert_eq!(http::receive(&mut stream, "POST").status, *status, "{token}");
            if *status == 100 {
                // Nothing to change.
                stream.write_all(b"0000").unwrap();
            }
        }
    }
}

#[test]
fn a_thousand_clients_are_answered_at_once() {
    descriptors::allow(1200);
    let Some(cluster) = cluster() else { return };
    let mut streams: Vec<_> = (0..1000).map(|_| http::connect(cluster.git.addresses[0])).collect();
    for stream in &mut streams {
        stream.write_all(&http::head("GET", HEAD, &[], 0)).unwrap();
    }
    for stream in &mut streams {
        assert_eq!(http::receive(stream, "GET").status, 401);
    }
    // The last of them still has its connection, and git is run for it.
    let last = streams.last_mut().unwrap();
    last.write_all(&http::head("GET", HEAD, &[GOOD], 0)).unwrap();
    assert_eq!(http::receive(last, "GET").text(), CONTENT);
}
