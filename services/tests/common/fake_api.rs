//! An API server that knows just what a test tells it, over TLS as clients insist.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// What the server knows. A test may change it at any time.
#[derive(Default)]
pub(crate) struct Known {
    /// Tokens of users.
    pub(crate) tokens: BTreeSet<String>,
    /// Tokens of shared links, which are good for no user.
    pub(crate) shared: BTreeSet<String>,
    /// Where the keepstores are; each one's number makes its uuid.
    pub(crate) keepstores: Vec<SocketAddr>,
    /// Whether it fails to list them.
    pub(crate) lists_nothing: bool,
    /// Repositories: name and uuid.
    pub(crate) repositories: BTreeMap<String, String>,
    /// The token that may change repositories.
    pub(crate) writer: String,
}

/// A running server; it ends with the test's process.
pub(crate) struct FakeApi {
    pub(crate) known: Arc<Mutex<Known>>,
    address: SocketAddr,
    authorities: tempfile::NamedTempFile,
}

impl FakeApi {
    /// Starts a server that knows the token `good`.
    pub(crate) fn start() -> Self {
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let mut authorities = tempfile::NamedTempFile::new().unwrap();
        authorities.write_all(made.cert.pem().as_bytes()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(made.cert)], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let known = Arc::new(Mutex::new(Known::default()));
        known.lock().unwrap().tokens.insert("good".to_owned());
        let (config, shared) = (Arc::new(config), Arc::clone(&known));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, known) = (Arc::clone(&config), Arc::clone(&shared));
                std::thread::spawn(move || converse(stream.unwrap(), config, &known));
            }
        });
        Self { known, address, authorities }
    }

    /// The environment of a service that uses this server.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ARVADOS_API_HOST", format!("localhost:{}", self.address.port())),
            ("ARVADOS_API_TOKEN", "good".to_owned()),
            ("SSL_CERT_FILE", self.authorities.path().display().to_string()),
        ]
    }
}

fn converse(stream: TcpStream, config: Arc<ServerConfig>, known: &Mutex<Known>) {
    let tls = ServerConnection::new(config).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(tls, stream));
    while let Some((request, token, body)) = read_request(&mut stream) {
        let (status, answer) = answer(&known.lock().unwrap(), &request, &token, &body);
        let mut text = answer.to_string();
        let length = text.len();
        if request.starts_with("HEAD ") {
            text.clear();
        }
        let reply = format!("HTTP/1.1 {status} Any\r\nContent-Length: {length}\r\n\r\n{text}");
        if stream.get_mut().write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// Request line, token and body of the next request, unless the client is gone.
fn read_request(stream: &mut impl BufRead) -> Option<(String, String, Vec<u8>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let mut found = lines.iter().filter_map(|line| line.split_once(": "));
        found.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let token = header("authorization")?.rsplit(' ').next()?.to_owned();
    let mut body = vec![0; header("content-length").unwrap_or("0").parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    Some((lines[0].clone(), token, body))
}

fn answer(known: &Known, request: &str, token: &str, body: &[u8]) -> (u16, Value) {
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_shared = known.shared.contains(token);
    if !is_shared && !known.tokens.contains(token) {
        return (401, json!({ "errors": ["Not logged in"] }));
    }
    match (method, path.strip_prefix("/arvados/v1/").unwrap()) {
        ("HEAD", "users/current") if !is_shared => (200, json!({})),
        ("GET", "keep_services/accessible") if known.lists_nothing => (503, json!({})),
        ("GET" | "HEAD", "keep_services/accessible") => (200, keep_services(&known.keepstores)),
        ("GET", "repositories") => {
            let filters = form_urlencoded::parse(query.as_bytes()).next().unwrap().1;
            let filters: Value = serde_json::from_str(&filters).unwrap();
            let (attribute, wanted) = (&filters[0][0], &filters[0][2]);
            let is_wanted = |(name, uuid): &(&String, &String)| match attribute.as_str() {
                Some("uuid") => wanted == uuid.as_str(),
                _ => wanted == name.as_str(),
            };
            let found = known.repositories.iter().filter(is_wanted);
            let items: Vec<_> = found.map(|(_, uuid)| json!({ "uuid": uuid })).collect();
            (200, json!({ "items": items }))
        }
        ("PUT", _) if token == known.writer => {
            let change: Value = serde_json::from_slice(body).unwrap();
            assert!(change["repository"]["modified_at"].is_string());
            (200, json!({}))
        }
        _ => (403, json!({ "errors": ["Forbidden"] })),
    }
}

fn keep_services(addresses: &[SocketAddr]) -> Value {
    let service = |(number, address): (usize, &SocketAddr)| {
        json!({
            "uuid": format!("zzzzz-bi6l4-{number:015}"),
            "service_host": address.ip(),
            "service_port": address.port(),
            "service_ssl_flag": false,
            "service_type": "disk",
        })
    };
    let items: Vec<_> = addresses.iter().enumerate().map(service).collect();
    json!({ "items": items })
}
