//! The API server over the wire, as each fixture user sees it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod access;
mod actions;
mod api_server;
mod attributes;
mod contents;
mod coverage;
mod crunch1;
mod crunch2;
mod deletion;
mod discovered;
mod durability;
mod events;
mod filters;
mod fixtures;
mod follower;
mod groups;
mod lists;
mod memory;
mod model;
mod odd_requests;
mod provenance;
mod replace_files;
mod reset;
mod setup_2015;
mod sharing;
mod unknown_paths;
mod user_agreements;
mod users;
mod versions;
mod websockets;

use api_server::{Server, read};
use serde_json::{Value, json};
use ureq::http::Request;

const ADMIN: &str = "zzzzz-tpzed-d9tiejq69daie8f";
const ACTIVE: &str = "zzzzz-tpzed-xurymjxw79nv3jz";
const SPECTATOR: &str = "zzzzz-tpzed-l1s2piq4t4mps8r";
const FOO_FILE: &str = "zzzzz-4zz18-znfnqtbbv4spc3w";
const FOO_HASH: &str = "1f4b0bc7583c2a7f9102c395f4ffc5e3+45";
const FOO_REPOSITORY: &str = "zzzzz-s0uqq-382brsig8rp3666";
const NONE: Value = Value::Null;

fn error_text(answer: &Value) -> &str {
    answer["errors"][0].as_str().unwrap()
}

#[test]
fn a_token_tells_who_calls() {
    let server = Server::start("current");
    for (auth, uuid) in [("admin", ADMIN), ("active", ACTIVE), ("spectator", SPECTATOR)] {
        let (status, user) = server.get(auth, "users/current");
        assert_eq!((status, user["uuid"].as_str()), (200, Some(uuid)));
    }
    for auth in ["", "expired"] {
        let (status, body) = server.get(auth, "users/current");
        assert_eq!(status, 401);
        assert!(error_text(&body).starts_with("Not logged in (req-"));
        assert!(body["error_token"].as_str().unwrap().contains('+'));
    }
    let (status, _) = server.get("active_noscope", "users/current");
    assert_eq!(status, 403);
}

#[test]
fn tokens_come_in_every_form() {
    let server = Server::start("current");
    let secret = sdk_fixtures::auth_token("active").unwrap();
    let v2 = format!("v2/zzzzz-gj3su-077z32aux8dg2s1/{secret}");
    for authorization in [format!("Bearer {v2}"), format!("OAuth2 {v2}")] {
        let request = Request::get(server.url("/arvados/v1/api_client_authorizations/current"));
        let request = request.header("authorization", authorization);
        let (status, token) = read(server.send(request.body(String::new()).unwrap()));
        assert_eq!(status, 200);
        assert_eq!(token["uuid"], "zzzzz-gj3su-077z32aux8dg2s1");
    }
    let (status, _) = server.get("", &format!("users/current?api_token={secret}"));
    assert_eq!(status, 200);
    let wrong = "v2/zzzzz-gj3su-077z32aux8dg2s1/wrong";
    let (status, _) = server.get("", &format!("users/current?oauth_token={wrong}"));
    assert_eq!(status, 401);
}

#[test]
fn scopes_limit_a_token() {
    let server = Server::start("current");
    let scoped = server.create(
        "active",
        "api_client_authorizations",
        &json!({"api_client_authorization": {"scopes": ["GET /arvados/v1/collections/"]}}),
    );
    let token = scoped["api_token"].as_str().unwrap();
    let status = |path: &str| server.get("", &format!("{path}?api_token={token}")).0;
    assert_eq!(status(&format!("collections/{FOO_FILE}")), 200);
    assert_eq!(status("collections"), 403);
    assert_eq!(status("users/current"), 403);
}

