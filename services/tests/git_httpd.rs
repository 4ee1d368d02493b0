//! arv-git-httpd over real sockets, with the installed git at both ends.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "common/fake_api.rs"]
mod fake_api;
#[path = "common/http.rs"]
mod http;
#[path = "common/service.rs"]
mod service;

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use fake_api::FakeApi;
use service::Service;

const UUID: &str = "zzzzz-s0uqq-382brsig8rp3666";

struct GitCluster {
    git: Service,
    /// Holds the repositories in `root`, and working folders beside it.
    folder: tempfile::TempDir,
    _api: FakeApi,
}

/// Whether git is there; without it, these tests say so and pass.
fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: git is not installed");
    }
    found
}

impl GitCluster {
    /// A cluster with the repository `active/foo`, which `good` may read and write.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let repository = root.join(format!("{UUID}.git"));
        run(folder.path(), &["init", "-q", "--bare", repository.to_str().unwrap()]);
        let api = FakeApi::start();
        {
            let mut known = api.known.lock().unwrap();
            known.writer = "good".to_owned();
            known.tokens.insert("reader".to_owned());
            known.repositories.insert("active/foo".to_owned(), UUID.to_owned());
            known.repositories.insert("active/bare".to_owned(), UUID.replace('6', "5"));
        }
        let arguments = [format!("-repo-root={}", root.display())];
        let git =
            Service::start("arv-git-httpd", &["arv-git-httpd"], &arguments, &api.environment());
        Self { git, folder, _api: api }
    }

    fn url(&self, token: &str, name: &str) -> String {
        format!("http://any:{token}@{}/{name}.git", self.git.addresses[0])
    }

    /// A new working folder with one commit, whose file `data` has this content.
    fn commit(&self, name: &str, content: &[u8]) -> PathBuf {
        let at = self.folder.path().join(name);
        run(self.folder.path(), &["init", "-q", at.to_str().unwrap()]);
        std::fs::write(at.join("data"), content).unwrap();
        run(&at, &["add", "data"]);
        run(&at, &["commit", "-qm", "one"]);
        at
    }

    fn status(&self, method: &str, path: &str, headers: &[&str]) -> u16 {
        http::send(self.git.addresses[0], method, path, headers, b"").status
    }
}

/// Runs git as nobody in particular.
fn git(at: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(["-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(at)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap()
}

fn run(at: &Path, arguments: &[&str]) {
    let output = git(at, arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {complaint}");
}

fn complaint(at: &Path, arguments: &[&str]) -> String {
    let output = git(at, arguments);
    assert!(!output.status.success(), "git {arguments:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The processes that a service has started and not reaped.
fn children(service: &Service) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", service.child.id())).unwrap();
    // A thread may end between being listed and being read.
    let lists =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

/// Bytes that do not compress, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(step).collect()
}

#[test]
fn what_was_pushed_is_cloned_whole() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let url = cluster.url("good", "active/foo");
    // Large enough for git to send it in chunks, compressed headers and all.
    let content = noise(8 << 20);
    let work = cluster.commit("work", &content);
    run(&work, &["push", "-q", &url, "HEAD:refs/heads/main"]);
    let reader = cluster.url("reader", "active/foo");
    run(cluster.folder.path(), &["clone", "-q", "--branch=main", &reader, "clone"]);
    assert!(std::fs::read(cluster.folder.path().join("clone/data")).unwrap() == content);
}

#[test]
fn the_same_repository_is_served_from_a_checkout_and_under_either_form_of_its_path() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let root = cluster.folder.path().join("root");
    std::fs::remove_dir_all(root.join(format!("{UUID}.git"))).unwrap();
    let work = cluster.commit("work", b"text");
    std::fs::rename(work, root.join(UUID)).unwrap();
    for form in ["active/foo.git", "active/foo/.git"] {
        let url = format!("http://any:good@{}/{form}", cluster.git.addresses[0]);
        run(cluster.folder.path(), &["ls-remote", "--exit-code", &url, "HEAD"]);
    }
}

#[test]
fn a_repository_of_another_owner_is_served() {
    if !has_git() || !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let cluster = GitCluster::start();
    let work = cluster.commit("work", b"text");
    let root = cluster.folder.path().join("root");
    let chown = Command::new("chown").args(["-R", "65534"]).arg(&root).status().unwrap();
    assert!(chown.success());
    let url = cluster.url("good", "active/foo");
    run(&work, &["push", "-q", &url, "HEAD:refs/heads/main"]);
    run(&work, &["ls-remote", "--exit-code", &url, "main"]);
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
fn unknown_tokens_names_and_paths_are_refused() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let good = "Authorization: OAuth2 good";
    for (path, header, status) in [
        ("/active/foo.git/info/refs?service=git-upload-pack", good, 200),
        ("/active/foo.git/info/refs?service=git-upload-pack&api_token=good", "", 200),
        ("/active/foo.git/info/refs", "Authorization: Bearer good", 200),
        ("/active/foo.git/info/refs", "Authorization: Bearer bad", 500),
        ("/active/foo.git/info/refs", "", 401),
        ("/active/other.git/info/refs", good, 404),
        // Listed, and without a folder.
        ("/active/bare.git/info/refs", good, 404),
        ("/active/foo", good, 400),
        ("/active/foo.git/../../key.pem", good, 400),
        ("/active/foo.git/%2e%2e/%2e%2e/key.pem", good, 400),
        ("/active/foo.git/config", good, 404),
        ("/active/foo.git/HEAD", good, 200),
    ] {
        assert_eq!(cluster.status("GET", path, &[header]), status, "{path} {header}");
    }
    let asked = http::send(cluster.git.addresses[0], "GET", "/x.git/HEAD", &[], b"");
    assert_eq!(asked.text(), "no credentials provided\n");
    assert_eq!(asked.header("www-authenticate"), Some("Basic realm=\"git\""));
}

/// Begins a push that sends nothing; returns the connection, and git's process that waits for it.
fn begin_push(cluster: &GitCluster) -> (TcpStream, u32) {
    let mut stream = http::connect(cluster.git.addresses[0]);
    let kind = "Content-Type: application/x-git-receive-pack-request";
    let path = "/active/foo.git/git-receive-pack";
    let request = http::head("POST", path, &["Authorization: OAuth2 good", kind], 1 << 20);
    stream.write_all(&request).unwrap();
    // The answer comes only when all of the request has been read: git is there before, and waits.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(process) = children(&cluster.git).first() {
            return (stream, *process);
        }
        assert!(Instant::now() < deadline, "git is not started");
        std::thread::yield_now();
    }
}

/// Waits until a process is no more, not even as a zombie that is ours to reap.
fn wait_for_end_of(process: u32) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit(") ").next()?.chars().next()
    };
    while state().is_some_and(|state| state != 'Z') {
        assert!(Instant::now() < deadline, "process {process} still runs");
        std::thread::yield_now();
    }
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
fn without_git_it_does_not_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_services"))
        .args(["arv-git-httpd", "-address=127.0.0.1:0", "-git-command=/no/git"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("git is needed and \"/no/git\" is not there"), "{told}");
}
