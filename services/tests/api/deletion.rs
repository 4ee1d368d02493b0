//! Deleting, and the trash.

use serde_json::json;

use super::api_server::Server;
use super::{ACTIVE, NONE, SPECTATOR, error_text};

#[test]
fn a_deleted_collection_is_in_the_trash() {
    let server = Server::start("current");
    let body = json!({"collection": {"name": "waste", "manifest_text": ""}});
    let waste = server.create("active", "collections", &body);
    let path = format!("collections/{}", waste["uuid"].as_str().unwrap());
    let on = format!("/arvados/v1/{path}");
    let (_, deleted) = server.call("active", "DELETE", &on, &NONE);
    assert_eq!(deleted["is_trashed"], true);
    assert_eq!(server.get("active", &path).0, 404);
    let with_trash = format!("{path}?include_trash=true");
    assert_eq!(server.get("active", &with_trash).0, 200);
    // Its name is free again.
    server.create("active", "collections", &body);
    let untrash = format!("{on}/untrash?ensure_unique_name=true");
    let (status, back) = server.call("active", "POST", &untrash, &NONE);
    assert_eq!((status, &back["trash_at"]), (200, &NONE));
    assert_ne!(back["name"], "waste");
}

#[test]
fn permissions_go_with_what_they_are_on_and_are_logged() {
    for (era, event) in [("2015", "destroy"), ("current", "delete")] {
        let server = Server::start(era);
        let gone = json!({"virtual_machine": {"hostname": "gone", "owner_uuid": ACTIVE}});
        let gone = server.create("admin", "virtual_machines", &gone);
        let gone = gone["uuid"].as_str().unwrap();
        let share = |tail: &str| {
            let link = json!({"link": {"link_class": "permission", "name": "can_read",
                "tail_uuid": tail, "head_uuid": gone}});
            let link = server.create("admin", "links", &link);
            link["uuid"].as_str().unwrap().to_owned()
        };
        let links = [share(SPECTATOR), share("zzzzz-j7d0g-fffffffffffffff")];
        let path = format!("/arvados/v1/virtual_machines/{gone}");
        assert_eq!(server.call("admin", "DELETE", &path, &NONE).0, 200, "{era}");
        for uuid in links.iter().map(String::as_str).chain([gone]) {
            let wanted = json!([["object_uuid", "=", uuid], ["event_type", "=", event]]);
            let wanted = wanted.to_string().replace('"', "%22");
            let (_, logs) = server.get("admin", &format!("logs?filters={wanted}"));
            assert_eq!(logs["items_available"], 1, "{era} {uuid}");
            assert_eq!(logs["items"][0]["properties"]["old_attributes"]["uuid"], uuid);
        }
        assert_eq!(server.get("admin", &format!("links/{}", links[0])).0, 404);
    }
}

#[test]
fn an_owner_stays_while_it_owns_something() {
    let server = Server::start("2015");
    let group = server.create("active", "groups", &json!({"group": {"name": "owner"}}));
    let group = group["uuid"].as_str().unwrap();
    let specimen = json!({"specimen": {"owner_uuid": group}});
    let specimen = server.create("active", "specimens", &specimen);
    let specimen = format!("/arvados/v1/specimens/{}", specimen["uuid"].as_str().unwrap());
    let group = format!("/arvados/v1/groups/{group}");
    let (status, body) = server.call("active", "DELETE", &group, &NONE);
    assert_eq!(status, 422);
    assert_eq!(error_text(&body), "Cannot delete record because of dependent specimens");
    assert_eq!(server.call("active", "DELETE", &specimen, &NONE).0, 200);
    assert_eq!(server.call("active", "DELETE", &group, &NONE).0, 200);
    let user = server.create("admin", "users", &json!({"user": {"email": "a@example.com"}}));
    let user = format!("/arvados/v1/users/{}", user["uuid"].as_str().unwrap());
    assert_eq!(server.call("admin", "DELETE", &user, &NONE).0, 200);
    let active = format!("/arvados/v1/users/{ACTIVE}");
    assert_eq!(server.call("admin", "DELETE", &active, &NONE).0, 422);
}

#[test]
fn what_ends_by_itself_is_hidden_if_it_is_a_collection() {
    let server = Server::start("2015");
    // The fixture expired_collection.
    assert_eq!(server.get("admin", "collections/zzzzz-4zz18-mto52zx1s7sn3ih").0, 404);
    let key = json!({"authorized_key": {"authorized_user_uuid": ACTIVE, "key_type": "SSH",
        "expires_at": "2001-01-01T00:00:00Z"}});
    let key = server.create("active", "authorized_keys", &key);
    let path = format!("authorized_keys/{}", key["uuid"].as_str().unwrap());
    assert_eq!(server.get("active", &path).0, 200);
}
