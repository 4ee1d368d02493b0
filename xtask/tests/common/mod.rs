//! A checkout of its own for each test, in a folder with a space in its name, and its clean-up.
#![allow(dead_code, unused_imports, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed helper is a failed test")]

pub(crate) mod conformance;
mod processes;
pub(crate) mod project;
pub(crate) mod readme;
pub(crate) mod repository;
pub(crate) mod servers;

use std::io::ErrorKind::NotFound;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) use processes::{
    kill, runs, signal, wait_for, wait_until_gone, wait_until_stopped, working_in,
};
use processes::{others, works_in};
use serde_json::{Value, json};

pub(crate) mod following;
pub(crate) mod suites;
pub(crate) mod terminal;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Done {
    /// The same, if it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

/// `text` with what differs from run to run taken out: numbers of two digits and more, and where
/// the checkout is. Columns keep their places.
pub(crate) fn redacted(text: &str, checkout: &Checkout) -> String {
    let text = text.replace(checkout.root().to_str().unwrap(), "ROOT");
    let mut redacted = String::new();
    let mut number = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let shown = if number.len() > 1 { format!("{:_>1$}", "N", number.len()) } else { number };
        redacted.push_str(&shown);
        redacted.push(c);
        number = String::new();
    }
    redacted.trim_end_matches('\0').to_owned()
}

/// As [`redacted`], for text whose columns are as wide as the numbers in them happen to be, or that
/// has underscores of its own.
pub(crate) fn shape(text: &str, checkout: &Checkout) -> String {
    let text = text.replace(checkout.root().to_str().unwrap(), "ROOT");
    let (mut shape, mut rest) = (String::new(), text.as_str());
    while let Some(c) = rest.chars().next() {
        let same = |next: char| if c == ' ' { next == ' ' } else { next.is_ascii_digit() };
        let run = rest.find(|next| !same(next)).unwrap_or(rest.len()).max(c.len_utf8());
        let is_indented = shape.is_empty() || shape.ends_with('\n');
        shape.push_str(match c {
            ' ' if !is_indented => " ",
            '0'..='9' if run > 1 => "N",
            _ => &rest[..run],
        });
        rest = &rest[run..];
    }
    shape
}

/// A root with services.yml of its own. Dropping it takes its stacks down and proves that nothing
/// of them is left.
pub(crate) struct Checkout {
    folder: tempfile::TempDir,
    name: String,
    /// Who calls us, if not the user that the tests run as.
    user: Option<u32>,
}

/// The user that owns nothing, on any Linux.
const NOBODY: u32 = 65534;

/// Where Debian has PostgreSQL's server programs, which are not on PATH.
pub(crate) const POSTGRESQL: &str = "/usr/lib/postgresql/15/bin";

/// Whether that program is here, where [`std::process::Command`] or a daemon's folder has it, or
/// at that path. In CI it has to be.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join(program)).any(|path| path.exists());
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(found || !in_ci, "{program} is not installed");
    if !found {
        println!("not tried: {program} is not installed");
    }
    found
}

impl Checkout {
    pub(crate) fn new() -> Self {
        Self::within(tempfile::Builder::new().prefix("x task ").tempdir().unwrap())
    }

    /// With a short path, whatever `TMPDIR` says, for programs with sockets below it.
    pub(crate) fn with_short_path() -> Self {
        Self::within(tempfile::Builder::new().prefix("xtask ").tempdir_in("/tmp").unwrap())
    }

    fn within(folder: tempfile::TempDir) -> Self {
        let checkout = Self { folder, name: "check out".into(), user: None };
        fs_err::create_dir_all(checkout.services_yml().parent().unwrap()).unwrap();
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("services.yml");
        fs_err::copy(ours, checkout.services_yml()).unwrap();
        // The same on every machine, whether nginx is installed or not.
        checkout.configure("nginx: auto", "nginx: embedded");
        checkout
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(&self.name)
    }

