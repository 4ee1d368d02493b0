//! User agreements: what is to be signed, and by whom it was.

use serde_json::{Value, json};

use super::api_server::Server;
use super::{FOO_FILE, NONE, SPECTATOR, error_text};

const SYSTEM: &str = "zzzzz-tpzed-000000000000000";

fn uuids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["uuid"].as_str().unwrap()).collect()
}

#[test]
fn users_see_what_the_system_asks_them_to_sign_and_sign_it() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let required_of = |auth: &str| server.get(auth, "user_agreements").1;
        assert!(!uuids(&required_of("spectator")).contains(&FOO_FILE));
        let required = json!({"link": {"link_class": "signature", "name": "require",
            "owner_uuid": SYSTEM, "tail_uuid": SYSTEM, "head_uuid": FOO_FILE}});
        server.create("admin", "links", &required);
        // Even a collection that it could not see otherwise.
        let list = required_of("spectator");
        assert_eq!(list["kind"], "arvados#collectionList");
        assert!(uuids(&list).contains(&FOO_FILE));
        let signed = |auth: &str| server.get(auth, "user_agreements/signatures").1;
        assert_eq!(uuids(&signed("spectator")), [""; 0]);
        let uuid = json!({"uuid": FOO_FILE});
        let signature = server.create("spectator", "user_agreements/sign", &uuid);
        assert_eq!(
            (&signature["name"], &signature["tail_uuid"]),
            (&json!("click"), &json!(SPECTATOR))
        );
        assert_eq!(uuids(&signed("spectator")), [signature["uuid"].as_str().unwrap()]);
        let of_spectator = signature["uuid"].as_str().unwrap();
        assert!(!uuids(&signed("active")).contains(&of_spectator));
        let path = format!("user_agreements/signatures?uuid={SPECTATOR}");
        assert_eq!(uuids(&server.get("admin", &path).1), [of_spectator]);
        assert!(!uuids(&server.get("active", &path).1).contains(&of_spectator));
        assert_eq!(
            server.call("spectator", "POST", "/arvados/v1/user_agreements/sign", &NONE).0,
            422
        );
        assert_eq!(server.call("", "POST", "/arvados/v1/user_agreements/sign", &uuid).0, 401);
    }
}

#[test]
fn user_agreements_are_made_of_collections_and_links() {
    let server = Server::start("current");
    let body = json!({"user_agreement": {"name": "x"}});
    let create = |auth: &str| server.call(auth, "POST", "/arvados/v1/user_agreements", &body);
    let (status, refused) = create("admin");
    assert_eq!(status, 422);
    assert!(error_text(&refused).starts_with("Manage user agreements via Collections and Links"));
    assert_eq!(create("active").0, 403);
    let path = "/arvados/v1/user_agreements/zzzzz-gv0sa-zzzzzzzzzzzzzzz";
    assert_eq!(server.call("admin", "DELETE", path, &NONE).0, 404);
    assert_eq!(server.call("admin", "GET", path, &NONE).0, 404);
}
