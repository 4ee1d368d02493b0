//! What is refused: cycles of owners, and tokens that may not.

use serde_json::json;

use super::ACTIVE;
use super::api_server::Server;

#[test]
fn no_project_is_within_itself() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let project = |owner: &str| {
            let project = json!({"group": {"group_class": "project", "owner_uuid": owner}});
            let project = server.create("active", "groups", &project);
            project["uuid"].as_str().unwrap().to_owned()
        };
        let outer = project(ACTIVE);
        let inner = project(&outer);
        let give = |uuid: &str, owner: &str| {
            let body = json!({"group": {"owner_uuid": owner}});
            server.call("active", "PUT", &format!("/arvados/v1/groups/{uuid}"), &body).0
        };
        assert_eq!(give(&outer, &inner), 422, "{era}");
        assert_eq!(give(&outer, &outer), 422, "{era}");
        assert_eq!(give(&inner, ACTIVE), 200, "{era}");
        assert_eq!(give(&outer, &inner), 200, "{era}");
    }
}

#[test]
fn a_reader_token_makes_up_for_a_missing_scope_in_2015_only() {
    for (era, status) in [("current", 403), ("2015", 200)] {
        let server = Server::start(era);
        let reader = sdk_fixtures::auth_token("spectator").unwrap();
        let path = format!("users/current?reader_tokens=[%22{reader}%22]");
        let collections = path.replace("users/current", "collections");
        assert_eq!(server.get("active_noscope", &collections).0, status, "{era}");
        assert_eq!(server.get("", &path).0, 401, "{era}: readers are not who calls");
        let scoped = path.replace("%22]", "%22,%22unknown%22]");
        let scoped = scoped.replace("users/current", "collections");
        assert_eq!(server.get("", &scoped).0, 200, "{era}: unknown ones do no harm");
        let expired = sdk_fixtures::auth_token("expired").unwrap();
        let path = format!("collections?reader_tokens=[%22{expired}%22]");
        assert_eq!(server.get("", &path).0, 401, "{era}");
        let body = json!({"collection": {}});
        let path = format!("/arvados/v1/{collections}");
        assert_eq!(server.call("active_noscope", "POST", &path, &body).0, 403, "{era}");
    }
}
