//! Permissions, told to clients.

use serde_json::{Value, json};

use super::api_server::Server;
use super::{ACTIVE, ADMIN, FOO_FILE, FOO_REPOSITORY, SPECTATOR};

const A_PROJECT: &str = "zzzzz-j7d0g-v955i6s2oi1cbso";
const A_SUBPROJECT: &str = "zzzzz-j7d0g-axqo7eu9pwvna1x";
const SHARED_REPOSITORY: &str = "zzzzz-s0uqq-arvadosrepo0123";

#[test]
fn who_manages_an_object_sees_who_may_use_it() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let status = |auth: &str, uuid: &str| server.get(auth, &format!("permissions/{uuid}")).0;
        let (_, list) = server.get("active", &format!("permissions/{A_PROJECT}"));
        assert_eq!(list["kind"], "arvados#linkList");
        let links = list["items"].as_array().unwrap();
        assert!(links.iter().all(|link| link["head_uuid"] == A_PROJECT));
        assert!(links.iter().any(|link| link["tail_uuid"] == "zzzzz-tpzed-projectviewer1a"));
        assert_eq!(status("project_viewer", A_PROJECT), 403, "{era}");
        assert_eq!(status("spectator", A_PROJECT), 404, "{era}");
        assert_eq!(status("admin", FOO_FILE), 200, "{era}");
        assert_eq!(status("admin", "nonsense"), 404, "{era}");
    }
}

#[test]
fn repositories_say_who_reads_and_who_writes_them() {
    let server = Server::start("2015");
    let (status, all) = server.get("admin", "repositories/get_all_permissions");
    assert_eq!((status, &all["kind"]), (200, &json!("arvados#RepositoryPermissionSnapshot")));
    let repository = |uuid: &str| {
        let repositories = all["repositories"].as_array().unwrap().iter();
        repositories.clone().find(|one| one["uuid"] == uuid).unwrap().clone()
    };
    let foo = repository(FOO_REPOSITORY);
    let of_foo = &foo["user_permissions"];
    let manages = json!({"can_read": true, "can_write": true, "can_manage": true,
        "gitolite_permissions": "RW"});
    assert_eq!((&of_foo[ADMIN], &of_foo[ACTIVE]), (&manages, &manages));
    let reads = json!({"can_read": true, "gitolite_permissions": "R"});
    assert_eq!(of_foo[SPECTATOR], reads);
    assert_eq!(of_foo["zzzzz-tpzed-projectviewer1a"], Value::Null);
    assert!(foo["push_url"].as_str().unwrap().ends_with("active/foo.git"));
    // Through the group of all users.
    assert_eq!(repository(SHARED_REPOSITORY)["user_permissions"][SPECTATOR], reads);
    assert_eq!(all["user_keys"][ACTIVE][0]["authorized_key_uuid"], "zzzzz-fngyi-12nc9ov4osp8nae");
    assert_eq!(all["user_keys"]["zzzzz-tpzed-anonymouspublic"], json!([]));
    assert_eq!(all["user_keys"]["zzzzz-tpzed-x9kqpd79egh49c7"], Value::Null);
    assert_eq!(server.get("active", "repositories/get_all_permissions").0, 403);
}

