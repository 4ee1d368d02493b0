//! keepproxy over real sockets, before real keepstores and an API server made up here.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "../common/fake_api.rs"]
mod fake_api;
#[path = "../common/http.rs"]
mod http;
#[path = "../common/memory.rs"]
mod memory;
#[path = "../common/service.rs"]
mod service;
#[path = "../common/waiting.rs"]
mod waiting;

mod clients;
mod faults;
mod memory_use;
mod starting;

use std::io::Write;

use fake_api::FakeApi;
use http::{Reply, connect, receive};
use md5::{Digest, Md5};
use service::Service;
use waiting::wait_until;

const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8";
const GOOD: &str = "Authorization: OAuth2 good";

struct Keepstore {
    service: Service,
    volume: tempfile::TempDir,
}

impl Keepstore {
    /// Its data manager has the token `good`.
    fn start(era: &str) -> Self {
        let volume = tempfile::tempdir().unwrap();
        let at = format!("-volume={}", volume.path().display());
        let token = volume.path().join("token");
        std::fs::write(&token, "good").unwrap();
        let manager = format!("-data-manager-token-file={}", token.display());
        let arguments = [format!("-era={era}"), at, manager];
        let service = Service::start("keepstore", &["keepstore"], &arguments, &[]);
        Self { service, volume }
    }

    /// Has the one storage class `class`.
    fn with_class(class: &str) -> Self {
        let volume = tempfile::tempdir().unwrap();
        let config = volume.path().join("config.yml");
        let text = format!(
            "
Clusters:
  zzzzz:
    Services: {{Keepstore: {{InternalURLs: {{'http://127.0.0.1:0': {{}}}}}}}}
    Collections: {{BlobSigning: false}}
    Volumes:
      zzzzz-nyw5e-000000000000000:
        StorageClasses: {{{class}: true}}
        DriverParameters: {{Root: {}}}
",
            volume.path().display()
        );
        std::fs::write(&config, text).unwrap();
        let arguments = [format!("-config={}", config.display())];
        let service = Service::start("keepstore", &["keepstore"], &arguments, &[]);
        Self { service, volume }
    }

    fn has(&self, hash: &str) -> bool {
        self.volume.path().join(&hash[..3]).join(hash).exists()
    }
}

struct Cluster {
    api: FakeApi,
    keepstores: Vec<Keepstore>,
    proxy: Service,
}

impl Cluster {
    fn start(era: &str, keepstores: usize, more: &[&str]) -> Self {
        let keepstores: Vec<_> = (0..keepstores).map(|_| Keepstore::start(era)).collect();
        let api = FakeApi::start();
        let mut arguments = vec![format!("-era={era}")];
        arguments.extend(more.iter().map(ToString::to_string));
        let proxy = Service::start("keepproxy", &["keepproxy"], &arguments, &api.environment());
        let cluster = Self { api, keepstores, proxy };
        cluster.register();
        cluster
    }

    /// Has the API server list the keepstores of now.
    fn register(&self) {
        let addresses = self.keepstores.iter().map(|keepstore| keepstore.service.addresses[0]);
        self.api.known.lock().unwrap().keepstores = addresses.collect();
    }

    fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        http::send(self.proxy.addresses[0], method, path, headers, body)
    }

    fn copies(&self, hash: &str) -> usize {
        self.keepstores.iter().filter(|keepstore| keepstore.has(hash)).count()
    }
}

#[test]
fn a_block_is_written_twice_and_read_again() {
    for era in ["2015", "current"] {
        let cluster = Cluster::start(era, 3, &[]);
        let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo");
        assert_eq!((put.status, put.text()), (200, &*format!("{FOO}+3")));
        assert_eq!(put.header("x-keep-replicas-stored"), Some("2"));
        let classes = (era == "current").then_some("default=2");
        assert_eq!(put.header("x-keep-storage-classes-confirmed"), classes);
        assert_eq!(cluster.copies(FOO), 2);
        for path in [format!("/{FOO}"), format!("/{FOO}+3+K@zzzzz")] {
            let got = cluster.send("GET", &path, &["Authorization: Bearer good"], b"");
            assert_eq!((got.status, &*got.body), (200, &b"foo"[..]));
            assert_eq!(got.header("access-control-allow-origin"), Some("*"));
        }
        let looked = cluster.send("HEAD", &format!("/{FOO}+3"), &[GOOD], b"");
        assert_eq!((looked.status, looked.header("content-length")), (200, Some("3")));
        let posted = cluster.send("POST", "/", &[GOOD], b"bar");
        assert_eq!(posted.text(), "37b51d194a7513e45b56f6524f2d51f2+3");
    }
}

#[test]
fn the_wish_for_copies_counts_in_the_current_era() {
    for (era, wish, copies) in [("2015", "1", 2), ("current", "1", 1), ("current", "3", 3)] {
        let cluster = Cluster::start(era, 3, &[]);
        let wish = format!("X-Keep-Desired-Replicas: {wish}");
        let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD, &wish], b"foo");
        assert_eq!(put.header("x-keep-replicas-stored"), Some(&*copies.to_string()));
        assert_eq!(cluster.copies(FOO), copies);
    }
}

#[test]
fn a_large_block_goes_through_whole() {
    let cluster = Cluster::start("current", 2, &[]);
    let block: Vec<u8> = (0..64 << 20).map(|at: u32| (at >> 12) as u8).collect();
    let posted = cluster.send("POST", "/", &[GOOD], &block);
    assert_eq!(posted.status, 200, "{}", posted.text());
    let hash: String = Md5::digest(&block).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(posted.text(), format!("{hash}+67108864"));
    assert!(cluster.send("GET", &format!("/{}", posted.text()), &[GOOD], b"").body == block);
}

