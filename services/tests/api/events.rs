//! The log of all changes, and those who follow it.

use serde_json::json;

use super::api_server::Server;
use super::follower::Follower;
use super::{ACTIVE, NONE, SPECTATOR};

/// Both.
pub(crate) const ERAS: [&str; 2] = ["2015", "current"];

/// Makes a key of the user `auth`: of what both eras have, among the plainest.
pub(crate) fn make(server: &Server, auth: &str) -> String {
    let made = server.create(auth, "authorized_keys", &json!({"authorized_key": {}}));
    made["uuid"].as_str().unwrap().to_owned()
}

/// Ids of the log behind `after`, in the way in which clients poll.
fn poll(server: &Server, after: i64) -> Vec<i64> {
    let query = format!("logs?order=id%20asc&filters=[[%22id%22,%22%3E%22,%22{after}%22]]");
    let (status, list) = server.get("admin", &query);
    assert_eq!(status, 200);
    list["items"].as_array().unwrap().iter().map(|log| log["id"].as_i64().unwrap()).collect()
}

#[test]
fn events_come_as_things_happen() {
    for (era, deletion) in [("2015", "destroy"), ("current", "delete")] {
        let server = Server::start(era);
        let mut follower = Follower::connect(&server, "active");
        follower.subscribe(&json!([]));
        let uuid = make(&server, "active");
        assert_eq!(follower.event(), ("create".to_owned(), uuid.clone()));
        let path = format!("/arvados/v1/authorized_keys/{uuid}");
        server.call("active", "PUT", &path, &json!({"authorized_key": {"name": "new"}}));
        assert_eq!(follower.event(), ("update".to_owned(), uuid.clone()));
        server.call("active", "DELETE", &path, &NONE);
        assert_eq!(follower.event(), (deletion.to_owned(), uuid));
    }
}

#[test]
fn an_event_of_2015_is_the_whole_entry() {
    let server = Server::start("2015");
    let mut follower = Follower::connect(&server, "active");
    follower.subscribe(&json!([]));
    let uuid = make(&server, "active");
    let event = follower.next().unwrap();
    let (_, entry) = server.get("active", &format!("logs/{}", event["uuid"].as_str().unwrap()));
    assert_eq!(event, entry);
    assert_eq!(event["summary"], format!("create of {uuid}"));
    assert_eq!(event["object_owner_uuid"], ACTIVE);
    assert_eq!(event["object_kind"], "arvados#authorizedKey");
    let properties = &event["properties"];
    assert_eq!(properties["old_attributes"], NONE);
    assert_eq!(properties["new_attributes"]["uuid"], uuid);
    assert_eq!(event["event_at"], properties["new_attributes"]["created_at"]);
    let (_, object) = server.get("active", &format!("authorized_keys/{uuid}"));
    assert_eq!(properties["new_etag"], object["etag"]);
}

#[test]
fn an_event_of_today_is_trimmed_and_numbered() {
    let server = Server::start("current");
    let mut follower = Follower::connect(&server, "active");
    follower.subscribe(&json!([]));
    let body = json!({"collection": {"name": "a", "properties": {"much": "more"}}});
    let made = server.create("active", "collections", &body);
    let path = format!("/arvados/v1/collections/{}", made["uuid"].as_str().unwrap());
    server.call("active", "DELETE", &path, &NONE);
    let [first, second] = [(), ()].map(|()| follower.next().unwrap());
    assert_eq!((&first["msgID"], &second["msgID"]), (&json!(1), &json!(2)));
    assert_eq!(first["object_kind"], "arvados#collection");
    let told = json!({"name": "a", "is_trashed": false, "owner_uuid": ACTIVE,
        "portable_data_hash": "d41d8cd98f00b204e9800998ecf8427e+0"});
    assert_eq!(first["properties"], json!({"new_attributes": told}));
    assert_eq!(first.get("summary"), None);
    // What goes to the trash is still there to be told of.
    assert_eq!(second["event_type"], "update");
    assert_eq!(second["properties"]["old_attributes"], told);
    assert_eq!(second["properties"]["new_attributes"]["is_trashed"], true);
}

