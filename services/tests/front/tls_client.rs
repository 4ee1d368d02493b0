//! A client that speaks TLS, and trusts one certificate.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::http;

pub(crate) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A certificate for `localhost`, whose files are in a folder.
pub(crate) struct Certificate(CertificateDer<'static>);

impl Certificate {
    /// Makes one, with the files `server.pem` and `server.key`.
    pub(crate) fn create(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("server.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("server.key"), made.signing_key.serialize_pem()).unwrap();
        Self(made.cert.into())
    }

    /// A connection to who has it.
    pub(crate) fn connect(&self, address: SocketAddr) -> TlsStream {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "localhost".try_into().unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(tls, http::connect(address))
    }
}