#[test]
fn reader_tokens_read_and_do_not_write() {
    let server = Server::start("current");
    let reader = sdk_fixtures::auth_token("admin").unwrap();
    let query = format!("reader_tokens=[%22{reader}%22]");
    let (status, _) = server.get("", &format!("collections?{query}"));
    assert_eq!(status, 200);
    let path = format!("/arvados/v1/collections?{query}");
    let (status, _) = server.call("", "POST", &path, &json!({"collection": {}}));
    assert_eq!(status, 401);
}

#[test]
fn what_is_not_there_is_not_found_and_the_request_id_comes_back() {
    let server = Server::start("current");
    for path in [
        "/arvados/v1/jobs",
        "/arvados/v1/api_clients",
        "/nowhere",
        "/arvados/v1/users/zzzzz-tpzed-zzzzzzzzzzzzzzz",
    ] {
        let (status, body) = server.call("admin", "GET", path, &NONE);
        assert_eq!(status, 404, "{path}");
        assert!(error_text(&body).starts_with("Path not found"));
    }
    let request = Request::get(server.url("/nowhere")).header("x-request-id", "req-mine");
    let response = server.send(request.body(String::new()).unwrap());
    assert_eq!(response.headers()["x-request-id"], "req-mine");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert_eq!(error_text(&read(response).1), "Path not found (req-mine)");
}

#[test]
fn head_and_options_work_everywhere() {
    let server = Server::start("current");
    let token = sdk_fixtures::auth_token("active").unwrap();
    let url = server.url("/arvados/v1/users/current");
    let head = Request::head(&url).header("authorization", format!("OAuth2 {token}"));
    assert_eq!(read(server.send(head.body(String::new()).unwrap())).0, 200);
    let slashes = Request::get(url.replace("/v1/users/", "/v1//users/") + "/")
        .header("authorization", format!("OAuth2 {token}"));
    assert_eq!(read(server.send(slashes.body(String::new()).unwrap())).0, 200);
    let options = Request::options(&url).body(String::new()).unwrap();
    assert_eq!(read(server.send(options)), (200, json!("")));
}

#[test]
fn attributes_come_wrapped_bare_and_in_a_form() {
    let server = Server::start("current");
    let wrapped = json!({"collection": {"name": "wrapped", "properties": {"a": 1}}});
    let wrapped = server.create("active", "collections", &wrapped);
    assert_eq!(wrapped["properties"], json!({"a": 1}));
    let bare = server.create("active", "collections", &json!({"name": "bare"}));
    assert_eq!(bare["name"], "bare");
    let token = sdk_fixtures::auth_token("active").unwrap();
    let form = Request::post(server.url("/arvados/v1/collections"))
        .header("authorization", format!("OAuth2 {token}"))
        .header("content-type", "application/x-www-form-urlencoded");
    let form = form.body("collection=%7B%22name%22%3A%22form%22%7D".to_owned());
    let (status, form) = read(server.send(form.unwrap()));
    assert_eq!((status, &form["name"]), (200, &json!("form")));
    let brackets = Request::post(server.url("/arvados/v1/collections"))
        .header("authorization", format!("OAuth2 {token}"))
        .header("content-type", "application/x-www-form-urlencoded");
    let brackets = brackets.body("collection[name]=inside&collection[properties][a]=1".to_owned());
    let (status, inside) = read(server.send(brackets.unwrap()));
    assert_eq!((status, &inside["name"]), (200, &json!("inside")));
    assert_eq!(inside["properties"], json!({"a": "1"}));
    let (status, body) = server.call(
        "active",
        "POST",
        "/arvados/v1/collections",
        &json!({"collection": {"colour": "red"}}),
    );
    assert_eq!(status, 422);
    assert!(error_text(&body).contains("unknown attribute 'colour'"));
}

#[test]
fn a_whole_object_is_sent_back_as_a_new_one() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let made = json!({"collection": {"name": "first", "properties": {"a": 1}}});
        let made = server.create("active", "collections", &made);
        let mut copy = made.clone();
        copy["name"] = json!("second");
        copy.as_object_mut().unwrap().remove("uuid");
        let copy = server.create("active", "collections", &copy);
        assert_eq!(copy["name"], "second");
        assert_ne!(copy["uuid"], made["uuid"]);
        for same in ["kind", "owner_uuid", "properties", "portable_data_hash"] {
            assert_eq!(copy[same], made[same], "{same}");
        }
    }
}

