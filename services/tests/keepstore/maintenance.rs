//! What the data manager does: listing, fetching and deleting blocks.

use std::time::{Duration, SystemTime};

use super::*;

const OTHER: &str = "Authorization: OAuth2 other-token";
const WITH_MANAGER: &str = "-data-manager-token-file=FOLDER/manager";
const BAR: &str = "37b51d194a7513e45b56f6524f2d51f2";

impl Keepstore {
    /// Stores `foo`, as of so many seconds after the beginning of Unix time.
    fn put_old_foo(&self, seconds: u64) {
        assert_eq!(self.send("PUT", &format!("/{FOO}"), &[], b"foo").status, 200);
        let file = std::fs::File::options().write(true).open(self.foo()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    }

    fn foo(&self) -> PathBuf {
        self.volume().join("acb").join(FOO)
    }

    /// Hands in a list, and waits until it is done.
    fn trash(&self, list: &serde_json::Value) {
        let reply = self.send("PUT", "/trash", &[MANAGER], list.to_string().as_bytes());
        assert_eq!(reply.status, 200);
        let idle = serde_json::json!({"InProgress": 0, "Queued": 0});
        wait_until(|| self.status()["TrashQueue"] == idle);
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
        assert_eq!(put(path, MANAGER, "nonsense"), (400, "Bad Request\n".to_owned()));
    }
    let idle = serde_json::json!({"InProgress": 0, "Queued": 0});
    wait_until(|| keepstore.status()["TrashQueue"] == idle);
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
    wait_until(|| without.status()["PullQueue"] == idle);
    let found = files(&without.volume());
    assert_eq!(found, [without.volume().join("acb").join(FOO)]);
}

#[test]
fn a_list_deletes_old_blocks_that_were_not_stored_again() {
    for (era, unit) in [("2015", 1_u64), ("current", 1_000_000_000)] {
        let keepstore =
            Keepstore::start(era, &[WITH_MANAGER, "-never-delete=false", "-trash-lifetime=0"]);
        let trash = |time: u64| {
            keepstore.trash(&serde_json::json!([{"locator": FOO, "block_mtime": time * unit}]));
        };
        keepstore.put_old_foo(1000);
        trash(999);
        assert!(keepstore.foo().exists(), "it was stored at another time");
        trash(1000);
        assert!(!keepstore.foo().exists());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        keepstore.put_old_foo(now - 60);
        trash(now - 60);
        assert!(keepstore.foo().exists(), "signatures for it may be about");
    }
}

#[test]
fn a_deleted_block_can_be_taken_out_of_the_trash_today() {
    let keepstore = Keepstore::start("current", &[WITH_MANAGER]);
    keepstore.put_old_foo(1000);
    let mounts = keepstore.send("GET", "/mounts", &[MANAGER], b"");
    let mounts: serde_json::Value = serde_json::from_slice(&mounts.body).unwrap();
    let uuid = mounts[0]["uuid"].as_str().unwrap();
    assert_eq!(mounts[0]["allow_trash"], true);
    assert_eq!(mounts[0]["storage_classes"], serde_json::json!({"default": true}));
    let blocks = format!("/mounts/{uuid}/blocks");
    let listed = |path: &str| keepstore.send("GET", path, &[MANAGER], b"").text().to_owned();
    let line = format!("{FOO}+3 1000000000000\n\n");
    assert_eq!(listed(&blocks), line);
    assert_eq!(listed(&format!("{blocks}/acb")), line);
    assert_eq!(listed(&format!("{blocks}?prefix=fff")), "\n");
    let of = |mount: &str| serde_json::json!([{"locator": format!("{FOO}+3"), "block_mtime": 1_000_000_000_000_u64, "mount_uuid": mount}]);
    keepstore.trash(&of("zzzzz-nyw5e-nosuchmount0000"));
    assert!(keepstore.foo().exists());
    keepstore.trash(&of(uuid));
    assert!(!keepstore.foo().exists());
    assert_eq!(listed(&blocks), "\n");
    let undelete = |hash: &str| keepstore.send("PUT", &format!("/untrash/{hash}"), &[MANAGER], b"");
    assert_eq!(undelete(BAR).status, 404);
    assert_eq!(undelete(FOO).status, 200);
    assert_eq!(keepstore.send("GET", &format!("/{FOO}+3"), &[], b"").text(), "foo");
    let touch = |hash: &str| keepstore.send("TOUCH", &format!("/{hash}"), &[MANAGER], b"").status;
    assert_eq!([touch(BAR), touch(FOO)], [404, 200]);
    assert_ne!(listed(&blocks), line);
}

#[test]
fn what_can_no_longer_be_taken_out_of_the_trash_is_removed() {
    let sweeping = [WITH_MANAGER, "-trash-lifetime=1", "-trash-check-interval=1"];
    let keepstore = Keepstore::start("current", &sweeping);
    keepstore.put_old_foo(1000);
    assert_eq!(keepstore.send("DELETE", &format!("/{FOO}"), &[MANAGER], b"").status, 200);
    let [over, not_yet] =
        ["trash.1", "trash.99999999999"].map(|it| keepstore.foo().with_extension(it));
    std::fs::write(&not_yet, "foo").unwrap();
    std::fs::write(&over, "foo").unwrap();
    wait_until(|| files(&keepstore.volume()) == [&*not_yet]);
    std::fs::remove_file(not_yet).unwrap();
    let undelete = keepstore.send("PUT", &format!("/untrash/{FOO}"), &[MANAGER], b"");
    assert_eq!(undelete.status, 404);
}

#[test]
fn one_block_is_deleted_by_name() {
    let flags = [WITH_MANAGER, "-never-delete=false"];
    let keepstore = Keepstore::start("2015", &flags);
    keepstore.put_old_foo(1000);
    let delete = || keepstore.send("DELETE", &format!("/{FOO}"), &[MANAGER], b"");
    assert_eq!(delete().text(), r#"{"copies_deleted":1,"copies_failed":0}"#);
    assert!(!keepstore.foo().exists());
    assert_eq!(delete().status, 404);
    let keepstore = Keepstore::start("current", &flags);
    keepstore.put_old_foo(1000);
    let delete = || keepstore.send("DELETE", &format!("/{FOO}+3"), &[MANAGER], b"");
    assert_eq!((delete().status, keepstore.foo().exists()), (200, false));
    let again = delete();
    assert_eq!((again.status, again.text()), (404, "file does not exist\n"));
}

#[test]
fn another_token_is_refused_as_the_era_does() {
    for (era, [index, delete]) in [("2015", [401, 403]), ("current", [403, 403])] {
        let keepstore = Keepstore::start(era, &[WITH_MANAGER]);
        let status = |method, path: &str| keepstore.send(method, path, &[OTHER], b"").status;
        assert_eq!([status("GET", "/index"), status("PUT", "/pull")], [index; 2]);
        assert_eq!(status("DELETE", &format!("/{FOO}")), delete);
    }
}
