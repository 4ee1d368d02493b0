//! git ends when nobody wants its answer any more, and nothing of it is left.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;

use crate::cluster::{GitCluster, git, has_git, noise, run};
use crate::http;
use crate::processes::{children, family, wait_for_end_of};
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

/// What a client sends to push the only commit of a working folder.
fn push_of(work: &std::path::Path) -> Vec<u8> {
    let head = run(work, &["rev-parse", "HEAD"]);
    let command =
        format!("{} {} refs/heads/main\0report-status side-band-64k", "0".repeat(40), head.trim());
    let mut request = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    request.extend(git(work, &["pack-objects", "--stdout", "--all", "-q"], &[]).stdout);
    request
}

/// Begins a push of `request`, of which it sends so much.
fn push(cluster: &GitCluster, request: &[u8], sent: usize) -> TcpStream {
    let mut stream = http::connect(cluster.git.addresses[0]);
    let path = "/active/foo.git/git-receive-pack";
    stream.write_all(&http::head("POST", path, &[GOOD, RECEIVE], request.len())).unwrap();
    stream.write_all(&request[..sent]).unwrap();
    stream
}

/// Where git has the objects of pushes that are not done.
fn unfinished(cluster: &GitCluster) -> Vec<std::path::PathBuf> {
    let objects = std::fs::read_dir(cluster.repository().join("objects")).unwrap();
    let paths = objects.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_string_lossy().contains("/tmp_")).collect()
}

#[test]
fn a_push_that_breaks_off_leaves_nothing_in_the_repository() {
    if !has_git() {
        return;
    }
    type Break = fn(GitCluster, TcpStream) -> GitCluster;
    let leaves: Break = |cluster, stream| {
        drop(stream);
        cluster
    };
    let closes_its_half: Break = |cluster, stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = (&stream).read_to_end(&mut Vec::new());
        cluster
    };
    let loses_the_service: Break = |mut cluster, _stream| {
        assert_eq!(cluster.git.stop(), Some(0));
        cluster
    };
    for breaks in [leaves, closes_its_half, loses_the_service] {
        let cluster = GitCluster::start();
        let request = push_of(&cluster.commit("work", &noise(4 << 20)));
        let stream = push(&cluster, &request, request.len() / 2);
        wait_until("git keeps objects", || (!unfinished(&cluster).is_empty()).then_some(()));
        let process = children(cluster.git.child.id())[0];
        let cluster = breaks(cluster, stream);
        wait_for_end_of(process);
        assert_eq!(unfinished(&cluster), [""; 0].map(std::path::PathBuf::from));
    }
}

#[test]
fn a_hook_that_will_not_end_ends_with_its_client_and_with_the_service() {
    if !has_git() {
        return;
    }
    for leaves in [true, false] {
        let mut cluster = GitCluster::start();
        let started = cluster.folder.path().join("started");
        let hook = cluster.repository().join("hooks/pre-receive");
        // Its output goes to the client, whose absence is noticed by that.
        let lines = format!(
            "#!/bin/sh\ntrap '' TERM PIPE\n: > '{}'\nwhile sleep 0.1; do echo waits >&2; done\n",
            started.display()
        );
        std::fs::write(&hook, lines).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
        let request = push_of(&cluster.commit("work", b"text"));
        let stream = push(&cluster, &request, request.len());
        wait_until("the hook runs", || started.exists().then_some(()));
        let processes = family(children(cluster.git.child.id())[0]);
        assert!(processes.len() > 1, "{processes:?}");
        if leaves {
            drop(stream);
        } else {
            assert_eq!(cluster.git.stop(), Some(0));
        }
        processes.into_iter().for_each(wait_for_end_of);
    }
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