#[test]
fn computed_permissions_follow_ownership_and_links() {
    let server = Server::start("current");
    let list = |filters: &Value, more: &str| {
        let filters = filters.to_string().replace('"', "%22").replace(' ', "");
        let (status, list) =
            server.get("admin", &format!("computed_permissions?filters={filters}{more}"));
        assert_eq!(status, 200, "{list}");
        assert_eq!(list.get("items_available"), None);
        list["items"].clone()
    };
    let item = |user: &str, target: &str, level: &str| json!({"user_uuid": user, "target_uuid": target, "perm_level": level});
    let of = |user: &str| list(&json!([["user_uuid", "=", user]]), "&limit=1000");
    let has = |items: &Value, item: Value| items.as_array().unwrap().contains(&item);
    let active = of(ACTIVE);
    assert!(has(&active, item(ACTIVE, ACTIVE, "can_manage")));
    assert!(has(&active, item(ACTIVE, A_SUBPROJECT, "can_manage")));
    assert!(has(&active, item(ACTIVE, FOO_FILE, "can_read")));
    let viewer = "zzzzz-tpzed-projectviewer1a";
    assert!(has(&of(viewer), item(viewer, A_SUBPROJECT, "can_read")));
    let onto = json!([["target_uuid", "=", A_SUBPROJECT], ["perm_level", "=", "can_read"]]);
    let readers = list(&onto, "&select=[%22user_uuid%22]");
    assert!(has(&readers, json!({"user_uuid": viewer})));
    let two = list(&json!([]), "&limit=2&order=[%22user_uuid+desc%22]");
    assert_eq!(two.as_array().unwrap().len(), 2);
    let status =
        |auth: &str, query: &str| server.get(auth, &format!("computed_permissions?{query}")).0;
    assert_eq!(status("active", ""), 403);
    assert_eq!(status("", ""), 401);
    assert_eq!(status("admin", "count=none"), 200);
    for wrong in [
        "count=exact",
        "filters=[[%22uuid%22,%22=%22,%22x%22]]",
        "filters=[[%22perm_level%22,%22%3E%22,%22can_read%22]]",
        "select=[%22nowhere%22]",
    ] {
        assert_eq!(status("admin", wrong), 422, "{wrong}");
    }
    assert_eq!(Server::start("2015").get("admin", "computed_permissions").0, 404);
}

#[test]
fn an_admin_makes_a_token_of_the_system_with_its_scopes() {
    for (era, admin) in [("current", "admin"), ("2015", "admin_trustedclient")] {
        let server = Server::start(era);
        let path = "api_client_authorizations/create_system_auth";
        let scopes = json!({"scopes": ["GET /arvados/v1/users/current"]});
        let made = server.create(admin, path, &scopes);
        let token = made["api_token"].as_str().unwrap();
        let get = |path: &str| server.get("", &format!("{path}?api_token={token}"));
        assert_eq!(get("users/current").1["uuid"], "zzzzz-tpzed-000000000000000", "{era}");
        assert_eq!(get("collections").0, 403, "{era}");
        let made = server.create(admin, path, &json!({}));
        assert_eq!(made["scopes"], json!(["all"]), "{era}");
        let path = format!("/arvados/v1/{path}");
        assert_eq!(server.call("active", "POST", &path, &json!({})).0, 403, "{era}");
        assert_eq!(server.call(admin, "POST", &path, &json!({"scopes": {}})).0, 422, "{era}");
    }
}

#[test]
fn a_link_to_log_in_names_a_login_and_shows_the_machine() {
    const MACHINE: &str = "zzzzz-2x53u-382brsig8rp3065";
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let (status, list) = server.get("admin", &format!("virtual_machines/{MACHINE}/logins"));
        assert_eq!((status, &list["kind"]), (200, &json!("arvados#HashList")));
        let logins = list["items"].as_array().unwrap();
        let named = |name: &str| logins.iter().find(|login| login["username"] == name).unwrap();
        assert_eq!(logins.len(), 2, "{era}: the third link names no login");
        assert_eq!(named("adminroot")["groups"], json!(["docker", "admin"]));
        assert_eq!(named("active")["groups"], json!([]));
        assert_eq!(named("active")["authorized_key_uuid"], "zzzzz-fngyi-12nc9ov4osp8nae");
        assert_eq!(named("active")["hostname"], "testvm2.shell");
        assert_eq!(server.get("admin", "virtual_machines/get_all_logins").1, list, "{era}");
        let status =
            |auth: &str, path: &str| server.get(auth, &format!("virtual_machines/{path}")).0;
        assert_eq!(status("active", &format!("{MACHINE}/logins")), 403);
        assert_eq!(status("active", "get_all_logins"), 403);
        assert_eq!(status("admin", "zzzzz-2x53u-nowherenowheren/logins"), 404);
        assert_eq!(status("active", MACHINE), 200, "{era}");
        assert_eq!(status("project_viewer", MACHINE), 404, "{era}");
    }
}