#[test]
fn refusals_are_those_of_the_program() {
    let cluster = Cluster::start("2015", 2, &[]);
    let bar = "37b51d194a7513e45b56f6524f2d51f2";
    let authorization = "Missing or invalid Authorization header\n";
    for (method, path, header, status, text) in [
        ("GET", format!("/{bar}"), "", 403, authorization),
        ("PUT", format!("/{FOO}"), "Authorization: OAuth2 bad", 403, authorization),
        ("GET", format!("/{bar}"), GOOD, 404, "Block not found\n"),
        ("GET", "/index".into(), GOOD, 400, "Bad request\n"),
        ("DELETE", format!("/{bar}"), GOOD, 400, "Bad request\n"),
        ("PUT", format!("/{bar}"), GOOD, 503, "Could not write sufficient replicas\n"),
        ("PUT", format!("/{FOO}+3"), GOOD, 503, "Could not write sufficient replicas\n"),
        (
            "PUT",
            format!("/{FOO}+4"),
            GOOD,
            400,
            "Locator size hint does not match Content-Length header\n",
        ),
    ] {
        let body: &[u8] = if method == "PUT" { b"foo" } else { b"" };
        let reply = cluster.send(method, &path, &[header], body);
        assert_eq!((reply.status, reply.text()), (status, text), "{method} {path}");
    }
    let large = vec![0; (64 << 20) + 1];
    for (method, path) in [("PUT", &*format!("/{FOO}")), ("POST", "/")] {
        let refused = cluster.send(method, path, &[GOOD], &large);
        let text = "Exceeded maximum block size (67108864)\n";
        assert_eq!((refused.status, refused.text()), (413, text));
        assert_eq!(refused.header("x-keep-replicas-stored"), Some("0"));
    }
}

#[test]
fn a_body_of_unknown_length_is_refused() {
    let cluster = Cluster::start("current", 1, &[]);
    let mut stream = connect(cluster.proxy.addresses[0]);
    let request = String::from_utf8(http::head("POST", "/", &[GOOD], 0)).unwrap();
    let request = request.replace("Content-Length: 0", "Transfer-Encoding: chunked");
    stream.write_all(format!("{request}3\r\nfoo\r\n0\r\n\r\n").as_bytes()).unwrap();
    let refused = receive(&mut stream, "POST");
    assert_eq!((refused.status, refused.text()), (411, "Length Required\n"));
}

#[test]
fn a_direction_can_be_switched_off() {
    let cluster = Cluster::start("current", 1, &["-no-put"]);
    assert_eq!(cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo").status, 400);
    assert_eq!(cluster.send("GET", &format!("/{FOO}"), &[GOOD], b"").status, 404);
    // No web page needs to ask what it may store.
    for path in ["/".to_owned(), format!("/{FOO}")] {
        let asked = cluster.send("OPTIONS", &path, &[], b"");
        assert_eq!((asked.status, asked.text()), (400, "Bad request\n"));
        assert_eq!(asked.header("access-control-allow-origin"), None);
    }
    let cluster = Cluster::start("current", 1, &["-no-get"]);
    assert_eq!(cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo").status, 200);
    assert_eq!(cluster.send("GET", &format!("/{FOO}"), &[GOOD], b"").status, 400);
}

#[test]
fn one_copy_is_success_and_none_is_failure() {
    let mut cluster = Cluster::start("current", 2, &[]);
    cluster.keepstores[1].service.stop();
    let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo");
    assert_eq!((put.status, put.header("x-keep-replicas-stored")), (200, Some("1")));
    assert_eq!(cluster.send("GET", &format!("/{FOO}"), &[GOOD], b"").status, 200);
    cluster.keepstores[0].service.stop();
    assert_eq!(cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo").status, 503);
    // Today a client is told that it may try again; in 2015 the block was just not found.
    assert_eq!(cluster.send("GET", &format!("/{FOO}"), &[GOOD], b"").status, 502);
    let mut cluster = Cluster::start("2015", 1, &[]);
    cluster.keepstores[0].service.stop();
    assert_eq!(cluster.send("GET", &format!("/{FOO}"), &[GOOD], b"").status, 404);
}

#[test]
fn keepstores_that_were_replaced_are_found_at_once() {
    let mut cluster = Cluster::start("current", 2, &[]);
    cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo");
    cluster.keepstores = vec![Keepstore::start("current"), Keepstore::start("current")];
    cluster.register();
    let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo");
    assert_eq!((put.status, put.header("x-keep-replicas-stored")), (200, Some("2")));
    assert_eq!(cluster.copies(FOO), 2);
}

#[test]
fn a_revoked_token_is_noticed_and_a_refusal_not_remembered() {
    let cluster = Cluster::start("current", 1, &[]);
    let get = || cluster.send("GET", &format!("/{FOO}"), &[GOOD], b"").status;
    assert_eq!(get(), 404);
    cluster.api.known.lock().unwrap().tokens.clear();
    wait_until("the token is refused", || (get() == 403).then_some(()));
    cluster.api.known.lock().unwrap().tokens.insert("good".to_owned());
    assert_eq!(get(), 404);
}

#[test]
fn without_an_api_server_it_still_answers() {
    let environment = [
        ("ARVADOS_API_HOST", "127.0.0.1:9".to_owned()),
        ("ARVADOS_API_HOST_INSECURE", "true".to_owned()),
        ("ARVADOS_API_TOKEN", "any".to_owned()),
    ];
    let proxy = Service::start("keepproxy", &["keepproxy"], &[], &environment);
    let send = |method, path| http::send(proxy.addresses[0], method, path, &[GOOD], b"").status;
    assert_eq!(send("OPTIONS", "/"), 200);
    assert_eq!(send("GET", &format!("/{FOO}")), 403);
}
