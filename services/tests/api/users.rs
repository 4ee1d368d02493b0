//! Users come, are set up, become active, merge, and go.

use serde_json::{Value, json};

use super::api_server::{Answer, Server};
use super::{ACTIVE, ADMIN, NONE, SPECTATOR, error_text};

const INACTIVE: &str = "zzzzz-tpzed-x9kqpd79egh49c7";
const SIGNED: &str = "zzzzz-tpzed-7sg468ezxwnodxs";
const ALL_USERS: &str = "zzzzz-j7d0g-fffffffffffffff";
const TEST_VM: &str = "zzzzz-2x53u-382brsig8rp3064";

fn post(server: &Server, auth: &str, path: &str, body: &Value) -> Answer {
    server.call(auth, "POST", &format!("/arvados/v1/users/{path}"), body)
}

/// A user that an admin has made, and a token of it.
fn newcomer(server: &Server, email: &str) -> (String, String) {
    let user = json!({"user": {"email": email, "is_active": true}});
    let user = server.create("admin", "users", &user);
    let uuid = user["uuid"].as_str().unwrap().to_owned();
    let token = json!({"api_client_authorization": {"owner_uuid": uuid}});
    let token = server.create("admin", "api_client_authorizations", &token);
    (uuid, token["api_token"].as_str().unwrap().to_owned())
}

#[test]
fn who_has_signed_activates_itself_and_nobody_else() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let (status, refused) =
            post(&server, "inactive", &format!("{INACTIVE}/activate"), &json!({}));
        assert_eq!(status, 403, "{era}");
        assert!(error_text(&refused).contains("user agreements"), "{refused}");
        let (status, refused) =
            post(&server, "inactive_uninvited", &format!("{INACTIVE}/activate"), &json!({}));
        assert_eq!(status, 422, "{era} {refused}");
        let path = format!("{SIGNED}/activate");
        let (status, active) =
            post(&server, "inactive_but_signed_user_agreement", &path, &json!({}));
        assert_eq!((status, &active["is_active"]), (200, &json!(true)), "{era}");
        assert_eq!(active["modified_by_user_uuid"], "zzzzz-tpzed-000000000000000");
        // What is active already stays so.
        assert_eq!(post(&server, "active", &format!("{ACTIVE}/activate"), &json!({})).0, 200);
    }
}

#[test]
fn set_up_gives_links_once_and_unsetup_takes_them() {
    let server = Server::start("current");
    let wanted = json!({"user": {"email": "jane.doe+x@example.com"}, "vm_uuid": TEST_VM});
    let (status, made) = post(&server, "admin", "setup", &wanted);
    assert_eq!((status, &made["kind"]), (200, &json!("arvados#HashList")), "{made}");
    let items = made["items"].as_array().unwrap();
    let user = items.iter().find(|item| item["kind"] == "arvados#user").unwrap();
    let uuid = user["uuid"].as_str().unwrap();
    assert_eq!((&user["username"], &user["is_invited"]), (&json!("janedoe"), &json!(true)));
    let links: Vec<_> = items
        .iter()
        .filter(|item| item["kind"] == "arvados#link")
        .map(|link| (link["name"].as_str().unwrap(), link["head_uuid"].as_str().unwrap()))
        .collect();
    assert_eq!(links, [("can_login", TEST_VM), ("can_write", ALL_USERS), ("can_read", uuid)]);
    assert_eq!(items[0]["properties"], json!({"username": "janedoe"}));
    let again = json!({"uuid": uuid, "vm_uuid": TEST_VM});
    let (_, again) = post(&server, "admin", "setup", &again);
    let uuids = |answer: &Value| -> Vec<Value> {
        answer["items"].as_array().unwrap().iter().map(|item| item["uuid"].clone()).collect()
    };
    assert_eq!(uuids(&again), uuids(&made));
    let (status, gone) = post(&server, "admin", &format!("{uuid}/unsetup"), &json!({}));
    assert_eq!(
        (status, &gone["is_active"], &gone["is_invited"]),
        (200, &json!(false), &json!(false))
    );
    let filters = format!("filters=[[%22tail_uuid%22,%22=%22,%22{uuid}%22]]");
    let (_, left) = server.get("admin", &format!("links?{filters}"));
    assert_eq!(left["items_available"], 0);
}

