//! keepstore over real sockets, in both eras.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "../common/descriptors.rs"]
mod descriptors;
#[path = "../common/http.rs"]
mod http;
#[path = "../common/service.rs"]
mod service;
#[path = "../common/waiting.rs"]
mod waiting;

mod connections;
mod flags;
mod maintenance;
mod volumes;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use http::{Reply, connect, head, receive, send};
use md5::{Digest, Md5};
use service::Service;
use sha1::Sha1;

const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8";
const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";
const MANAGER: &str = "Authorization: OAuth2 manager-token";
const ERAS: [&str; 2] = ["2015", "current"];

struct Keepstore {
    service: Service,
    folder: tempfile::TempDir,
}

impl Keepstore {
    fn start(era: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let volume = folder.path().join("volume");
        std::fs::create_dir(&volume).unwrap();
        std::fs::write(folder.path().join("key"), "  secret\n").unwrap();
        std::fs::write(folder.path().join("manager"), "manager-token\n").unwrap();
        let mut arguments = vec![format!("-era={era}"), format!("-volume={}", volume.display())];
        let at = folder.path().display().to_string();
        arguments.extend(more.iter().map(|argument| argument.replace("FOLDER", &at)));
        let service = Service::start("keepstore", &["keepstore"], &arguments, &[]);
        Self { service, folder }
    }

    fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        send(self.service.addresses[0], method, path, headers, body)
    }

    fn volume(&self) -> PathBuf {
        self.folder.path().join("volume")
    }

    fn status(&self) -> serde_json::Value {
        serde_json::from_slice(&self.send("GET", "/status.json", &[], b"").body).unwrap()
    }
}

/// Asks again until it is so.
fn wait_until(mut condition: impl FnMut() -> bool) {
    waiting::wait_until("what the test waits for", || condition().then_some(()));
}

