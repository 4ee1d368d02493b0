//! The real nginx with our configuration, where it is installed.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

use crate::tls_client::Certificate;

const TEMPLATE: &str = include_str!("../../../nginx/nginx.conf");

pub(crate) struct Nginx {
    process: Child,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) certificate: Certificate,
    pub(crate) address: SocketAddr,
}

/// The program, if it is there.
///
/// # Panics
/// Where it has to be there.
pub(crate) fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join("nginx")).find(|program| program.is_file());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "nginx is not installed");
    if found.is_none() {
        eprintln!("skipped: nginx is not installed");
    }
    found
}

impl Nginx {
    /// Starts it before a keepproxy at `upstream`, with `more` settings.
    pub(crate) fn start(program: &PathBuf, upstream: SocketAddr, more: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("nginx ").tempdir().unwrap();
        for name in ["tls", "log", "data/nginx"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let certificate = Certificate::create(&folder.path().join("tls"));
        // It takes the sockets that it inherits for those of the same address in its settings.
        let listeners = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
        for listener in &listeners {
            listener.set_nonblocking(true).unwrap();
        }
        let listen = |address| format!("listen {address} ssl default_server;");
        let user = if geteuid().is_root() { "user root;" } else { "" };
        let settings = TEMPLATE
            .replace("{{user}}", user)
            .replace("{{keepproxy}}", &upstream.to_string())
            .replace("{{arv-git-httpd}}", &upstream.to_string())
            .replace("{{listen.keepproxy-ssl}}", &listen(addresses[0]))
            .replace("{{listen.arv-git-httpd-ssl}}", &listen(addresses[1]))
            .replacen("http {", &format!("http {{ {more}"), 1);
        std::fs::write(folder.path().join("nginx.conf"), settings).unwrap();
        let descriptors = listeners.each_ref().map(AsRawFd::as_raw_fd);
        let mut command = Command::new(program);
        command
            .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
            .arg(format!("{}/", folder.path().display()))
            .env("NGINX", descriptors.map(|number| format!("{number};")).concat())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log/errors")).unwrap());
        let keep = move || {
            for descriptor in descriptors {
                // SAFETY: the listeners outlive the spawn below, so the descriptor is open.
                let socket = unsafe { BorrowedFd::borrow_raw(descriptor) };
                fcntl(socket.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
            }
            Ok(())
        };
        // SAFETY: between fork and exec only fcntl is called, which is async-signal-safe.
        unsafe { command.pre_exec(keep) };
        let process = command.spawn().unwrap();
        Self { process, folder, certificate, address: addresses[0] }
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.path().join("log/nginx_access.log")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if self.process.try_wait().unwrap().is_none() {
            let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap());
            kill(pid, Signal::SIGTERM).unwrap();
        }
        self.process.wait().unwrap();
        if std::thread::panicking() {
            eprintln!(
                "{}",
                std::fs::read_to_string(self.folder.path().join("log/errors")).unwrap()
            );
        }
    }
}