#[test]
fn a_reader_of_a_repository_does_not_write_it() {
    let server = Server::start("2015");
    let path = format!("/arvados/v1/repositories/{FOO_REPOSITORY}");
    let now = json!({"repository": {"modified_at": "2026-11-22 22:31:08.1 +0000 UTC m=+1.23"}});
    let status = |auth: &str| server.call(auth, "PUT", &path, &now).0;
    assert_eq!(status("active"), 200);
    assert_eq!(status("admin"), 200);
    assert_eq!(status("spectator"), 403);
    assert_eq!(status("anonymous"), 403);
}

#[test]
fn sharing_and_unsharing_take_effect_at_once() {
    let server = Server::start("current");
    let project = json!({"group": {"group_class": "project", "name": "shared"}});
    let project = server.create("active", "groups", &project);
    let uuid = project["uuid"].as_str().unwrap();
    let seen = || server.get("spectator", &format!("groups/{uuid}")).0;
    assert_eq!(seen(), 404);
    let link = json!({"link": {"link_class": "permission", "name": "can_read",
        "tail_uuid": SPECTATOR, "head_uuid": uuid}});
    let refused = server.call("spectator", "POST", "/arvados/v1/links", &link);
    assert!(matches!(refused.0, 403 | 422), "{refused:?}");
    let link = server.create("active", "links", &link);
    assert_eq!(seen(), 200);
    let rename = json!({"group": {"name": "mine"}});
    let path = format!("/arvados/v1/groups/{uuid}");
    assert_eq!(server.call("spectator", "PUT", &path, &rename).0, 403);
    let path = format!("/arvados/v1/links/{}", link["uuid"].as_str().unwrap());
    assert_eq!(server.call("active", "DELETE", &path, &NONE).0, 200);
    assert_eq!(seen(), 404);
}

#[test]
fn only_signed_blocks_can_be_stored() {
    let server = Server::start("current");
    let (status, foo) = server.get("active", &format!("collections/{FOO_HASH}"));
    assert_eq!((status, &foo["uuid"]), (200, &json!(FOO_HASH)));
    assert_eq!(foo.get("owner_uuid"), None);
    let signed = foo["manifest_text"].as_str().unwrap();
    assert!(signed.contains("+A"));
    let body = json!({"collection": {"manifest_text": signed, "name": "copy"}});
    let copy = server.create("active", "collections", &body);
    assert_eq!(copy["portable_data_hash"], FOO_HASH);
    assert_eq!((&copy["file_count"], &copy["file_size_total"]), (&json!(1), &json!(3)));
    let path = "/arvados/v1/collections";
    assert_eq!(server.call("spectator", "POST", path, &body).0, 403);
    let unsigned = ". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo\n";
    let unsigned = json!({"collection": {"manifest_text": unsigned}});
    assert_eq!(server.call("active", "POST", path, &unsigned).0, 403);
    assert_eq!(server.call("admin", "POST", path, &unsigned).0, 200);
    let malformed = json!({"collection": {"manifest_text": "nonsense"}});
    assert_eq!(server.call("admin", "POST", path, &malformed).0, 422);
    let other_hash = json!({"collection": {"manifest_text": "", "portable_data_hash": FOO_HASH}});
    assert_eq!(server.call("admin", "POST", path, &other_hash).0, 422);
}

#[test]
fn names_are_unique_or_made_so() {
    let server = Server::start("current");
    let body = json!({"collection": {"name": "twice"}});
    server.create("active", "collections", &body);
    let (status, _) = server.call("active", "POST", "/arvados/v1/collections", &body);
    assert_eq!(status, 422);
    let again = server.create("active", "collections?ensure_unique_name=true", &body);
    let end = again["uuid"].as_str().unwrap().split_at(12).1;
    assert_eq!(again["name"], format!("twice ({end})"));
    let server = Server::start("2015");
    for name in ["twice", "twice (2)", "twice (3)"] {
        let made = server.create("active", "collections?ensure_unique_name=true", &body);
        assert_eq!(made["name"], name);
    }
}

