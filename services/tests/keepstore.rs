//! keepstore over real sockets, in both eras.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "common/http.rs"]
mod http;
#[path = "common/service.rs"]
mod service;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

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
                ("PUT", bar.clone(), 400, "content does not match the hash in the request\n"),
                ("GET", bar.clone(), 404, "block not found\n"),
                ("HEAD", bar.clone(), 404, ""),
                ("PUT", format!("/{FOO}+3+Kzzzzz"), 200, &*format!("{FOO}+3\n")),
                ("POST", format!("/{FOO}"), 400, "Bad Request\n"),
                ("GET", "/%2e%2e/etc/passwd".into(), 400, "Bad Request\n"),
                ("DELETE", bar.clone(), 403, "Forbidden\n"),
                ("GET", "/index".into(), 401, "Unauthorized\n"),
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
fn the_largest_block_is_stored_and_one_byte_more_is_refused_before_it_is_read() {
    let keepstore = Keepstore::start("current", &["-max-buffers=1"]);
    let mut block = vec![7; 64 << 20];
    let path = format!("/{}", hash_of(&block));
    assert_eq!(keepstore.send("PUT", &path, &[], &block).status, 200);
    assert!(keepstore.send("GET", &path, &[], b"").body == block);
    block.push(7);
    let refused = keepstore.send("PUT", &path, &[], &block);
    assert_eq!((refused.status, refused.text()), (413, "request entity too large\n"));
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
fn an_interrupted_put_leaves_nothing() {
    let keepstore = Keepstore::start("current", &[]);
    let mut stream = connect(keepstore.service.addresses[0]);
    stream.write_all(&head("PUT", &format!("/{FOO}"), &[], 3)).unwrap();
    stream.write_all(b"fo").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    assert_eq!(files(&keepstore.volume()), Vec::<PathBuf>::new());
    assert_eq!(keepstore.send("GET", &format!("/{FOO}"), &[], b"").status, 404);
}

#[test]
fn a_buffer_is_taken_while_a_block_comes_in_and_given_back() {
    let keepstore = Keepstore::start("current", &[]);
    let mut stream = connect(keepstore.service.addresses[0]);
    stream.write_all(&head("PUT", &format!("/{FOO}"), &[], 3)).unwrap();
    stream.write_all(b"fo").unwrap();
    assert!((0..10_000).any(|_| keepstore.status()["BufferPool"]["BuffersInUse"] == 1));
    stream.write_all(b"o").unwrap();
    assert_eq!(receive(&mut stream, "PUT").status, 200);
    assert_eq!(keepstore.status()["BufferPool"]["BuffersInUse"], 0);
}

#[test]
fn a_corrupt_block_is_not_served_and_a_good_put_repairs_it() {
    for (era, status, text) in [
        ("2015", 500, "Hash mismatch in stored data\n"),
        ("current", 502, "checksum mismatch in stored data\n"),
    ] {
        let keepstore = Keepstore::start(era, &[]);
        let path = format!("/{FOO}");
        keepstore.send("PUT", &path, &[], b"foo");
        std::fs::write(keepstore.volume().join("acb").join(FOO), "fox").unwrap();
        let reply = keepstore.send("GET", &path, &[], b"");
        assert_eq!((reply.status, reply.text()), (status, text));
        assert_eq!(keepstore.send("PUT", &path, &[], b"foo").status, 200);
        assert_eq!(keepstore.send("GET", &path, &[], b"").body, b"foo");
    }
}

#[test]
fn other_content_with_the_same_hash_is_a_collision() {
    // Two blocks of one MD5 (Wang and others, 2004), that differ in six bytes.
    let first = "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89\
                 55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b\
                 d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0\
                 e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70";
    let mut one: Vec<u8> = (0..first.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&first[at..at + 2], 16).unwrap())
        .collect();
    let keepstore = Keepstore::start("2015", &[]);
    let path = format!("/{}", hash_of(&one));
    assert_eq!(keepstore.send("PUT", &path, &[], &one).status, 200);
    for at in [19, 45, 59, 83, 109, 123] {
        one[at] ^= 0x80;
    }
    assert_eq!(path, format!("/{}", hash_of(&one)));
    let reply = keepstore.send("PUT", &path, &[], &one);
    assert_eq!((reply.status, reply.text()), (500, "Collision\n"));
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
            let get = |path: &str, header| keepstore.send("GET", path, &[header], b"").status;
            assert_eq!(get(&signed, token), 200);
            assert_eq!(get(&signed, ""), none);
            assert_eq!(get(&signed, "Authorization: OAuth2 other"), wrong);
            assert_eq!(get(&format!("/{FOO}+3"), token), wrong);
            assert_eq!(get(&format!("/{EMPTY}+0"), token), wrong);
            let mut mac = Hmac::<Sha1>::new_from_slice(b"secret").unwrap();
            mac.update(format!("{FOO}@abc@00000001").as_bytes());
            let mac: String =
                mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(get(&format!("/{FOO}+3+A{mac}@00000001"), token), expired);
        }
        let put = keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
        assert_eq!(put.text(), format!("{FOO}+3\n"));
    }
}

