//! Past versions of collections.

use serde_json::{Value, json};

use super::api_server::Server;
use super::{ACTIVE, NONE, SPECTATOR};

/// A collection of the user active, and a function that changes it.
fn collection(server: &Server) -> (String, impl Fn(&Value) -> Value) {
    let made = json!({"collection": {"name": "first", "preserve_version": true}});
    let made = server.create("active", "collections", &made);
    assert_eq!((&made["version"], &made["current_version_uuid"]), (&json!(1), &made["uuid"]));
    let uuid = made["uuid"].as_str().unwrap().to_owned();
    let path = format!("/arvados/v1/collections/{uuid}");
    let change = move |changes: &Value| {
        let (status, changed) =
            server.call("active", "PUT", &path, &json!({"collection": changes}));
        assert_eq!(status, 200, "{changed}");
        changed
    };
    (uuid, change)
}

fn versions(server: &Server, uuid: &str) -> Vec<Value> {
    let filters = format!("filters=[[%22current_version_uuid%22,%22=%22,%22{uuid}%22]]");
    let query = format!("collections?{filters}&include_old_versions=true&order=version");
    let (status, list) = server.get("active", &query);
    assert_eq!(status, 200, "{list}");
    list["items"].as_array().unwrap().clone()
}

#[test]
fn what_a_collection_was_is_kept_when_one_asks_for_it() {
    let server = Server::start("current");
    let (uuid, change) = collection(&server);
    let changed = change(&json!({"name": "second"}));
    assert_eq!((&changed["version"], &changed["preserve_version"]), (&json!(2), &json!(false)));
    // Changed a moment ago, and nobody asks to keep that.
    assert_eq!(change(&json!({"name": "third"}))["version"], 2);
    assert_eq!(change(&json!({"name": "fourth", "preserve_version": true}))["version"], 3);
    let versions = versions(&server, &uuid);
    let names: Vec<_> = versions.iter().map(|one| (&one["version"], &one["name"])).collect();
    let expected = [(1, "first"), (2, "third"), (3, "fourth")];
    let expected = expected.map(|(version, name)| (json!(version), json!(name)));
    assert_eq!(names, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
    let past = versions[0]["uuid"].as_str().unwrap();
    assert_ne!(past, uuid);
    assert_eq!(server.get("active", &format!("collections/{past}")).1["name"], "first");
    let listed = |query: &str| {
        let query = format!("filters=[[%22uuid%22,%22=%22,%22{past}%22]]{query}");
        server.get("active", &format!("collections?{query}")).1["items_available"].clone()
    };
    assert_eq!((listed(""), listed("&include_old_versions=true")), (json!(0), json!(1)));
    // A past version does not hold its name.
    server.create("active", "collections", &json!({"collection": {"name": "first"}}));
}

#[test]
fn a_fixture_from_long_ago_is_kept_without_asking() {
    let server = Server::start("current");
    let path = "/arvados/v1/collections/zzzzz-4zz18-fy296fx3hot09f7";
    let change = |body: &Value| server.call("active", "PUT", path, body).1;
    let moved = change(&json!({"collection": {"owner_uuid": ACTIVE}}));
    assert_eq!(moved["version"], 1);
    let admin = |body: &Value| server.call("admin", "PUT", path, body).1;
    assert_eq!(admin(&json!({"collection": {"preserve_version": true}}))["version"], 1);
    assert_eq!(
        admin(&json!({"collection": {"preserve_version": false}}))["preserve_version"],
        true
    );
    assert_eq!(change(&json!({"collection": {"description": "new"}}))["version"], 2);
    let old = "/arvados/v1/collections/zzzzz-4zz18-znfnqtbbv4spc3w";
    let old = server.call("admin", "PUT", old, &json!({"collection": {"name": "renamed"}})).1;
    assert_eq!(old["version"], 2);
}

#[test]
fn past_versions_follow_their_owner_and_do_not_change_by_themselves() {
    let server = Server::start("current");
    let (uuid, change) = collection(&server);
    change(&json!({"name": "second"}));
    let past = versions(&server, &uuid)[0]["uuid"].as_str().unwrap().to_owned();
    let on_past = format!("/arvados/v1/collections/{past}");
    let body = json!({"collection": {"name": "other"}});
    assert_eq!(server.call("active", "PUT", &on_past, &body).0, 422);
    assert_eq!(server.call("active", "DELETE", &on_past, &NONE).0, 422);
    assert_eq!(server.get("spectator", &format!("collections/{past}")).0, 404);
    let give = json!({"collection": {"owner_uuid": SPECTATOR}});
    let path = format!("/arvados/v1/collections/{uuid}");
    assert_eq!(server.call("admin", "PUT", &path, &give).0, 200);
    assert_eq!(server.get("spectator", &format!("collections/{past}")).0, 200);
    assert_eq!(server.call("spectator", "DELETE", &path, &NONE).0, 200);
    assert_eq!(server.get("spectator", &format!("collections/{past}")).0, 404);
}
