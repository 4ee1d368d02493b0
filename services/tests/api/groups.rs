//! Roles, projects and filter groups: what each needs, and projects that are frozen.

use serde_json::{Value, json};

use super::api_server::{Answer, Server};
use super::{ACTIVE, ADMIN, NONE, SPECTATOR, error_text};

const SYSTEM: &str = "zzzzz-tpzed-000000000000000";
const A_PROJECT: &str = "zzzzz-j7d0g-v955i6s2oi1cbso";

fn create(server: &Server, auth: &str, group: &Value) -> Answer {
    server.call(auth, "POST", "/arvados/v1/groups", &json!({"group": group}))
}

fn made(server: &Server, group: &Value) -> String {
    let (status, made) = create(server, "active", group);
    assert_eq!(status, 200, "{made}");
    made["uuid"].as_str().unwrap().to_owned()
}

fn put(server: &Server, auth: &str, uuid: &str, group: &Value) -> Answer {
    let path = format!("/arvados/v1/groups/{uuid}");
    server.call(auth, "PUT", &path, &json!({"group": group}))
}

/// The answer is a refusal with `status` and a text that has `part`.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, part: &str) {
    assert_eq!(answer.0, status, "{answer:?}");
    assert!(error_text(&answer.1).contains(part), "{answer:?}");
}

#[test]
fn a_group_is_of_a_known_class_and_stays_so() {
    let server = Server::start("current");
    let none = create(&server, "active", &json!({"name": "classless"}));
    assert_refused(&none, 422, "Group class value must be one of 'project', 'role' or 'filter'");
    let project = made(&server, &json!({"group_class": "project"}));
    let changed = put(&server, "active", &project, &json!({"group_class": "role"}));
    assert_refused(&changed, 422, "Group class cannot be modified after record is created");
    let same = put(&server, "active", &project, &json!({"group_class": "project"}));
    assert_eq!(same.0, 200);
    assert_eq!(same.1["name"], project, "without a name it is called by its uuid");
    let server = Server::start("2015");
    made(&server, &json!({"name": "classless"}));
    made(&server, &json!({"name": "another", "group_class": "filter"}));
}

#[test]
fn names_of_projects_can_be_those_of_folders() {
    let server = Server::start("current");
    for name in [".", "..", "a/b"] {
        let project = create(&server, "active", &json!({"group_class": "project", "name": name}));
        assert_refused(&project, 422, "Name cannot");
        let body = json!({"collection": {"name": name}});
        let collection = server.call("active", "POST", "/arvados/v1/collections", &body);
        assert_refused(&collection, 422, "Name cannot");
        made(&server, &json!({"group_class": "role", "name": name}));
    }
    let server = Server::start("2015");
    made(&server, &json!({"group_class": "project", "name": "a/b"}));
}

#[test]
fn what_is_made_is_shown_as_it_was_answered() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let (_, project) = create(&server, "active", &json!({"group_class": "project"}));
        let shown = server.get("active", &format!("groups/{}", project["uuid"].as_str().unwrap()));
        assert_eq!(shown, (200, project), "{era}");
        let collection = server.create("active", "collections", &json!({"collection": {}}));
        let path = format!("collections/{}", collection["uuid"].as_str().unwrap());
        assert_eq!(server.get("active", &path).1["etag"], collection["etag"], "{era}");
    }
}

#[test]
fn a_taken_name_is_refused_as_the_database_does() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let project = json!({"group_class": "project", "name": "twice"});
        made(&server, &project);
        assert_refused(&create(&server, "active", &project), 422, "duplicate key");
        let with_uuid = |auth: &str, uuid: &str| {
            create(&server, auth, &json!({"group_class": "project", "uuid": uuid}))
        };
        assert_refused(&with_uuid("admin", A_PROJECT), 422, "duplicate key");
        assert_refused(&with_uuid("admin", "x"), 422, "Uuid not a valid Arvados uuid 'x'");
        assert_refused(
            &with_uuid("admin", ACTIVE),
            422,
            "Uuid type field is 'tpzed', expected 'j7d0g'",
        );
        assert_refused(&with_uuid("active", A_PROJECT), 422, "Uuid assignment not permitted");
        let moved =
            put(&server, "admin", A_PROJECT, &json!({"uuid": "zzzzz-j7d0g-000000000000new"}));
        assert_refused(&moved, 422, "Uuid change not permitted");
        let name = json!({"link": {"link_class": "name", "name": "same", "tail_uuid": A_PROJECT,
            "head_uuid": ACTIVE}});
        server.create("active", "links", &name);
        let again = server.call("active", "POST", "/arvados/v1/links", &name);
        assert_refused(&again, 422, "duplicate key");
    }
}

