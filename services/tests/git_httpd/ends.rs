//! git ends when nobody wants its answer any more, and nothing of it is left.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::cluster::{GitCluster, has_git, noise, run};
use crate::http;
use crate::processes::{children, wait_for_end_of};
use crate::waiting::wait_until;

const RECEIVE: &str = "Content-Type: application/x-git-receive-pack-request";
const UPLOAD: &str = "Content-Type: application/x-git-upload-pack-request";
const GOOD: &str = "Authorization: OAuth2 good";

/// Begins a push that sends nothing; returns the connection, and git's process that waits for it.
fn begin_push(cluster: &GitCluster) -> (TcpStream, u32) {
    let mut stream = http::connect(cluster.git.addresses[0]);
    let path = "/active/foo.git/git-receive-pack";
    stream.write_all(&http::head("POST", path, &[GOOD, RECEIVE], 1 << 20)).unwrap();
    // The answer comes only when all of the request has been read: git is there before, and waits.
    let process =
        wait_until("git is started", || children(cluster.git.child.id()).first().copied());
    (stream, process)
}

#[test]
fn git_ends_when_its_client_goes_away() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let (stream, process) = begin_push(&cluster);
    drop(stream);
    wait_for_end_of(process);
    // Nor is a zombie left.
    let service = cluster.git.child.id();
    wait_until("git is reaped", || children(service).is_empty().then_some(()));
}

#[test]
fn git_ends_with_the_service() {
    if !has_git() {
        return;
    }
    let mut cluster = GitCluster::start();
    let (_stream, process) = begin_push(&cluster);
    assert_eq!(cluster.git.stop(), Some(0));
    wait_for_end_of(process);
}

#[test]
fn git_ends_when_its_client_leaves_in_the_middle_of_the_answer() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    // More than the buffers on the way hold.
    let work = cluster.push("work", &noise(32 << 20));
    let head = run(&work, &["rev-parse", "HEAD"]);
    let wanted = format!("0032want {}\n00000009done\n", head.trim());
    let mut stream = http::connect(cluster.git.addresses[0]);
    let path = "/active/foo.git/git-upload-pack";
    stream.write_all(&http::head("POST", path, &[GOOD, UPLOAD], wanted.len())).unwrap();
    stream.write_all(wanted.as_bytes()).unwrap();
    stream.read_exact(&mut [0; 4096]).unwrap();
    let service = cluster.git.child.id();
    let process = *children(service).first().unwrap();
    drop(stream);
    wait_for_end_of(process);
    wait_until("git is reaped", || children(service).is_empty().then_some(()));
}

#[test]
fn git_that_will_not_read_a_request_does_not_keep_its_client_waiting() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    // No command of the protocol: git complains before it has read the rest.
    let body = vec![b'x'; 4 << 20];
    let path = "/active/foo.git/git-receive-pack";
    let reply = http::send(cluster.git.addresses[0], "POST", path, &[GOOD, RECEIVE], &body);
    assert!(matches!(reply.status, 200 | 500), "{reply:?}");
    let service = cluster.git.child.id();
    wait_until("git is reaped", || children(service).is_empty().then_some(()));
}
