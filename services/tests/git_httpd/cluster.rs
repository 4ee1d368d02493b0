//! An arv-git-httpd with one repository, and git as its client.

use std::io::Read;
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::fake_api::FakeApi;
use crate::http;
use crate::service::Service;

pub(crate) const UUID: &str = "zzzzz-s0uqq-382brsig8rp3666";

pub(crate) struct GitCluster {
    pub(crate) git: Service,
    /// Holds the repositories in `root`, and working folders beside it.
    pub(crate) folder: tempfile::TempDir,
    pub(crate) api: FakeApi,
}

/// Whether git is there; without it, these tests say so and pass.
///
/// # Panics
/// Where it has to be there.
pub(crate) fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "git is not installed");
    if !found {
        eprintln!("skipped: git is not installed");
    }
    found
}

impl GitCluster {
    /// A cluster with the repository `active/foo`, which `good` may read and write, and `reader`
    /// only read. `active/bare` is listed too, and has no folder.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("git cluster ").tempdir().unwrap();
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
        Self { git, folder, api }
    }

    /// The folder of all repositories.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// The folder of `active/foo`.
    pub(crate) fn repository(&self) -> PathBuf {
        self.root().join(format!("{UUID}.git"))
    }

    /// The address of a repository, for who has this token.
    pub(crate) fn url(&self, token: &str, name: &str) -> String {
        format!("http://any:{token}@{}/{name}.git", self.git.addresses[0])
    }

    /// A new working folder with one commit, whose file `data` has this content.
    pub(crate) fn commit(&self, name: &str, content: &[u8]) -> PathBuf {
        let at = self.folder.path().join(name);
        run(self.folder.path(), &["init", "-q", at.to_str().unwrap()]);
        std::fs::write(at.join("data"), content).unwrap();
        run(&at, &["add", "data"]);
        run(&at, &["commit", "-qm", "one"]);
        at
    }

    /// Has `main` of `active/foo` point to a commit of such a folder.
    pub(crate) fn push(&self, name: &str, content: &[u8]) -> PathBuf {
        let work = self.commit(name, content);
        let url = self.url("good", "active/foo");
        run(&work, &["push", "-q", &url, "HEAD:refs/heads/main"]);
        run(&self.repository(), &["symbolic-ref", "HEAD", "refs/heads/main"]);
        work
    }

    /// The answer to a request with one header more.
    pub(crate) fn ask(&self, method: &str, path: &str, header: &str) -> http::Reply {
        http::send(self.git.addresses[0], method, path, &[header], b"")
    }

    /// All that comes back when exactly these bytes are sent, and nothing after them.
    pub(crate) fn exchange(&self, request: &[u8]) -> String {
        let mut stream = http::connect(self.git.addresses[0]);
        std::io::Write::write_all(&mut stream, request).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Runs git as nobody in particular.
pub(crate) fn git(at: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(["-c", "init.defaultBranch=main", "-c", "gc.auto=0"])
        .args(arguments)
        .current_dir(at)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

/// git has to succeed; returns what it printed.
pub(crate) fn run(at: &Path, arguments: &[&str]) -> String {
    succeeded(arguments, &git(at, arguments, &[])).0
}

/// Its output and its errors, when it has succeeded.
pub(crate) fn succeeded(arguments: &[&str], output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let complaint = text(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {complaint}");
    (text(&output.stdout), complaint)
}

/// git has to fail; returns its complaint.
pub(crate) fn complaint(at: &Path, arguments: &[&str]) -> String {
    let output = git(at, arguments, &[]);
    assert!(!output.status.success(), "git {arguments:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Bytes that do not compress, the same each time.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let word = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length / 8).flat_map(word).collect()
}