#[test]
fn what_set_up_cannot_do_is_refused() {
    let server = Server::start("current");
    let status = |auth: &str, body: &Value| post(&server, auth, "setup", body).0;
    assert_eq!(status("active", &json!({"uuid": ACTIVE})), 403);
    assert_eq!(status("", &json!({"uuid": ACTIVE})), 401);
    assert_eq!(status("admin", &json!({"uuid": "zzzzz-tpzed-nobodynobodynob"})), 404);
    assert_eq!(status("admin", &json!({})), 422);
    assert_eq!(status("admin", &json!({"user": {"first_name": "Jane"}})), 422);
    let nowhere = json!({"uuid": ACTIVE, "vm_uuid": "zzzzz-2x53u-nowherenowheren"});
    assert_eq!(status("admin", &nowhere), 422);
    assert_eq!(post(&server, "active", &format!("{ACTIVE}/unsetup"), &json!({})).0, 403);
    let system = "zzzzz-tpzed-000000000000000/unsetup";
    assert_eq!(post(&server, "admin", system, &json!({})).0, 422);
}

#[test]
fn unsetup_takes_tokens_today_and_left_them_in_2015() {
    for (era, left) in [("current", 401), ("2015", 200)] {
        let server = Server::start(era);
        let (status, user) = post(&server, "admin", &format!("{SPECTATOR}/unsetup"), &json!({}));
        assert_eq!((status, &user["is_active"]), (200, &json!(false)), "{era}");
        assert_eq!(server.get("spectator", "users/current").0, left, "{era}");
    }
}

#[test]
fn names_to_log_in_by_do_not_clash() {
    let server = Server::start("current");
    let name = |email: &str| {
        let user = server.create("admin", "users", &json!({"user": {"email": email}}));
        user["username"].clone()
    };
    assert_eq!(name("sam@example.com"), "sam");
    assert_eq!(name("sam@sub.example.com"), "sam2");
    assert_eq!(name("root@example.com"), "root2");
}

#[test]
fn a_merged_user_leaves_what_it_has_to_the_other() {
    let server = Server::start("current");
    let (old, old_token) = newcomer(&server, "old@example.com");
    let (new, new_token) = newcomer(&server, "new@example.com");
    let own = json!({"collection": {"name": "mine", "owner_uuid": old}});
    let collection = server.create("admin", "collections", &own);
    let collection = format!("collections/{}", collection["uuid"].as_str().unwrap());
    let merge = format!("merge?api_token={old_token}");
    let wanted = json!({"new_owner_uuid": new, "new_user_token": new_token,
        "redirect_to_new_user": true});
    let (status, merged) = post(&server, "", &merge, &wanted);
    assert_eq!(
        (status, &merged["uuid"], &merged["username"]),
        (200, &json!(old), &NONE),
        "{merged}"
    );
    let (_, moved) = server.get("admin", &collection);
    assert_eq!(moved["owner_uuid"], new);
    // Either token is the remaining user's.
    let (_, caller) = server.get("", &format!("users/current?api_token={old_token}"));
    assert_eq!(caller["uuid"], new);
    let again = json!({"new_owner_uuid": new, "old_user_uuid": old, "new_user_uuid": new});
    assert_eq!(post(&server, "admin", "merge", &again).0, 422);
}

#[test]
fn a_merge_does_not_put_two_objects_of_one_name_into_one_place() {
    let server = Server::start("current");
    let (old, _) = newcomer(&server, "old@example.com");
    let (new, _) = newcomer(&server, "new@example.com");
    let give = |owner: &str| {
        let body = json!({"collection": {"name": "same", "owner_uuid": owner}});
        server.create("admin", "collections", &body)["uuid"].as_str().unwrap().to_owned()
    };
    let first = give(&old);
    give(&new);
    let merge = json!({"new_owner_uuid": new, "old_user_uuid": old, "new_user_uuid": new});
    assert_eq!(post(&server, "admin", "merge", &merge).0, 422);
    assert_eq!(server.get("admin", &format!("collections/{first}")).1["owner_uuid"], old);
    let path = format!("/arvados/v1/collections/{first}");
    assert_eq!(server.call("admin", "DELETE", &path, &NONE).0, 200);
    assert_eq!(post(&server, "admin", "merge", &merge).0, 200);
}