#[test]
fn who_was_to_own_a_role_manages_it() {
    let server = Server::start("current");
    let role = json!({"group_class": "role", "name": "given", "owner_uuid": ACTIVE});
    let (status, role) = create(&server, "admin", &role);
    assert_eq!((status, &role["owner_uuid"]), (200, &json!(SYSTEM)), "{role}");
    let role = role["uuid"].as_str().unwrap();
    let (_, permissions) = server.get("admin", &format!("permissions/{role}"));
    let links = permissions["items"].as_array().unwrap();
    assert_eq!((links.len(), &links[0]["tail_uuid"]), (1, &json!(ACTIVE)));
    assert_eq!(links[0]["name"], "can_manage");
    assert_eq!(put(&server, "active", role, &json!({"description": "mine"})).0, 200);
    let taken = put(&server, "active", role, &json!({"owner_uuid": ACTIVE}));
    assert_refused(&taken, 422, "Owner uuid for role must be system user");
    let body = json!({"collection": {"owner_uuid": role}});
    for auth in ["active", "admin"] {
        let within = server.call(auth, "POST", "/arvados/v1/collections", &body);
        assert_refused(&within, 403, "Owner uuid must be a project");
    }
}

#[test]
fn permissions_are_for_users_and_roles_and_onto_what_one_sees() {
    let server = Server::start("current");
    let project = made(&server, &json!({"group_class": "project", "name": "mine"}));
    let share = |auth: &str, tail: &str, name: &str| {
        let link = json!({"link": {"link_class": "permission", "name": name, "tail_uuid": tail,
            "head_uuid": project}});
        server.call(auth, "POST", "/arvados/v1/links", &link)
    };
    let to_project = share("active", A_PROJECT, "can_read");
    assert_refused(
        &to_project,
        422,
        "Tail uuid must be a role, was group with group_class project",
    );
    let to_nobody = share("active", "zzzzz-tpzed-nobodynobodynob", "can_read");
    assert_refused(&to_nobody, 422, "not found");
    assert_refused(&share("active", SPECTATOR, "can_eat"), 422, "Name is invalid permission");
    assert_refused(&share("spectator", SPECTATOR, "can_read"), 422, "Head uuid");
    assert_eq!(share("active", SPECTATOR, "can_read").0, 200);
    assert_eq!(share("spectator", SPECTATOR, "can_manage").0, 403);
}

#[test]
fn a_filter_group_has_filters_and_owns_nothing() {
    let server = Server::start("current");
    let filter = |properties: Value| {
        let group = json!({"group_class": "filter", "name": "found", "properties": properties});
        create(&server, "active", &group)
    };
    assert_refused(&filter(json!({})), 422, "Properties filters property missing");
    assert_refused(&filter(json!({"filters": "x"})), 422, "array of arrays, each with 3 elements");
    let undotted = filter(json!({"filters": [["name", "=", "x"]]}));
    assert_refused(&undotted, 422, "filter attribute must be 'uuid' or contain a dot");
    let filters = json!([["collections.name", "=", "foo_file"]]);
    let (status, made) = filter(json!({"filters": filters}));
    assert_eq!(status, 200, "{made}");
    let uuid = made["uuid"].as_str().unwrap();
    let (status, contents) = server.get("active", &format!("groups/{uuid}/contents"));
    assert_eq!(status, 200, "{contents}");
    let collections = contents["items"].as_array().unwrap().iter();
    let names: Vec<_> = collections.filter(|one| one["kind"] == "arvados#collection").collect();
    assert!(!names.is_empty() && names.iter().all(|one| one["name"] == "foo_file"), "{contents}");
    let body = json!({"collection": {"owner_uuid": uuid}});
    let within = server.call("active", "POST", "/arvados/v1/collections", &body);
    assert_refused(&within, 403, "Owner uuid must be a project");
}

