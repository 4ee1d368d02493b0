//! Collections made of parts of others.

use serde_json::{Value, json};

use super::api_server::{Answer, Server};
use super::{FOO_HASH, error_text};

const BAR_HASH: &str = "fa7aeb5140e2848d39b416daeef4ffc5+45";
const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8+3";
const BAR: &str = "37b51d194a7513e45b56f6524f2d51f2+3";
const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e+0";

fn create(server: &Server, auth: &str, body: &Value) -> Answer {
    server.call(auth, "POST", "/arvados/v1/collections", body)
}

/// The manifest of an answer, without signatures.
fn unsigned(answer: &Value) -> String {
    let text = answer["manifest_text"].as_str().unwrap();
    let words = text.split(' ').map(|word| word.split("+A").next().unwrap());
    words.collect::<Vec<_>>().join(" ")
}

/// A collection with `foo` of foo and `d/bar` of bar, made of both.
fn both(server: &Server, name: &str) -> String {
    let files = json!({"/foo": format!("{FOO_HASH}/foo"), "/d": format!("{BAR_HASH}/")});
    let body = json!({"collection": {"name": name}, "replace_files": files});
    let (status, made) = create(server, "active", &body);
    assert_eq!(status, 200, "{made}");
    assert_eq!(unsigned(&made), format!(". {FOO} 0:3:foo\n./d {BAR} 0:3:bar\n"));
    assert_eq!((&made["file_count"], &made["file_size_total"]), (&json!(2), &json!(6)));
    made["uuid"].as_str().unwrap().to_owned()
}

#[test]
fn files_and_folders_come_go_and_move() {
    let server = Server::start("current");
    let path = format!("/arvados/v1/collections/{}", both(&server, "both"));
    let change = |body: &Value| {
        let (status, changed) = server.call("active", "PUT", &path, body);
        assert_eq!(status, 200, "{changed}");
        unsigned(&changed)
    };
    let renamed = json!({"replace_files": {"/foo": "", "/new/foo": "current/foo"}});
    let expected = format!("./d {BAR} 0:3:bar\n./new {FOO} 0:3:foo\n");
    assert_eq!(change(&renamed), expected);
    let emptied = json!({"replace_files": {"/d/bar": ""}});
    let expected = format!("./d {EMPTY} 0:0:\\056\n./new {FOO} 0:3:foo\n");
    assert_eq!(change(&emptied), expected);
    // A parameter that is a text, as in a query.
    let text = json!({"replace_files": json!({"/": format!("{BAR_HASH}/")}).to_string()});
    assert_eq!(change(&text), format!(". {BAR} 0:3:bar\n"));
    let (_, foo) = server.get("active", &format!("collections/{FOO_HASH}"));
    let given = json!({"collection": {"manifest_text": foo["manifest_text"]},
        "replace_files": {"/foo": "manifest_text/foo"}});
    assert_eq!(change(&given), format!(". {BAR} {FOO} 0:3:bar 3:3:foo\n"));
    assert_eq!(change(&json!({"replace_files": {"/": ""}})), "");
}

#[test]
fn wrong_parts_are_refused() {
    let server = Server::start("current");
    let (_, foo) = server.get("active", &format!("collections/{FOO_HASH}"));
    let foo_text = foo["manifest_text"].clone();
    let status = |body: &Value| {
        let (status, refused) = create(&server, "active", body);
        assert!(!error_text(&refused).is_empty());
        status
    };
    let files = |files: Value| status(&json!({"replace_files": files}));
    let source = format!("{FOO_HASH}/foo");
    assert_eq!(files(json!({"foo": source})), 400);
    assert_eq!(files(json!({"/foo/": source})), 400);
    assert_eq!(files(json!({"/": source})), 400);
    assert_eq!(files(json!({"/foo": "nowhere/foo"})), 400);
    assert_eq!(files(json!({"/foo": 7})), 400);
    assert_eq!(files(json!({"/foo": source, "/foo/bar": ""})), 400);
    assert_eq!(files(json!({"/foo": "manifest_text/foo"})), 400);
    assert_eq!(files(json!({"/foo": format!("{FOO_HASH}/bar")})), 404);
    assert_eq!(files(json!({"/foo": "00000000000000000000000000000000+9/x"})), 404);
    let deep = format!("/{}", vec!["d"; 201].join("/"));
    assert_eq!(files(json!({deep: source})), 400);
    let unused =
        json!({"collection": {"manifest_text": foo_text}, "replace_files": {"/a": source}});
    assert_eq!(status(&unused), 400);
    let unsigned = json!({"collection": {"manifest_text": format!(". {FOO} 0:3:foo\n")},
        "replace_files": {"/a": "manifest_text/foo"}});
    assert_eq!(status(&unsigned), 403);
}

#[test]
fn what_one_cannot_see_is_no_source() {
    let server = Server::start("current");
    let own =
        json!({"collection": {"manifest_text": ". 99914b932bd37a50b983c5e7c90ae93b+2 0:2:x\n"}});
    let own = server.create("admin", "collections", &own);
    let source = format!("{}/x", own["portable_data_hash"].as_str().unwrap());
    let body = json!({"replace_files": {"/x": source}});
    assert_eq!(create(&server, "active", &body).0, 404);
    assert_eq!(create(&server, "admin", &body).0, 200);
}

#[test]
fn parts_of_blocks_are_replaced_together_or_not_at_all() {
    let server = Server::start("current");
    let path = format!("/arvados/v1/collections/{}", both(&server, "blocks"));
    let change = |auth: &str, segments: Value| {
        let body = json!({"replace_segments": segments});
        server.call(auth, "PUT", &path, &body)
    };
    let packed = "3858f62230ac3c915f300c664312c63f+6";
    let (foo, bar) = (format!("{FOO} 0 3"), format!("{BAR} 0 3"));
    let unsigned_part = json!({&foo: format!("{packed} 0 3")});
    assert_eq!(change("active", unsigned_part).0, 403);
    assert_eq!(change("admin", json!({&foo: format!("{packed} 0 2")})).0, 400);
    assert_eq!(change("admin", json!({&foo: format!("{packed} 4 3")})).0, 400);
    assert_eq!(change("admin", json!({"foo": "bar"})).0, 400);
    let gone = "73feffa4b7f6bb68e44cf984c85f6e88+3 0 3";
    let with_gone = json!({&foo: format!("{packed} 0 3"), gone: format!("{packed} 3 3")});
    let (status, unchanged) = change("admin", with_gone);
    assert_eq!(status, 200, "{unchanged}");
    assert_eq!(unsigned(&unchanged), format!(". {FOO} 0:3:foo\n./d {BAR} 0:3:bar\n"));
    let all = json!({&foo: format!("{packed} 0 3"), &bar: format!("{packed} 3 3")});
    let (status, changed) = change("admin", all);
    assert_eq!(status, 200, "{changed}");
    assert_eq!(unsigned(&changed), format!(". {packed} 0:3:foo\n./d {packed} 3:3:bar\n"));
}

#[test]
fn in_2015_a_client_writes_its_manifest_itself() {
    let server = Server::start("2015");
    let body = json!({"collection": {"name": "whole"}, "replace_files": {"/": "nonsense"}});
    let made = server.create("active", "collections", &body);
    assert_eq!(made["manifest_text"], "");
}