fn hash_of(content: &[u8]) -> String {
    Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn a_block_that_was_put_is_read_again() {
    for era in ERAS {
        let keepstore = Keepstore::start(era, &[]);
        let put = keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
        assert_eq!((put.status, put.text()), (200, &*format!("{FOO}+3\n")));
        let confirmed = (era == "current").then_some("1");
        assert_eq!(put.header("x-keep-replicas-stored"), confirmed);
        let confirmed = (era == "current").then_some("default=1");
        assert_eq!(put.header("x-keep-storage-classes-confirmed"), confirmed);
        for path in [format!("/{FOO}"), format!("/{FOO}+3"), format!("/{FOO}+3+Kzzzzz")] {
            let got = keepstore.send("GET", &path, &[], b"");
            assert_eq!((got.status, &*got.body), (200, &b"foo"[..]));
            assert_eq!(got.header("content-type"), Some("application/octet-stream"));
            let vary = (era == "current").then_some("X-Keep-Signature");
            assert_eq!(got.header("vary"), vary);
        }
        let looked = keepstore.send("HEAD", &format!("/{FOO}+3"), &[], b"");
        assert_eq!((looked.status, looked.header("content-length")), (200, Some("3")));
        assert_eq!(files(&keepstore.volume()), [keepstore.volume().join("acb").join(FOO)]);
    }
}

#[test]
fn refusals_are_those_of_the_era() {
    let bar = format!("/{}", hash_of(b"bar"));
    for (era, cases) in [
        (
            "2015",
            [
                ("PUT", bar.clone(), 422, "Hash mismatch in request\n"),
                ("GET", bar.clone(), 404, "Not Found\n"),
                ("HEAD", bar.clone(), 404, ""),
                ("PUT", format!("/{FOO}+3"), 400, "Bad Request\n"),
                ("POST", format!("/{FOO}"), 400, "Bad Request\n"),
                ("GET", "/../etc/passwd".into(), 400, "Bad Request\n"),
                ("DELETE", bar.clone(), 403, "Forbidden\n"),
                ("GET", "/index".into(), 401, "Unauthorized\n"),
            ],
        ),
        (
            "current",
            [
                ("PUT", bar.clone(), 400, "content hash did not match specified locator\n"),
                ("GET", bar.clone(), 404, "file does not exist\n"),
                ("HEAD", bar.clone(), 404, ""),
                ("PUT", format!("/{FOO}+3+Kzzzzz"), 200, &*format!("{FOO}+3\n")),
                ("POST", format!("/{FOO}"), 400, "Bad Request\n"),
                ("GET", "/%2e%2e/etc/passwd".into(), 400, "Bad Request\n"),
                ("DELETE", bar.clone(), 401, "unauthorized\n"),
                ("GET", "/index".into(), 401, "unauthorized\n"),
            ],
        ),
    ] {
        let keepstore = Keepstore::start(era, &[]);
        for (method, path, status, text) in cases {
            let body: &[u8] = if method.starts_with('P') { b"foo" } else { b"" };
            let reply = keepstore.send(method, &path, &[], body);
            assert_eq!((reply.status, reply.text()), (status, text), "{era} {method} {path}");
        }
    }
}

#[test]
fn a_body_of_unknown_length_is_refused() {
    let keepstore = Keepstore::start("2015", &[]);
    let mut stream = connect(keepstore.service.addresses[0]);
    let request = format!("PUT /{FOO} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream.write_all(b"3\r\nfoo\r\n0\r\n\r\n").unwrap();
    let reply = receive(&mut stream, "PUT");
    assert_eq!((reply.status, reply.text()), (411, "Missing Content-Length\n"));
}

#[test]
fn a_body_of_unknown_length_is_taken_today_if_it_is_no_longer_than_a_block() {
    let keepstore = Keepstore::start("current", &[]);
    let chunked = |body: &[u8]| {
        let hash = hash_of(body);
        let mut stream = connect(keepstore.service.addresses[0]);
        let head = format!("PUT /{hash} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        for piece in body.chunks(1 << 20) {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).unwrap();
            stream.write_all(piece).unwrap();
            stream.write_all(b"\r\n").unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        receive(&mut stream, "PUT")
    };
    assert_eq!(chunked(b"foo").text(), format!("{FOO}+3\n"));
    let mut block = vec![5; 64 << 20];
    assert_eq!(chunked(&block).text(), format!("{}+67108864\n", hash_of(&block)));
    block.push(5);
    assert_eq!(chunked(&block).status, 413);
}

#[test]
fn reading_needs_the_callers_own_signature_where_it_is_enforced() {
    let enforced = ["-blob-signing-key-file=FOLDER/key", "-enforce-permissions"];
    for (era, [none, wrong, expired]) in [("2015", [403, 403, 401]), ("current", [401, 400, 401])] {
        let keepstore = Keepstore::start(era, &enforced);
        for token in ["Authorization: OAuth2 abc", "Authorization: Bearer abc"] {
            let put = keepstore.send("PUT", &format!("/{FOO}"), &[token], b"foo");
            let signed = format!("/{}", put.text().trim());
            assert!(signed.starts_with(&format!("/{FOO}+3+A")), "{signed}");
            let get = |path: &str, header| {
                let [got, looked] = ["GET", "HEAD"]
                    .map(|method| keepstore.send(method, path, &[header], b"").status);
                assert_eq!(got, looked, "HEAD {path}");
                got
            };
            assert_eq!(get(&signed, token), 200);
            let hint = signed.split_once("+3").unwrap().1;
            for order in [format!("+3+Kzzzzz{hint}"), format!("{hint}+3"), hint.to_owned()] {
                assert_eq!(get(&format!("/{FOO}{order}"), token), 200, "{order}");
            }
            assert_eq!(get(&signed, ""), none);
            assert_eq!(get(&signed, "Authorization: OAuth2 other"), wrong);
            assert_eq!(get(&format!("/{FOO}+3"), token), wrong);
            assert_eq!(get(&format!("/{EMPTY}+0"), token), wrong);
            assert_eq!(get(&signed_with("secret", "00000001"), token), expired);
        }
        let put = keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
        assert_eq!(put.text(), format!("{FOO}+3\n"));
    }
}

/// The path of `foo` with a signature of the old form for the token `abc`.
fn signed_with(key: &str, expiry: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{FOO}@abc@{expiry}").as_bytes());
    let mac: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/{FOO}+3+A{mac}@{expiry}")
}

#[test]
fn white_space_around_the_key_in_its_file_is_not_of_the_key() {
    for (era, wrong) in [("2015", 403), ("current", 400)] {
        let enforced = ["-permission-key-file=FOLDER/key", "-enforce-permissions"];
        let keepstore = Keepstore::start(era, &enforced);
        keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
        let file = std::fs::read_to_string(keepstore.folder.path().join("key")).unwrap();
        assert_ne!(file, file.trim());
        for (key, status) in [(file.trim(), 200), (&file, wrong)] {
            let token = "Authorization: OAuth2 abc";
            let got = keepstore.send("GET", &signed_with(key, "7fffffff"), &[token], b"");
            assert_eq!(got.status, status, "{era} {key:?}");
        }
    }
}

#[test]
fn a_browser_is_told_what_it_may_do_in_the_current_era() {
    let keepstore = Keepstore::start("current", &[]);
    let reply = keepstore.send("OPTIONS", &format!("/{FOO}"), &[], b"");
    assert_eq!((reply.status, reply.text()), (200, ""));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let old = Keepstore::start("2015", &[]);
    let reply = old.send("OPTIONS", &format!("/{FOO}"), &[], b"");
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (400, None));
}

#[test]
fn a_size_in_a_locator_has_to_be_right_today() {
    for (era, status) in [("2015", 200), ("current", 502)] {
        let keepstore = Keepstore::start(era, &[]);
        keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
        assert_eq!(keepstore.send("GET", &format!("/{FOO}+4"), &[], b"").status, status);
        assert_eq!(keepstore.send("GET", &format!("/{FOO}+3"), &[], b"").status, 200);
    }
}

#[test]
fn what_does_not_matter_is_ignored() {
    for era in ERAS {
        let keepstore = Keepstore::start(era, &[]);
        let wrong = "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==";
        assert_eq!(keepstore.send("PUT", &format!("/{FOO}"), &[wrong], b"foo").status, 200);
        let ranged = keepstore.send("GET", &format!("/{FOO}"), &["Range: bytes=1-1"], b"");
        assert_eq!((ranged.status, ranged.text()), (200, "foo"));
        let upper = keepstore.send("GET", &format!("/{}", FOO.to_uppercase()), &[], b"");
        assert_eq!(upper.status, 400);
        let put = keepstore.send("PUT", &format!("/{EMPTY}"), &[], b"");
        assert_eq!((put.status, put.text()), (200, &*format!("{EMPTY}+0\n")));
        let got = keepstore.send("GET", &format!("/{EMPTY}+0"), &[], b"");
        assert_eq!((got.status, got.header("content-length")), (200, Some("0")));
    }
}

#[test]
fn a_locator_of_another_cluster_is_signed_anew_for_who_asks() {
    let keepstore =
        Keepstore::start("current", &["-blob-signing-key-file=FOLDER/key", "-enforce-permissions"]);
    let token = "Authorization: Bearer abc";
    let put = keepstore.send("PUT", &format!("/{FOO}"), &[token], b"foo");
    let remote = format!("/{}", put.text().trim().replace("+A", "+Rzzzzz-"));
    let wish = "X-Keep-Signature: local, 2026-01-01T00:00:00Z";
    let looked = keepstore.send("HEAD", &remote, &[token, wish], b"");
    let local = looked.header("x-keep-locator").unwrap();
    assert!(local.starts_with(&format!("{FOO}+3+A")), "{local}");
    assert_eq!(keepstore.send("GET", &format!("/{local}"), &[token], b"").text(), "foo");
    let unasked = keepstore.send("HEAD", &remote, &[token], b"");
    assert_eq!((unasked.status, unasked.header("x-keep-locator")), (200, None));
    let forged = format!("/{FOO}+3+Rzzzzz-{}@7fffffff", "0".repeat(40));
    assert_eq!(keepstore.send("HEAD", &forged, &[token, wish], b"").status, 400);
}