#[test]
fn a_merged_user_that_is_not_redirected_cannot_come_back() {
    let server = Server::start("current");
    let (old, old_token) = newcomer(&server, "old@example.com");
    let merge = json!({"new_owner_uuid": ACTIVE, "old_user_uuid": old, "new_user_uuid": ACTIVE});
    assert_eq!(post(&server, "admin", "merge", &merge).0, 200);
    assert_eq!(server.get("", &format!("users/current?api_token={old_token}")).0, 401);
}

#[test]
fn a_merge_that_would_take_what_is_not_ones_own_is_refused() {
    let server = Server::start("current");
    let token = |label| sdk_fixtures::auth_token(label).unwrap();
    let status = |auth: &str, body: &Value| post(&server, auth, "merge", body).0;
    let to = |new_owner: &str, token: &str| json!({"new_owner_uuid": new_owner, "new_user_token": token});
    assert_eq!(status("active", &to(ACTIVE, &token("active"))), 422);
    assert_eq!(status("active", &to(SPECTATOR, "wrong")), 401);
    assert_eq!(status("active", &to(SPECTATOR, &token("active_noscope"))), 403);
    assert_eq!(status("active", &to(ADMIN, &token("spectator"))), 403);
    assert_eq!(status("active", &json!({"new_user_token": token("spectator")})), 422);
    let named =
        json!({"new_owner_uuid": ACTIVE, "old_user_uuid": SPECTATOR, "new_user_uuid": ACTIVE});
    assert_eq!(status("active", &named), 403);
    let half = json!({"new_owner_uuid": ACTIVE, "old_user_uuid": SPECTATOR});
    assert_eq!(status("admin", &half), 422);
    let nobody = json!({"new_owner_uuid": ACTIVE, "old_user_uuid": "zzzzz-tpzed-nobodynobodynob",
        "new_user_uuid": ACTIVE});
    assert_eq!(status("admin", &nobody), 422);
}

#[test]
fn a_username_is_letters_and_digits_and_nobody_elses() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let path = format!("/arvados/v1/users/{SPECTATOR}");
        let set =
            |name: &str| server.call("admin", "PUT", &path, &json!({"user": {"username": name}}));
        let (_, active) = server.get("admin", &format!("users/{ACTIVE}"));
        let (status, refused) = set(active["username"].as_str().unwrap());
        assert_eq!(status, 422, "{era}");
        assert!(error_text(&refused).starts_with("Username has already been taken"), "{refused}");
        for wrong in ["1st", "a-b", "a b", "ü"] {
            let (status, refused) = set(wrong);
            assert_eq!(status, 422, "{era} {wrong}");
            assert!(error_text(&refused).contains("must begin with a letter"), "{refused}");
        }
        assert_eq!(set("spectator2").1["username"], "spectator2", "{era}");
    }
}

#[test]
fn who_could_come_back_is_made_inactive_by_unsetup_only() {
    for (era, expected) in [("current", 422), ("2015", 200)] {
        let server = Server::start(era);
        let path = format!("/arvados/v1/users/{ACTIVE}");
        let ended = json!({"user": {"is_active": false}});
        let (status, answer) = server.call("admin", "PUT", &path, &ended);
        assert_eq!(status, expected, "{era} {answer}");
    }
}

#[test]
fn nobody_sees_the_tokens_of_others() {
    let server = Server::start("current");
    let path = "api_client_authorizations/zzzzz-gj3su-077z32aux8dg2s1";
    assert_eq!(server.get("active", path).0, 200);
    assert_eq!(server.get("spectator", path).0, 404);
    assert_eq!(server.get("admin", path).0, 404);
    let server = Server::start("2015");
    let secret = sdk_fixtures::auth_token("active").unwrap();
    let path = format!("api_client_authorizations/{secret}");
    assert_eq!(server.get("admin_trustedclient", &path).0, 200);
}
