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

/// A copy of the fixtures that come with the project, with what is over and what is due.
fn fixtures_with_trash() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs_err::read_dir(sdk_fixtures::Fixtures::builtin().dir()).unwrap() {
        let entry = entry.unwrap();
        fs_err::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let groups = folder.path().join("groups.yml");
    let text = fs_err::read_to_string(&groups).unwrap();
    let over = "
over:
  uuid: zzzzz-j7d0g-00000000000over
  owner_uuid: zzzzz-tpzed-xurymjxw79nv3jz
  name: over
  group_class: project
  is_trashed: true
  trash_at: 2001-01-01T00:00:00Z
  delete_at: 2002-01-01T00:00:00Z
";
    fs_err::write(&groups, text + over).unwrap();
    let within = "
within:
  uuid: zzzzz-4zz18-000000000within
  owner_uuid: zzzzz-j7d0g-00000000000over
  name: within
  manifest_text: ''
over:
  uuid: zzzzz-4zz18-00000000000over
  owner_uuid: zzzzz-tpzed-xurymjxw79nv3jz
  name: over
  manifest_text: ''
  is_trashed: true
  trash_at: 2001-01-01T00:00:00Z
  delete_at: 2002-01-01T00:00:00Z
kept:
  uuid: zzzzz-4zz18-00000000000kept
  owner_uuid: zzzzz-tpzed-xurymjxw79nv3jz
  name: kept
  manifest_text: ''
  is_trashed: true
  trash_at: 2001-01-01T00:00:00Z
  delete_at: 2100-01-01T00:00:00Z
";
    fs_err::write(folder.path().join("collections.yml"), within).unwrap();
    folder
}

#[test]
fn a_swept_trash_loses_what_is_over() {
    let fixtures = fixtures_with_trash();
    let server = Server::start_on("current", fixtures.path());
    let in_trash = |path: &str| server.get("active", &format!("{path}?include_trash=true")).0;
    let (over, kept) =
        ("collections/zzzzz-4zz18-00000000000over", "collections/zzzzz-4zz18-00000000000kept");
    let (project, within) =
        ("groups/zzzzz-j7d0g-00000000000over", "collections/zzzzz-4zz18-000000000within");
    for path in [over, kept, project, within] {
        assert_eq!(in_trash(path), 200, "{path}");
    }
    let untrash = server.call("active", "POST", &format!("/arvados/v1/{over}/untrash"), &NONE);
    assert_eq!(untrash.0, 422);
    assert!(error_text(&untrash.1).contains("delete_at time has already passed"), "{untrash:?}");
    let sweep = |auth: &str| server.call(auth, "POST", "/arvados/v1/sys/trash_sweep", &json!({}));
    assert_eq!(sweep("active").0, 403);
    assert_eq!(sweep("admin"), (200, json!({})));
    for path in [over, project, within] {
        assert_eq!(in_trash(path), 404, "{path}");
    }
    assert_eq!(in_trash(kept), 200);
    assert_eq!(server.get("active", kept).0, 404);
}

#[test]
fn times_of_the_trash_are_held_to_each_other() {
    let server = Server::start("current");
    let create = |collection: &serde_json::Value| {
        let body = json!({"collection": collection});
        server.call("active", "POST", "/arvados/v1/collections", &body)
    };
    let (status, planned) = create(&json!({"trash_at": "2100-01-01T00:00:00Z"}));
    assert_eq!((status, &planned["is_trashed"]), (200, &json!(false)), "{planned}");
    assert_eq!(planned["delete_at"], "2100-01-15T00:00:00.000000000Z");
    let backwards =
        json!({"trash_at": "2100-01-02T00:00:00Z", "delete_at": "2100-01-01T00:00:00Z"});
    let (status, refused) = create(&backwards);
    assert_eq!(status, 422);
    assert!(error_text(&refused).starts_with("Delete at must not be earlier than trash_at"));
    let (status, refused) = create(&json!({"delete_at": "2100-01-01T00:00:00Z"}));
    assert_eq!(status, 422);
    assert!(error_text(&refused).starts_with("Delete at must be set if trash_at is set"));
    // What is deleted goes to the trash once more, and stays there.
    let (_, past) = create(&json!({"trash_at": "2001-01-01T00:00:00Z"}));
    assert_eq!(past["is_trashed"], true);
    let path = format!("/arvados/v1/collections/{}", past["uuid"].as_str().unwrap());
    let (status, deleted) = server.call("active", "DELETE", &path, &NONE);
    assert_eq!((status, &deleted["trash_at"]), (200, &past["trash_at"]));
}

#[test]
fn only_admins_confirm_where_blocks_are_and_classes_are_named() {
    let server = Server::start("current");
    let create = |auth: &str, collection: &serde_json::Value| {
        let body = json!({"collection": collection});
        server.call(auth, "POST", "/arvados/v1/collections", &body).0
    };
    let now = "2026-01-01T00:00:00Z";
    let confirmed = json!({"replication_confirmed": 2, "replication_confirmed_at": now});
    assert_eq!((create("active", &confirmed), create("admin", &confirmed)), (403, 200));
    let classes =
        json!({"storage_classes_confirmed": ["default"], "storage_classes_confirmed_at": now});
    assert_eq!((create("active", &classes), create("admin", &classes)), (403, 200));
    let nothing = json!({"replication_confirmed": null, "storage_classes_confirmed": []});
    assert_eq!(create("active", &nothing), 200);
    for wrong in [json!([]), json!([""]), json!([1])] {
        assert_eq!(create("active", &json!({"storage_classes_desired": wrong})), 422, "{wrong}");
    }
    assert_eq!(create("active", &json!({"storage_classes_desired": ["hot", "cold"]})), 200);
}
