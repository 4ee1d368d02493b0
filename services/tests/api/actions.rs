//! Actions that nothing else here has to do with.

use serde_json::json;

use super::api_server::Server;
use super::{ADMIN, NONE};

#[test]
fn the_system_user_is_shown_to_all() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let (status, system) = server.get("spectator", "users/system");
        let uuid = json!("zzzzz-tpzed-000000000000000");
        assert_eq!((status, &system["uuid"]), (200, &uuid), "{era}");
    }
}

#[test]
fn a_collection_goes_to_the_trash_once() {
    let server = Server::start("current");
    let made = server.create("active", "collections", &json!({"collection": {}}));
    let path = format!("/arvados/v1/collections/{}", made["uuid"].as_str().unwrap());
    let trash = |auth: &str| server.call(auth, "POST", &format!("{path}/trash"), &NONE);
    assert_eq!(trash("spectator").0, 404);
    let (status, trashed) = trash("active");
    assert_eq!((status, &trashed["is_trashed"]), (200, &json!(true)));
    assert_eq!(server.call("active", "GET", &path, &NONE).0, 404);
    let (status, again) = trash("active");
    assert_eq!((status, &again["trash_at"]), (200, &trashed["trash_at"]));
}

#[test]
fn the_priority_of_a_container_is_computed_again() {
    let server = Server::start("current");
    let container = json!({"container": {"command": ["true"], "container_image": "none",
        "output_path": "/out", "cwd": "/", "priority": 7}});
    let made = server.create("admin", "containers", &container);
    assert_eq!((&made["priority"], &made["owner_uuid"]), (&json!(7), &json!(ADMIN)));
    let path = format!("/arvados/v1/containers/{}", made["uuid"].as_str().unwrap());
    // There is no request for it.
    let (status, updated) = server.call("admin", "POST", &format!("{path}/update_priority"), &NONE);
    assert_eq!((status, &updated["priority"]), (200, &json!(0)));
}
