//! What real git clients do: each way to clone, fetch and push that they have.

use crate::cluster::{GitCluster, complaint, git, has_git, noise, run, succeeded};

#[test]
fn what_was_pushed_is_cloned_whole() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    // Large enough for git to send it in chunks.
    let content = noise(8 << 20);
    cluster.push("work", &content);
    let reader = cluster.url("reader", "active/foo");
    run(cluster.folder.path(), &["clone", "-q", &reader, "clone"]);
    assert!(std::fs::read(cluster.folder.path().join("clone/data")).unwrap() == content);
}

#[test]
fn who_may_only_read_cannot_push() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let work = cluster.commit("work", b"text");
    let url = cluster.url("reader", "active/foo");
    let told = complaint(&work, &["push", &url, "HEAD:refs/heads/main"]);
    assert!(told.contains("403"), "{told}");
    run(&work, &["ls-remote", &url]);
}

#[test]
fn every_version_of_the_protocol_is_spoken() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    cluster.push("work", b"text");
    let url = cluster.url("reader", "active/foo");
    for (version, sign) in [("0", "HEAD\\0"), ("1", "version 1"), ("2", "version 2")] {
        let setting = format!("protocol.version={version}");
        let to = format!("clone-{version}");
        let arguments = ["-c", &setting, "clone", "-q", &url, &to];
        let output = git(cluster.folder.path(), &arguments, &[("GIT_TRACE_PACKET", "1")]);
        let (_, trace) = succeeded(&arguments, &output);
        let answered = |line: &str| line.contains("< ") && line.contains(sign);
        assert!(trace.lines().any(answered), "{sign} is not in {trace}");
    }
}

#[test]
fn a_client_without_the_smart_protocol_reads_files() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    cluster.push("work", b"text");
    let url = cluster.url("reader", "active/foo");
    let arguments = ["clone", "-q", &url, "clone"];
    // Loose objects first, then packed ones.
    let output = git(cluster.folder.path(), &arguments, &[("GIT_SMART_HTTP", "0")]);
    succeeded(&arguments, &output);
    run(&cluster.repository(), &["repack", "-qad"]);
    let arguments = ["clone", "-q", &url, "again"];
    let output = git(cluster.folder.path(), &arguments, &[("GIT_SMART_HTTP", "0")]);
    succeeded(&arguments, &output);
    assert_eq!(std::fs::read(cluster.folder.path().join("again/data")).unwrap(), b"text");
}

#[test]
fn a_clone_may_be_shallow_and_be_deepened() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let work = cluster.push("work", b"text");
    run(&work, &["commit", "-q", "--allow-empty", "-m", "two"]);
    let url = cluster.url("good", "active/foo");
    run(&work, &["push", "-q", &url, "HEAD:refs/heads/main"]);
    run(cluster.folder.path(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    let shallow = cluster.folder.path().join("shallow");
    assert_eq!(run(&shallow, &["rev-list", "--count", "HEAD"]), "1\n");
    // A push from a shallow clone tells where it was cut off.
    run(&shallow, &["commit", "-q", "--allow-empty", "-m", "three"]);
    run(&shallow, &["push", "-q", "origin", "HEAD:refs/heads/main"]);
    run(&shallow, &["fetch", "-q", "--unshallow"]);
    assert_eq!(run(&shallow, &["rev-list", "--count", "HEAD"]), "3\n");
}

#[test]
fn a_clone_may_be_partial_where_the_repository_allows_it() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    cluster.push("work", b"text");
    let url = cluster.url("reader", "active/foo");
    let arguments = ["clone", "-q", "--filter=blob:none", "--no-checkout", &url, "whole"];
    let output = git(cluster.folder.path(), &arguments, &[]);
    let (_, warning) = succeeded(&arguments, &output);
    assert!(warning.contains("filtering not recognized by server"), "{warning}");
    run(&cluster.repository(), &["config", "uploadpack.allowFilter", "true"]);
    run(&cluster.repository(), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    run(cluster.folder.path(), &["clone", "-q", "--filter=blob:none", "-n", &url, "partial"]);
    let partial = cluster.folder.path().join("partial");
    let objects = run(&partial, &["rev-list", "--objects", "--missing=print", "HEAD"]);
    assert!(objects.lines().any(|line| line.starts_with('?')), "{objects}");
    // What lacks is fetched when it is looked at.
    assert_eq!(run(&partial, &["cat-file", "-p", "HEAD:data"]), "text");
}

#[test]
fn a_long_request_comes_compressed() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let work = cluster.commit("work", b"text");
    for number in 0..30 {
        run(&work, &["commit", "-q", "--allow-empty", "-m", &number.to_string()]);
        run(&work, &["branch", &format!("branch-{number}")]);
    }
    let url = cluster.url("good", "active/foo");
    run(&work, &["push", "-q", "--all", &url]);
    let arguments = ["clone", "-q", &url, "clone", "--branch=branch-7"];
    let output = git(cluster.folder.path(), &arguments, &[("GIT_TRACE_CURL", "1")]);
    let (_, trace) = succeeded(&arguments, &output);
    assert!(trace.to_lowercase().contains("content-encoding: gzip"), "{trace}");
}

#[test]
fn pushes_at_the_same_time_do_not_disturb_each_other() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let url = cluster.url("good", "active/foo");
    let works: Vec<_> = (0..6_u8)
        .map(|number| {
            let mut content = noise(1 << 20);
            content[0] = number;
            cluster.commit(&format!("work-{number}"), &content)
        })
        .collect();
    std::thread::scope(|scope| {
        for (number, work) in works.iter().enumerate() {
            let (url, branch) = (&url, format!("HEAD:refs/heads/branch-{number}"));
            scope.spawn(move || run(work, &["push", "-q", url, &branch]));
        }
    });
    let listed = run(cluster.folder.path(), &["ls-remote", "--heads", &url]);
    for (number, work) in works.iter().enumerate() {
        let commit = run(work, &["rev-parse", "HEAD"]);
        let line = format!("{}\trefs/heads/branch-{number}\n", commit.trim());
        assert!(listed.contains(&line), "{line} is not in {listed}");
    }
    run(&cluster.repository(), &["fsck", "--strict"]);
}
