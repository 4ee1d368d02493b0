//! Back to the fixtures, and what stays.

use serde_json::json;
use ureq::http::Request;

use super::api_server::{Server, read};
use super::{ACTIVE, FOO_FILE, NONE, error_text};

#[test]
fn a_reset_returns_to_the_fixtures_and_leaves_keep_services() {
    let server = Server::start("current");
    let made = server.create("active", "collections", &json!({"collection": {"name": "gone"}}));
    let path = format!("/arvados/v1/collections/{FOO_FILE}");
    server.call("admin", "PUT", &path, &json!({"collection": {"name": "other"}}));
    register_keepstore(&server, &["keep_services"]);
    let reset = |auth: &str| server.call(auth, "POST", "/database/reset", &NONE);
    assert_eq!(reset("").0, 401);
    assert_eq!(reset("active").0, 403);
    assert_eq!(reset("admin"), (200, json!({"success": true})));
    let (status, _) =
        server.get("active", &format!("collections/{}", made["uuid"].as_str().unwrap()));
    assert_eq!(status, 404);
    let (_, foo) = server.get("active", &format!("collections/{FOO_FILE}"));
    assert_eq!(foo["name"], "foo_file");
    let (_, services) = server.get("active", "keep_services/accessible");
    assert_eq!(services["items"][0]["uuid"], "zzzzz-bi6l4-keepdisk0000000");
    assert_eq!(services["items_available"], 1);
    let stranger = json!({"user": {"email": "somebody@example.org"}});
    server.create("admin", "users", &stranger);
    assert_eq!(reset("admin").0, 403);
}

fn register_keepstore(server: &Server, classes: &[&str]) {
    for class in classes {
        let (_, list) = server.get("admin", class);
        for item in list["items"].as_array().unwrap() {
            let path = format!("/arvados/v1/{class}/{}", item["uuid"].as_str().unwrap());
            assert_eq!(server.call("admin", "DELETE", &path, &NONE).0, 200);
        }
    }
    let keepstore = json!({"keep_service": {"uuid": "zzzzz-bi6l4-keepdisk0000000",
        "service_host": "localhost", "service_port": 25107, "service_type": "disk",
        "service_ssl_flag": false}});
    server.create("admin", "keep_services", &keepstore);
}

#[test]
fn in_2015_a_reset_forgets_keep_services_and_texts_are_those_of_then() {
    let server = Server::start("2015");
    register_keepstore(&server, &["keep_services", "keep_disks"]);
    let disk = json!({"keep_disk": {"keep_service_uuid": "zzzzz-bi6l4-keepdisk0000000"}});
    let disk = server.create("admin", "keep_disks", &disk);
    assert_eq!(disk["service_port"], 25107);
    let (status, _) = server.call("admin", "POST", "/database/reset", &NONE);
    assert_eq!(status, 200);
    let (_, services) = server.get("active", "keep_services/accessible");
    let items = services["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["uuid"] != "zzzzz-bi6l4-keepdisk0000000"));
    assert!(!items.is_empty());
    let (status, body) = server.call(
        "active",
        "POST",
        "/arvados/v1/collections",
        &json!({"collection": {"colour": "red"}}),
    );
    assert_eq!((status, error_text(&body)), (422, "unknown attribute: colour"));
    let (_, user) = server.get("active", "users/current");
    assert_eq!(user["href"], format!("/users/{ACTIVE}"));
    let secret = sdk_fixtures::auth_token("active").unwrap();
    let bearer = Request::get(server.url("/arvados/v1/users/current"))
        .header("authorization", format!("Bearer {secret}"));
    assert_eq!(read(server.send(bearer.body(String::new()).unwrap())).0, 401);
    assert_eq!(server.get("active", "api_client_authorizations").0, 403);
    assert_eq!(server.get("active_trustedclient", "api_client_authorizations").0, 200);
}