    /// Renames its folder.
    pub(crate) fn move_to(&mut self, name: &str) {
        let before = self.root();
        self.name = name.to_owned();
        fs_err::rename(before, self.root()).unwrap();
    }

    /// From now on another user calls us. False where that is not possible: when we are not root,
    /// or have been built where others cannot read.
    pub(crate) fn become_another_user(&mut self) -> bool {
        let program = env!("CARGO_BIN_EXE_xtask");
        let mut reads = Command::new("test");
        reads.args(["-x", program]).uid(NOBODY).gid(NOBODY);
        let mut enters = Command::new("test");
        enters.arg("-x").arg(self.folder.path()).uid(NOBODY).gid(NOBODY);
        let mut chown = Command::new("chown");
        chown.args(["-R", &NOBODY.to_string()]).arg(self.folder.path());
        let can = |mut command: Command| command.status().is_ok_and(|status| status.success());
        let possible = can(chown) && can(reads) && can(enters);
        if possible {
            self.user = Some(NOBODY);
        } else {
            println!("not tried: no other user could run this");
        }
        possible
    }

    /// From now on we are called by a user that is not root, as some programs want it; false where
    /// that is not possible.
    pub(crate) fn avoid_root(&mut self) -> bool {
        !nix::unistd::geteuid().is_root() || self.become_another_user()
    }

    /// A file of a stack.
    pub(crate) fn stack(&self, stack: &str, file: &str) -> PathBuf {
        self.root().join(".services").join(stack).join(file)
    }

    pub(crate) fn services_yml(&self) -> PathBuf {
        self.root().join("xtask/services.yml")
    }