#[test]
fn nobody_changes_what_is_frozen_until_it_is_thawed() {
    let server = Server::start("current");
    let outer = made(&server, &json!({"group_class": "project", "name": "outer"}));
    let cold = json!({"group_class": "project", "name": "cold", "owner_uuid": outer});
    let cold = made(&server, &cold);
    let inner = json!({"group_class": "project", "name": "inner", "owner_uuid": cold});
    let inner = made(&server, &inner);
    let body = json!({"collection": {"name": "within", "owner_uuid": inner}});
    let within = server.create("active", "collections", &body);
    let within = format!("/arvados/v1/collections/{}", within["uuid"].as_str().unwrap());

    let by = |uuid: &str| json!({"frozen_by_uuid": uuid});
    let other = put(&server, "active", &cold, &by(ADMIN));
    assert_refused(&other, 422, "Frozen by uuid can only be set to the current user's UUID");
    let (status, frozen) = put(&server, "active", &cold, &by(ACTIVE));
    assert_eq!((status, &frozen["frozen_by_uuid"]), (200, &json!(ACTIVE)), "{frozen}");
    assert_eq!((&frozen["can_write"], &frozen["can_manage"]), (&json!(false), &json!(true)));
    assert_eq!(server.get("active", &format!("groups/{inner}")).1["can_write"], false);

    for auth in ["active", "admin"] {
        let name = json!({"name": "warm"});
        assert_refused(&put(&server, auth, &cold, &name), 403, "Uuid is not writable");
        assert_refused(&put(&server, auth, &inner, &name), 403, "Uuid is not writable");
        let renamed = server.call(auth, "PUT", &within, &json!({"collection": name}));
        assert_refused(&renamed, 403, "Uuid is not writable");
        assert_eq!(server.call(auth, "DELETE", &within, &NONE).0, 403);
        let body = json!({"collection": {"owner_uuid": cold}});
        let new = server.call(auth, "POST", "/arvados/v1/collections", &body);
        assert_refused(&new, 403, "because new owner is frozen");
        let out = server.call(auth, "PUT", &within, &json!({"collection": {"owner_uuid": ACTIVE}}));
        assert_refused(&out, 403, "because old owner is frozen");
        let path = format!("/arvados/v1/groups/{outer}");
        let trashed = server.call(auth, "DELETE", &path, &NONE);
        assert_refused(&trashed, 422, "cannot trash project containing frozen project");
    }

    let thawed = put(&server, "active", &cold, &json!({"frozen_by_uuid": null, "name": "warm"}));
    assert_eq!((thawed.0, &thawed.1["can_write"]), (200, &json!(true)), "{thawed:?}");
    assert_eq!(server.call("active", "DELETE", &within, &NONE).0, 200);
}

#[test]
fn only_a_project_that_one_manages_and_keeps_is_frozen() {
    let server = Server::start("current");
    let by = json!({"frozen_by_uuid": ACTIVE});
    let role = made(&server, &json!({"group_class": "role", "name": "role"}));
    assert_refused(&put(&server, "active", &role, &by), 422, "on a non-project group");
    let soon = json!({"group_class": "project", "trash_at": "2100-01-01T00:00:00Z"});
    let soon = made(&server, &soon);
    assert_refused(&put(&server, "active", &soon, &by), 422, "on a trashed project");
    let shared = made(&server, &json!({"group_class": "project", "name": "shared"}));
    let link = json!({"link": {"link_class": "permission", "name": "can_write",
        "tail_uuid": SPECTATOR, "head_uuid": shared}});
    server.create("active", "links", &link);
    let by_spectator = json!({"frozen_by_uuid": SPECTATOR});
    assert_eq!(put(&server, "spectator", &shared, &by_spectator).0, 403);
}