#[test]
fn the_data_manager_lists_blocks_and_still_deletes_none() {
    let keepstore = Keepstore::start("2015", &["-data-manager-token-file=FOLDER/manager"]);
    keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
    let index = keepstore.send("GET", "/index", &[MANAGER], b"");
    let lines: Vec<_> = index.text().split('\n').collect();
    assert!(lines[0].starts_with(&format!("{FOO}+3 1")), "{lines:?}");
    assert_eq!(lines[1..], ["", ""]);
    assert_eq!(keepstore.send("GET", "/index/fff", &[MANAGER], b"").text(), "\n");
    let reply = keepstore.send("DELETE", &format!("/{FOO}"), &[MANAGER], b"");
    assert_eq!((reply.status, reply.text()), (405, "Method disabled\n"));
    assert_eq!(keepstore.send("GET", &format!("/{FOO}"), &[], b"").status, 200);
}

#[test]
fn lists_are_taken_from_the_data_manager_only() {
    let keepstore = Keepstore::start("2015", &["-data-manager-token-file=FOLDER/manager"]);
    keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
    let put = |path: &str, header: &str, body: &str| {
        let reply = keepstore.send("PUT", path, &[header], body.as_bytes());
        (reply.status, reply.text().to_owned())
    };
    let trash = format!(r#"[{{"locator": "{FOO}+3", "block_mtime": 1}}, {{"locator": "x"}}]"#);
    let received = |text: &str| (200, format!("Received {text} requests\n"));
    assert_eq!(put("/trash", MANAGER, &trash), received("2 trash"));
    assert_eq!(put("/pull", MANAGER, "[]"), received("0 pull"));
    for path in ["/pull", "/trash"] {
        assert_eq!(put(path, "", &trash), (401, "Unauthorized\n".to_owned()));
        assert_eq!(put(path, MANAGER, "[{}]"), (400, "Bad Request\n".to_owned()));
        assert_eq!(put(path, MANAGER, "nonsense"), (400, "Bad Request\n".to_owned()));
    }
    let idle = serde_json::json!({"InProgress": 0, "Queued": 0});
    assert!((0..10_000).any(|_| keepstore.status()["TrashQueue"] == idle));
    assert_eq!(keepstore.send("GET", &format!("/{FOO}"), &[], b"").status, 200);
}

#[test]
fn a_block_is_pulled_from_a_keepstore_that_has_it() {
    let signed = ["-blob-signing-key-file=FOLDER/key", "-data-manager-token-file=FOLDER/manager"];
    let with = Keepstore::start("2015", &[&signed[..], &["-enforce-permissions"]].concat());
    let without = Keepstore::start("2015", &signed);
    with.send("PUT", &format!("/{FOO}"), &[], b"foo");
    let dead = "127.0.0.1:1";
    let server = format!("http://{}/", with.service.addresses[0]);
    let list = serde_json::json!([
        {"locator": format!("{EMPTY}+0"), "servers": [dead, server]},
        {"locator": format!("{FOO}+3"), "servers": [dead, server]},
    ]);
    let reply = without.send("PUT", "/pull", &[MANAGER], list.to_string().as_bytes());
    assert_eq!(reply.text(), "Received 2 pull requests\n");
    let idle = serde_json::json!({"InProgress": 0, "Queued": 0});
    assert!((0..10_000).any(|_| without.status()["PullQueue"] == idle));
    let found = files(&without.volume());
    assert_eq!(found, [without.volume().join("acb").join(FOO)]);
}

#[test]
fn status_tells_about_the_volumes() {
    let keepstore = Keepstore::start("current", &[]);
    let status = keepstore.status();
    let volume = &status["volumes"][0];
    assert_eq!(volume["mount_point"], keepstore.volume().to_str().unwrap());
    assert!(volume["bytes_free"].as_u64().unwrap() > 0);
    assert_eq!(status["BufferPool"]["BuffersMax"], 128);
    assert!(status["Memory"]["Alloc"].as_u64().unwrap() > 0);
}

#[test]
fn a_volume_may_be_emptied_or_removed_while_it_is_served() {
    let keepstore = Keepstore::start("current", &[]);
    let path = format!("/{FOO}");
    for _ in 0..3 {
        assert_eq!(keepstore.send("PUT", &path, &[], b"foo").status, 200);
        std::fs::remove_dir_all(keepstore.volume()).unwrap();
        assert_eq!(keepstore.send("GET", &path, &[], b"").status, 404);
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
fn the_pid_file_is_held_by_one_process_and_removed_at_its_end() {
    let mut keepstore = Keepstore::start("2015", &["-pid=FOLDER/pid"]);
    assert_eq!(keepstore.send("GET", "/status.json", &[], b"").status, 200);
    let pid_file = keepstore.folder.path().join("pid");
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    let second = Command::new(env!("CARGO_BIN_EXE_services"))
        .args(["keepstore", "-listen=127.0.0.1:0", "-volume=/"])
        .arg(format!("-pid={}", pid_file.display()))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("flock pidfile"));
    assert_eq!(std::fs::read_to_string(&pid_file).unwrap(), pid);
    assert_eq!(keepstore.service.stop(), Some(0));
    assert!(!pid_file.exists());
}

#[test]
fn a_log_on_a_full_disk_changes_no_exit_code() {
    let log = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut refused = Command::new(env!("CARGO_BIN_EXE_services"));
    refused.args(["keepstore", "-volume=relative"]).stderr(log);
    assert_eq!(refused.status().unwrap().code(), Some(1));
}