#[test]
fn what_was_missed_comes_first_and_nothing_twice() {
    for era in ERAS {
        let server = Server::start(era);
        let last = *poll(&server, 0).last().unwrap();
        let missed: Vec<_> = (0..3).map(|_| make(&server, "active")).collect();
        let mut follower = Follower::connect(&server, "active");
        let subscribe = json!({"method": "subscribe", "filters": [], "last_log_id": last});
        assert_eq!(follower.say(&subscribe)["status"], 200);
        let live = make(&server, "active");
        for uuid in missed.into_iter().chain([live]) {
            assert_eq!(follower.event().1, uuid, "{era}");
        }
        assert_eq!(follower.say(&json!({"method": "unsubscribe"}))["status"], 200);
    }
}

#[test]
fn only_subscriptions_bring_events() {
    for era in ERAS {
        let server = Server::start(era);
        let mut follower = Follower::connect(&server, "active");
        make(&server, "active");
        let creations = json!([["event_type", "in", ["create"]]]);
        follower.subscribe(&creations);
        let uuid = make(&server, "active");
        let path = format!("/arvados/v1/authorized_keys/{uuid}");
        server.call("active", "PUT", &path, &json!({"authorized_key": {"name": "new"}}));
        let second = make(&server, "active");
        assert_eq!(follower.event().1, uuid, "{era}");
        assert_eq!(follower.event().1, second, "{era}");
        // A second one for the same does not bring them twice.
        follower.subscribe(&json!([]));
        let third = make(&server, "active");
        assert_eq!(follower.event().1, third, "{era}");
        for filters in [&creations, &json!([])] {
            let unsubscribe = json!({"method": "unsubscribe", "filters": filters});
            assert_eq!(follower.say(&unsubscribe)["status"], 200, "{era}");
        }
        make(&server, "active");
        follower.subscribe(&creations);
    }
}

#[test]
fn a_filter_of_2015_is_any_that_logs_have() {
    let server = Server::start("2015");
    let mut follower = Follower::connect(&server, "active");
    follower.subscribe(&json!([["object_uuid", "is_a", "arvados#authorizedKey"]]));
    server.create("active", "collections", &json!({"collection": {"name": "other"}}));
    let uuid = make(&server, "active");
    assert_eq!(follower.event().1, uuid);
}

#[test]
fn events_are_for_those_who_may_see_their_object() {
    // Entries about links are for whoever reads the link, which in 2015 says nothing of the entry.
    // What is deleted today is changed: it goes to the trash.
    for (era, deletion, shows_links) in [("2015", "destroy", false), ("current", "update", true)] {
        let server = Server::start(era);
        let mut follower = Follower::connect(&server, "spectator");
        let mut admin = Follower::connect(&server, "admin");
        for follower in [&mut follower, &mut admin] {
            follower.subscribe(&json!([["event_type", "in", ["create", "update", deletion]]]));
        }
        let project = json!({"group": {"group_class": "project", "name": era}});
        let project = server.create("active", "groups", &project);
        let project = project["uuid"].as_str().unwrap();
        let inside = json!({"collection": {"owner_uuid": project}});
        let hidden = server.create("active", "collections", &inside);
        // Whether an event may be seen is asked when it is sent: what comes next brings the
        // link into being only after these were passed over.
        let before = make(&server, "spectator");
        assert_eq!(follower.event(), ("create".to_owned(), before), "{era}");
        let link = json!({"link": {"link_class": "permission", "name": "can_read",
            "tail_uuid": SPECTATOR, "head_uuid": project}});
        let link = server.create("active", "links", &link);
        let shown = server.create("active", "collections", &inside);
        let shown = shown["uuid"].as_str().unwrap();
        server.call("active", "DELETE", &format!("/arvados/v1/collections/{shown}"), &NONE);
        if shows_links {
            assert_eq!(follower.event().1, link["uuid"].as_str().unwrap(), "{era}");
        }
        assert_eq!(follower.event(), ("create".to_owned(), shown.to_owned()), "{era}");
        assert_eq!(follower.event(), (deletion.to_owned(), shown.to_owned()), "{era}");
        let link = format!("/arvados/v1/links/{}", link["uuid"].as_str().unwrap());
        assert_eq!(server.call("active", "DELETE", &link, &NONE).0, 200);
        server.create("active", "collections", &inside);
        let own = make(&server, "spectator");
        assert_eq!(follower.event(), ("create".to_owned(), own), "{era}");
        for uuid in [project, hidden["uuid"].as_str().unwrap()] {
            assert_eq!(admin.event().1, uuid, "{era}");
        }
    }
}

