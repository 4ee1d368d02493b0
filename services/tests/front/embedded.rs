//! Our front, with a folder of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::http::{Reply, head, receive};
use crate::service::Service;
use crate::tls_client::{Certificate, TlsStream};
use crate::waiting::wait_until;

pub(crate) struct Front {
    pub(crate) front: Service,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) certificate: Certificate,
}

impl Front {
    /// The front before a keepproxy at `upstream`.
    pub(crate) fn start(upstream: SocketAddr) -> Self {
        Self::with(upstream, &[])
    }

    /// The same, with more flags.
    pub(crate) fn with(upstream: SocketAddr, flags: &[String]) -> Self {
        Self::of("keepproxy", upstream, flags)
    }

    /// The front of another service.
    pub(crate) fn of(service: &str, upstream: SocketAddr, flags: &[String]) -> Self {
        let folder = tempfile::Builder::new().prefix("front ").tempdir().unwrap();
        let certificate = Certificate::create(folder.path());
        let at = |name| folder.path().join(name).display().to_string();
        let mut arguments = vec![
            format!("-certificate={}", at("server.pem")),
            format!("-key={}", at("server.key")),
            format!("-access-log={}", at("access.log")),
            format!("-{service}={upstream}"),
        ];
        arguments.extend_from_slice(flags);
        let front = Service::start("front", &[&format!("{service}-ssl")], &arguments, &[]);
        Self { front, folder, certificate }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.front.addresses[0]
    }

    pub(crate) fn connect(&self) -> TlsStream {
        self.certificate.connect(self.address())
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        let mut stream = self.connect();
        stream.write_all(&head(method, path, headers, body.len())).unwrap();
        // A server may refuse before it has read all.
        let _ = stream.write_all(body).and_then(|()| stream.flush());
        receive(&mut stream, method)
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// The access log once it has this many lines.
    pub(crate) fn log(&self, lines: usize) -> String {
        wait_until("the access log has its lines", || {
            let text = std::fs::read_to_string(self.log_file()).ok()?;
            (text.lines().count() >= lines).then_some(text)
        })
    }
}