#[test]
fn every_change_leaves_one_log_row() {
    let server = Server::start("current");
    let made = server.create("active", "collections", &json!({"collection": {"name": "a"}}));
    let uuid = made["uuid"].as_str().unwrap();
    let path = format!("/arvados/v1/collections/{uuid}");
    server.call("active", "PUT", &path, &json!({"collection": {"name": "b"}}));
    let filters = format!("filters=[[%22object_uuid%22,%22=%22,%22{uuid}%22]]&order=id");
    let (_, logs) = server.get("active", &format!("logs?{filters}"));
    let events: Vec<_> = logs["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| {
            (
                log["event_type"].as_str().unwrap(),
                log["properties"]["new_attributes"]["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(events, [("create", "a"), ("update", "b")]);
}

#[test]
fn a_killed_server_loses_nothing_and_needs_no_new_image() {
    let mut server = Server::start("current");
    let made = server.create("active", "collections", &json!({"collection": {"name": "kept"}}));
    assert_eq!(durability::images(&server), (0, 1));
    server.restart();
    let path = format!("collections/{}", made["uuid"].as_str().unwrap());
    assert_eq!(server.get("active", &path).0, 200);
    assert_eq!(durability::images(&server), (0, 1));
}

#[test]
fn a_body_may_have_128_mib_and_not_a_byte_more() {
    let server = Server::start("current");
    let token = sdk_fixtures::auth_token("active").unwrap();
    let send = |length: usize| {
        let request = Request::post(server.url("/arvados/v1/collections"))
            .header("authorization", format!("OAuth2 {token}"))
            .header("content-type", "application/json");
        read(server.send(request.body(" ".repeat(length)).unwrap())).0
    };
    assert_eq!(send(128 << 20), 200);
    assert_eq!(send((128 << 20) + 1), 413);
}

#[test]
fn the_discovery_document_describes_what_there_is() {
    let server = Server::start("current");
    let path = "/discovery/v1/apis/arvados/v1/rest";
    let (status, document) = server.call("", "GET", path, &NONE);
    assert_eq!(status, 200);
    assert_eq!(document["rootUrl"], server.url("/"));
    let schemas = document["schemas"].as_object().unwrap();
    for (plural, resource) in document["resources"].as_object().unwrap() {
        for (name, method) in resource["methods"].as_object().unwrap() {
            let of = format!("{plural}.{name}");
            assert_eq!(method["id"], format!("arvados.{of}"));
            if let Some(response) = method["response"]["$ref"].as_str() {
                assert!(schemas.contains_key(response), "{of}");
            }
            let path = method["path"].as_str().unwrap();
            assert_eq!(
                path.contains("{uuid}"),
                method["parameters"]["uuid"]["location"] == "path",
                "{of}"
            );
            if method["httpMethod"] == "GET" && !path.contains("{uuid}") {
                // No user is a container.
                let expected = if of == "containers.current" { 404 } else { 200 };
                assert_eq!(server.get("admin", path).0, expected, "{of}");
            }
        }
    }
}

#[test]
fn the_discovery_document_is_made_once_for_each_name_of_the_server() {
    let server = Server::start("current");
    let url = server.url("/discovery/v1/apis/arvados/v1/rest");
    let get = |url: &str| read(server.send(Request::get(url).body(String::new()).unwrap())).1;
    let first = get(&url);
    // Its time of making has microseconds.
    assert_eq!(get(&url), first);
    let named = get(&url.replace("127.0.0.1", "localhost"));
    assert_eq!(named["rootUrl"], server.url("/").replace("127.0.0.1", "localhost"));
    assert_eq!(get(&url), first);
}
