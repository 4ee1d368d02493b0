//! An API server of its own for a test: the real binary, on a port that nobody else has.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use ureq::http::{Request, Response};

/// The key that the server signs locators with.
const SIGNING_KEY: &str = "a key that only tests use";

/// A running server, stopped and forgotten when dropped.
pub(crate) struct Server {
    folder: TempDir,
    listener: TcpListener,
    child: Child,
    era: &'static str,
    fixtures: PathBuf,
    agent: ureq::Agent,
}

/// Status and JSON body of an answer.
pub(crate) type Answer = (u16, Value);

impl Server {
    /// Starts a server of `era` on the fixtures that come with the project.
    pub(crate) fn start(era: &'static str) -> Self {
        Self::start_on(era, sdk_fixtures::Fixtures::builtin().dir())
    }

    /// Starts a server of `era` on the fixtures in the folder `fixtures`.
    pub(crate) fn start_on(era: &'static str, fixtures: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        let write = |name: &str, text: &str| fs_err::write(folder.path().join(name), text).unwrap();
        write("certificate.pem", &certified.cert.pem());
        write("key.pem", &certified.signing_key.serialize_pem());
        write("signing.key", SIGNING_KEY);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let child = spawn(folder.path(), &listener, era, fixtures);
        let tls = ureq::tls::TlsConfig::builder().disable_verification(true);
        let agent = ureq::Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { folder, listener, child, era, fixtures: fixtures.to_owned(), agent: agent.into() }
    }

    /// Kills the server and starts it again on the same database.
    pub(crate) fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.folder.path(), &self.listener, self.era, &self.fixtures);
    }

    /// Ends the server as a supervisor does, and returns its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        self.child.wait().unwrap().code()
    }

    /// How much memory the server has.
    pub(crate) fn resident_mebibytes(&self) -> usize {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() >> 10
    }

    /// How many files and sockets the server has open.
    pub(crate) fn open_files(&self) -> usize {
        fs_err::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// The lines of the server's log that tell of a fault of its own.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = fs_err::read_to_string(self.path("log")).unwrap();
        let faults = ["panicked", "was not finished", "database:", "\" 500 "];
        let lines = log.lines().filter(|line| faults.iter().any(|fault| line.contains(fault)));
        lines.map(str::to_owned).collect()
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// A path below the server's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of `path` on the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.listener.local_addr().unwrap())
    }

    /// What sends requests.
    pub(crate) fn agent(&self) -> ureq::Agent {
        self.agent.clone()
    }

    /// Sends a request as it is.
    pub(crate) fn send(&self, request: Request<String>) -> Response<ureq::Body> {
        self.agent.run(request).unwrap()
    }

    /// Sends a request with the token of the fixture `auth` (none if empty) and a JSON body (none if
    /// null).
    pub(crate) fn call(&self, auth: &str, method: &str, path: &str, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(self.url(path));
        if !auth.is_empty() {
            let token = sdk_fixtures::auth_token(auth).unwrap();
            request = request.header("authorization", format!("OAuth2 {token}"));
        }
        let text = if body.is_null() {
            String::new()
        } else {
            request = request.header("content-type", "application/json");
            body.to_string()
        };
        read(self.send(request.body(text).unwrap()))
    }

    /// A GET of `/arvados/v1/` and `path`.
    pub(crate) fn get(&self, auth: &str, path: &str) -> Answer {
        self.call(auth, "GET", &format!("/arvados/v1/{path}"), &Value::Null)
    }

    /// The object that a POST of `body` to `/arvados/v1/` and `path` makes.
    pub(crate) fn create(&self, auth: &str, path: &str, body: &Value) -> Value {
        let (status, object) = self.call(auth, "POST", &format!("/arvados/v1/{path}"), body);
        assert_eq!(status, 200, "{object}");
        object
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body of an answer.
pub(crate) fn read(mut response: Response<ureq::Body>) -> Answer {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, body)
}

fn spawn(folder: &Path, listener: &TcpListener, era: &str, fixtures: &Path) -> Child {
    let descriptor = listener.as_raw_fd();
    let mut command = Command::new(env!("CARGO_BIN_EXE_services"));
    command
        .args(["api", "-certificate=certificate.pem", "-key=key.pem"])
        .args(["-database=api.sqlite", "-image-cache=images"])
        .args(["-era", era, "-blob-signing-key-file=signing.key"])
        .arg(format!("-fixtures={}", fixtures.display()))
        .current_dir(folder)
        .env("XTASK_LISTEN", format!("api={descriptor}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs_err::File::create(folder.join("log")).unwrap().into_parts().0);
    let inherit = move || {
        // SAFETY: the descriptor is the listener's, which outlives the spawning.
        let socket = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) };
        fcntl(socket, FcntlArg::F_SETFD(FdFlag::empty()))?;
        Ok(())
    };
    // SAFETY: the closure calls fcntl alone, which is safe between fork and exec.
    unsafe { command.pre_exec(inherit) };
    command.spawn().unwrap()
}