#[test]
fn a_token_that_ends_brings_no_more_events() {
    let server = Server::start("current");
    let token = json!({"api_client_authorization": {"scopes": ["all"]}});
    let token = server.create("active", "api_client_authorizations", &token);
    let mut follower = Follower::with_token(&server, token["api_token"].as_str().unwrap());
    follower.subscribe(&json!([]));
    let seen = make(&server, "active");
    assert_eq!(follower.event().1, seen);
    let path = format!("/arvados/v1/api_client_authorizations/{}", token["uuid"].as_str().unwrap());
    assert_eq!(server.call("active", "DELETE", &path, &NONE).0, 200);
    make(&server, "active");
    assert_eq!(follower.say(&json!({"method": "unsubscribe"})), json!({"status": 200}));
}

#[test]
fn a_scope_limits_what_a_token_of_today_is_told() {
    let server = Server::start("current");
    let token = json!({"api_client_authorization": {"scopes": ["GET /arvados/v1/collections/"]}});
    let token = server.create("active", "api_client_authorizations", &token);
    let mut follower = Follower::with_token(&server, token["api_token"].as_str().unwrap());
    follower.subscribe(&json!([]));
    make(&server, "active");
    let made = server.create("active", "collections", &json!({"collection": {}}));
    assert_eq!(follower.event().1, made["uuid"].as_str().unwrap());
}

#[test]
fn events_go_on_after_a_reset_and_ids_do_not_come_again() {
    for era in ERAS {
        let server = Server::start(era);
        let mut follower = Follower::connect(&server, "active");
        follower.subscribe(&json!([]));
        for _ in 0..3 {
            make(&server, "active");
            follower.event();
        }
        let last = *poll(&server, 0).last().unwrap();
        assert_eq!(server.call("admin", "POST", "/database/reset", &NONE).0, 200);
        assert!(poll(&server, last).is_empty(), "{era}");
        let uuid = make(&server, "active");
        let event = follower.next().unwrap();
        assert_eq!(event["object_uuid"], uuid, "{era}");
        assert_eq!(poll(&server, last), [event["id"].as_i64().unwrap()], "{era}");
    }
}

#[test]
fn clients_add_to_the_log_and_only_admins_change_it() {
    for era in ERAS {
        let server = Server::start(era);
        let mut follower = Follower::connect(&server, "active");
        follower.subscribe(&json!([]));
        let object = make(&server, "active");
        follower.event();
        let properties = json!({"text": "step 1\nstep 2\n", "node": {"name": "here"}});
        let entry = json!({"log": {"object_uuid": object, "event_type": "stderr",
            "summary": "progress", "properties": properties}});
        let entry = server.create("active", "logs", &entry);
        let event = follower.next().unwrap();
        assert_eq!((&event["id"], &event["event_type"]), (&entry["id"], &json!("stderr")));
        assert_eq!(event["properties"], properties, "{era}");
        assert!(entry["event_at"].is_string());
        let path = format!("/arvados/v1/logs/{}", entry["uuid"].as_str().unwrap());
        let change = json!({"log": {"summary": "other"}});
        assert_eq!(server.call("active", "PUT", &path, &change).0, 403);
        assert_eq!(server.call("active", "DELETE", &path, &NONE).0, 403);
        assert_eq!(server.call("admin", "PUT", &path, &change).0, 200);
        assert_eq!(server.call("admin", "DELETE", &path, &NONE).0, 200);
        // Neither is an event, and the id is not used again.
        let next = make(&server, "active");
        let event = follower.next().unwrap();
        assert_eq!(event["object_uuid"], next, "{era}");
        assert!(event["id"].as_i64() > entry["id"].as_i64(), "{era}");
    }
}