    /// Replaces a line of services.yml, which must be there.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let text = fs_err::read_to_string(self.services_yml()).unwrap();
        assert!(text.contains(from), "{from:?} is not in services.yml");
        fs_err::write(self.services_yml(), text.replace(from, to)).unwrap();
    }

    /// Has `program` play that kind of service.
    pub(crate) fn provide(&self, kind: &str, program: &str) {
        self.configure("providers:\n", &format!("providers:\n    {kind}: \"{program}\"\n"));
    }

    /// A checkout that declares services beside the cluster's own, by name.
    pub(crate) fn declaring(services: &Value) -> Self {
        let checkout = Self::new();
        checkout.declare(services);
        checkout
    }

    /// Declares services beside the cluster's own, by name.
    pub(crate) fn declare(&self, services: &Value) {
        // JSON is YAML too.
        self.configure("services: {}", &format!("services: {services}"));
    }

    /// What a declared fake service of that behaviour is.
    pub(crate) fn fake(port: &str, behaviour: &str) -> Value {
        json!({
            "command": [fake_service(), "-listen={{host}}:{{port}}"],
            "ports": [port],
            "probe": {"http": "/"},
            "env": {"FAKE_BEHAVIOUR": behaviour},
        })
    }

    /// Makes keep0 and its like a fake service of that behaviour.
    pub(crate) fn fake_keepstores(&self, behaviour: &str) {
        let script = self.root().join(format!("fake {behaviour}"));
        let fake = fake_service();
        let text =
            format!("#!/bin/sh\nFAKE_BEHAVIOUR={behaviour} exec '{}' \"$@\"\n", fake.display());
        fs_err::write(&script, text).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&script, executable).unwrap();
        self.provide("keepstore", script.to_str().unwrap());
        self.configure("start_timeout: 30", "start_timeout: 5");
        self.configure("stop_timeout: 5", "stop_timeout: 1");
    }

    /// `cargo xtask ARGUMENTS`, without cargo.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(arguments).env("XTASK_ROOT", self.root()).stdin(Stdio::null());
        // Whoever runs the tests may have servers of its own.
        command.env_remove("ARVADOS_TEST_API_HOST").env_remove("ARVADOS_TEST_PROXY_SERVICES");
        if let Some(user) = self.user {
            // Whose toolchain this is, that user cannot see.
            command.uid(user).gid(user).env("HOME", self.root()).env_remove("CARGO");
        }
        command
    }

    /// `cargo xtask services ARGUMENTS`, whatever is said of terminals and proxies where the tests
    /// run.
    pub(crate) fn plainly(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&[&["services"], arguments].concat());
        command.env("TERM", "xterm").env_remove("NO_COLOR");
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        spawn(&mut command).wait_with_output().unwrap().into()
    }

    pub(crate) fn services(&self, arguments: &[&str]) -> Done {
        self.run(&[&["services"], arguments].concat())
    }

    /// `services up`, which must succeed.
    #[track_caller]
    pub(crate) fn up(&self, arguments: &[&str]) -> Done {
        self.services(&[&["up"], arguments].concat()).ok()
    }

    pub(crate) fn status(&self, arguments: &[&str]) -> Value {
        let done = self.services(&[&["status", "--format", "json"], arguments].concat());
        serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
    }

    /// The pid and the ports of a service.
    pub(crate) fn service(&self, stack: &str, name: &str) -> Value {
        let status = self.status(&["--stack", stack]);
        let services = status["services"].as_array().unwrap();
        let found = services.iter().find(|service| service["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {status:#}")).clone()
    }

    /// All services by name, and whether each is ready.
    pub(crate) fn health(&self) -> Vec<(String, bool)> {
        let status = self.status(&[]);
        let services = status["services"].as_array().unwrap().iter();
        let name = |service: &Value| service["name"].as_str().unwrap().to_owned();
        services.map(|service| (name(service), service["health"] == "ready")).collect()
    }

    /// The guardians of its owned stacks.
    pub(crate) fn guardians(&self) -> Vec<i32> {
        let is_guardian = |pid: &i32| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            text.contains("\0guardian\0")
        };
        self.processes().into_iter().filter(is_guardian).collect()
    }

    /// Every running process that works in this checkout, or was told of it.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let root = self.folder.path().canonicalize().unwrap();
        let needle = root.to_str().unwrap().as_bytes().to_vec();
        let mentions = |path: PathBuf| -> bool {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(needle.len()).any(|window| window == needle)
        };
        others(|proc| {
            works_in(proc, &root)
                || mentions(proc.join("cmdline"))
                || mentions(proc.join("environ"))
        })
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let stacks = std::fs::read_dir(self.root().join(".services"));
        let names = stacks
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for name in names.filter(|name| !name.starts_with('.')) {
            self.services(&["down", "--stack", &name]);
        }
        let left = self.processes();
        if std::thread::panicking() {
            // Said by whoever panics; they are not to disturb what comes after.
            left.into_iter().for_each(kill);
            return;
        }
        assert_eq!(left, [0; 0], "processes are left");
    }
}

/// Starts a program. Another build takes it away for a moment when it puts its own in its place: then
/// it is there again at once.
pub(crate) fn spawn(command: &mut Command) -> Child {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match command.spawn() {
            Err(error) if error.kind() == NotFound && Instant::now() < deadline => {
                std::thread::yield_now();
            }
            started => return started.unwrap(),
        }
    }
}

/// The embedded services, which every `up` makes if they are missing.
pub(crate) fn services_binary() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_xtask")).parent().unwrap().join("services")
}

/// The key that the cluster's locators are signed with.
pub(crate) fn signing_key(checkout: &Checkout) -> String {
    let text = fs_err::read_to_string(checkout.services_yml()).unwrap();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("blob_signing_key: "));
    line.unwrap().to_owned()
}

/// Writes a program, and returns its path.
pub(crate) fn executable(path: &Path, text: &str) -> String {
    fs_err::write(path, text).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(path, executable).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The program that misbehaves.
pub(crate) fn fake_service() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_xtask")).parent().unwrap().join("examples/fake_service")
}
