//! Starts a service of the real binary on sockets of its own, and ends it with the test.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running service.
pub(crate) struct Service {
    /// Its process.
    pub(crate) child: Child,
    /// Its sockets, in the order of the names.
    pub(crate) addresses: Vec<SocketAddr>,
    /// What it has said.
    pub(crate) log: tempfile::NamedTempFile,
}

impl Service {
    /// Starts `services NAME ARGUMENTS` with a listening socket for each of `sockets`. Clients may
    /// connect at once.
    pub(crate) fn start(
        name: &str,
        sockets: &[&str],
        arguments: &[String],
        environment: &[(&str, String)],
    ) -> Self {
        Self::start_in(Path::new("."), name, sockets, arguments, environment)
    }

    /// The same in another working folder.
    pub(crate) fn start_in(
        folder: &Path,
        name: &str,
        sockets: &[&str],
        arguments: &[String],
        environment: &[(&str, String)],
    ) -> Self {
        let listeners: Vec<_> =
            sockets.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let named: Vec<_> = sockets
            .iter()
            .zip(&listeners)
            .map(|(name, listener)| format!("{name}={}", listener.as_raw_fd()))
            .collect();
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_services"));
        command
            .arg(name)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(environment.iter().cloned())
            .env("XTASK_LISTEN", named.join(";"))
            .stdin(Stdio::null())
            .stdout(log.reopen().unwrap())
            .stderr(log.reopen().unwrap());
        let inherited: Vec<_> = listeners.iter().map(AsRawFd::as_raw_fd).collect();
        let keep = move || {
            for descriptor in &inherited {
                // SAFETY: the listeners outlive the spawn below, so the descriptor is open.
                let socket = unsafe { BorrowedFd::borrow_raw(*descriptor) };
                fcntl(socket.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
            }
            Ok(())
        };
        // SAFETY: between fork and exec only fcntl is called, which is async-signal-safe.
        unsafe { command.pre_exec(keep) };
        let child = command.spawn().unwrap();
        Self {
            child,
            addresses: listeners.iter().map(|one| one.local_addr().unwrap()).collect(),
            log,
        }
    }

    /// Ends it as a supervisor does, and returns its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        if self.child.try_wait().unwrap().is_none() {
            let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
            kill(pid, Signal::SIGTERM).unwrap();
        }
        self.child.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.log.path()).unwrap());
        }
    }
}
