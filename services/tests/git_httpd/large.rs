//! Much data, and clients that take their time: neither needs much memory.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::cluster::{GitCluster, has_git, noise, run};
use crate::http;
use crate::memory::peak_memory;
use crate::processes::family;

/// As much as the service, or git for it, may have in memory at once.
const ENOUGH: u64 = 64 << 20;

#[test]
fn a_push_of_a_hundred_megabytes_needs_little_memory() {
    push_of(100 << 20);
}

#[test]
#[ignore = "writes two gigabytes: run it with `--ignored`"]
fn a_push_of_five_hundred_megabytes_needs_little_memory() {
    push_of(500 << 20);
}

fn push_of(length: usize) {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let work = cluster.folder.path().join("work");
    run(cluster.folder.path(), &["init", "-q", "work"]);
    // Compressing what does not compress would take most of the time.
    run(&work, &["config", "core.compression", "0"]);
    let mut content = std::fs::File::create(work.join("data")).unwrap();
    let block = noise(1 << 20);
    for number in 0..length >> 20 {
        content.write_all(&number.to_le_bytes()).unwrap();
        content.write_all(&block[8..]).unwrap();
    }
    drop(content);
    run(&work, &["add", "data"]);
    run(&work, &["commit", "-qm", "one"]);
    let commit = run(&work, &["rev-parse", "HEAD:data"]);
    let url = cluster.url("good", "active/foo");
    let service = cluster.git.child.id();
    let (done, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let sizes = family(service).into_iter().map(peak_memory);
                peak.fetch_max(sizes.max().unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        });
        let pushed = std::panic::catch_unwind(|| {
            run(&work, &["push", "-q", &url, "HEAD:refs/heads/main"]);
        });
        done.store(true, Ordering::Relaxed);
        pushed.unwrap();
    });
    let arrived = run(&cluster.repository(), &["cat-file", "-s", commit.trim()]);
    assert_eq!(arrived.trim().parse::<usize>().unwrap(), length);
    let peak = peak.into_inner();
    assert!(peak > 0 && peak < ENOUGH, "{peak} bytes at once");
}

#[test]
fn a_client_that_does_not_read_takes_little_memory_and_holds_up_nobody() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let work = cluster.push("work", &noise(96 << 20));
    let head = run(&work, &["rev-parse", "HEAD"]);
    let wanted = format!("0032want {}\n00000009done\n", head.trim());
    let path = "/active/foo.git/git-upload-pack";
    let headers =
        ["Authorization: OAuth2 good", "Content-Type: application/x-git-upload-pack-request"];
    let mut slow: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = http::connect(cluster.git.addresses[0]);
            stream.write_all(&http::head("POST", path, &headers, wanted.len())).unwrap();
            stream.write_all(wanted.as_bytes()).unwrap();
            stream
        })
        .collect();
    for stream in &mut slow {
        stream.read_exact(&mut [0; 1]).unwrap();
    }
    for _ in 0..20 {
        let reply = cluster.ask("GET", "/active/foo.git/HEAD", headers[0]);
        assert_eq!(reply.status, 200);
    }
    for stream in &mut slow {
        stream.read_exact(&mut [0; 1]).unwrap();
    }
    let peak = peak_memory(cluster.git.child.id());
    assert!(peak > 0 && peak < ENOUGH, "{peak} bytes at once");
}
