//! A client that follows events over a websocket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};

use super::api_server::Server;

/// An open websocket.
pub(crate) struct Follower(WebSocket<StreamOwned<ClientConnection, TcpStream>>);

impl Follower {
    /// Connects with the token of the fixture `auth`, or without if that is empty.
    pub(crate) fn connect(server: &Server, auth: &str) -> Self {
        let token = match auth {
            "" => String::new(),
            auth => sdk_fixtures::auth_token(auth).unwrap(),
        };
        Self::with_token(server, &token)
    }

    /// Connects with `token`, of which an empty one is none.
    pub(crate) fn with_token(server: &Server, token: &str) -> Self {
        let url = server.url("/websocket").replace("https:", "wss:");
        let url = match token {
            "" => url,
            token => format!("{url}?api_token={token}"),
        };
        let (socket, _) = client(url, connect(server)).unwrap();
        Self(socket)
    }

    /// Says something, and returns the next message, which is the answer unless there are events.
    pub(crate) fn say(&mut self, message: &Value) -> Value {
        self.say_text(&message.to_string())
    }

    /// Says something to which the server may end the connection while it is still said.
    pub(crate) fn send_only(&mut self, message: &str) {
        // Whether it could all be sent is not for the client to know.
        let _ = self.0.send(Message::text(message));
    }

    /// The same as [`Self::say`] for any text.
    pub(crate) fn say_text(&mut self, message: &str) -> Value {
        self.0.send(Message::text(message)).unwrap();
        self.next().unwrap()
    }

    /// Subscribes to what passes `filters`.
    pub(crate) fn subscribe(&mut self, filters: &Value) {
        let answer = self.say(&json!({"method": "subscribe", "filters": filters}));
        assert_eq!(answer["status"], 200, "{answer}");
    }

    /// The next message; `None` when the server has closed the socket.
    pub(crate) fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(Error::ConnectionClosed) => return None,
                other => drop(other.unwrap()),
            }
        }
    }

    /// Reads until the connection is gone, in whatever way.
    pub(crate) fn wait_for_end(mut self) {
        while self.0.read().is_ok() {}
    }

    /// The next message, which is an event: its type and its object.
    pub(crate) fn event(&mut self) -> (String, String) {
        let event = self.next().unwrap();
        let [kind, object] = ["event_type", "object_uuid"].map(|name| event[name].as_str());
        assert!(object.is_some(), "{event}");
        (kind.unwrap().to_owned(), object.unwrap().to_owned())
    }
}

/// A TLS connection on which nothing takes for ever.
fn connect(server: &Server) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server.path("certificate.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address()).unwrap();
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&stream, Some(Duration::from_secs(60))).unwrap();
    }
    let name = "127.0.0.1".try_into().unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}
