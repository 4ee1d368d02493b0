//! What projects hold, and what is shared.

use serde_json::{Value, json};

use super::api_server::Server;
use super::{ACTIVE, SPECTATOR};

const A_PROJECT: &str = "zzzzz-j7d0g-v955i6s2oi1cbso";
const A_SUBPROJECT: &str = "zzzzz-j7d0g-axqo7eu9pwvna1x";
const PROJECT_WITH_10_COLLECTIONS: &str = "zzzzz-j7d0g-0010collections";
const FILTER_GROUP: &str = "zzzzz-j7d0g-thisfiltergroup";

fn contents(server: &Server, auth: &str, query: &str) -> Value {
    let (status, list) = server.get(auth, &format!("groups/contents?{query}"));
    assert_eq!(status, 200, "{list}");
    assert_eq!(list["kind"], "arvados#objectList");
    list
}

fn all_of<'a>(list: &'a Value, attribute: &str) -> Vec<&'a str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item[attribute].as_str().unwrap()).collect()
}

fn filters(filters: &Value) -> String {
    let encoded: String = form_urlencoded::byte_serialize(filters.to_string().as_bytes()).collect();
    format!("filters={encoded}")
}

#[test]
fn a_project_lists_its_subprojects_first_and_then_its_collections() {
    let server = Server::start("current");
    let list = contents(&server, "active", &format!("uuid={A_PROJECT}"));
    let kinds = all_of(&list, "kind");
    assert_eq!(kinds.first(), Some(&"arvados#group"));
    assert_eq!(kinds.last(), Some(&"arvados#collection"));
    assert!(all_of(&list, "owner_uuid").iter().all(|owner| *owner == A_PROJECT));
    assert_eq!(list["items_available"], kinds.len());
    assert!(list["items"].as_array().unwrap().iter().all(|item| item["manifest_text"].is_null()));
    let (status, by_path) = server.get("active", &format!("groups/{A_PROJECT}/contents"));
    assert_eq!((status, &by_path), (200, &list));
    assert_eq!(server.get("spectator", &format!("groups/{A_PROJECT}/contents")).0, 404);
    assert_eq!(server.get("active", "groups/zzzzz-j7d0g-nothingnothingn/contents").0, 404);
}

#[test]
fn pages_of_contents_join_without_gaps_across_classes() {
    let server = Server::start("current");
    let query = format!("uuid={ACTIVE}&order=name");
    let whole = contents(&server, "active", &query);
    let uuids = all_of(&whole, "uuid");
    assert!(uuids.len() > 7, "{whole}");
    let mut found = Vec::new();
    for offset in (0..uuids.len()).step_by(3) {
        let page = contents(&server, "active", &format!("{query}&limit=3&offset={offset}"));
        assert_eq!((&page["limit"], &page["offset"]), (&json!(3), &json!(offset)));
        assert_eq!(page["items_available"], uuids.len());
        found.extend(all_of(&page, "uuid").into_iter().map(str::to_owned));
    }
    assert_eq!(found, uuids);
    let uncounted = contents(&server, "active", &format!("{query}&count=none"));
    assert_eq!(uncounted.get("items_available"), None);
    let none = contents(&server, "active", &format!("{query}&limit=0"));
    assert_eq!((&none["items"], &none["items_available"]), (&json!([]), &json!(uuids.len())));
}

#[test]
fn contents_are_filtered_ordered_and_selected_by_class() {
    let server = Server::start("current");
    let in_project = format!("uuid={PROJECT_WITH_10_COLLECTIONS}");
    let list = |query: String| contents(&server, "admin", &format!("{in_project}&{query}"));
    let named =
        list(filters(&json!([["collections.name", "in", ["Collection_3", "Collection_1"]]])));
    assert_eq!(named["items_available"], 2);
    let ordered = list(format!(
        "order=[%22collections.name+desc%22]&{}",
        filters(&json!([["name", "like", "Collection_%"]]))
    ));
    let names = all_of(&ordered, "name");
    assert_eq!((names.first(), names.last()), (Some(&"Collection_9"), Some(&"Collection_1")));
    let selected = list("select=[%22uuid%22,%22portable_data_hash%22]&limit=1".to_owned());
    let item = selected["items"][0].as_object().unwrap();
    assert_eq!(item.keys().collect::<Vec<_>>(), ["kind", "uuid", "portable_data_hash"]);
    let is_a = contents(
        &server,
        "active",
        &format!("uuid={A_PROJECT}&{}", filters(&json!([["uuid", "is_a", "arvados#group"]]))),
    );
    assert_eq!(all_of(&is_a, "uuid"), [A_SUBPROJECT]);
    for wrong in [
        filters(&json!([["nowhere", "=", "x"]])),
        filters(&json!([["virtual_machines.hostname", "=", "x"]])),
        filters(&json!([["collections.version", "like", "1"]])),
        filters(&json!("name")),
        "select=[%22nowhere%22]".to_owned(),
        "limit=many".to_owned(),
        "exclude_home_project=true".to_owned(),
    ] {
        let path = format!("groups/contents?{in_project}&{wrong}");
        assert_eq!(server.get("admin", &path).0, 422, "{wrong}");
    }
}

#[test]
fn recursive_contents_reach_into_subprojects() {
    let server = Server::start("current");
    let owners = |query: &str| {
        let list = contents(&server, "active", &format!("uuid={A_PROJECT}{query}"));
        let mut owners: Vec<_> =
            all_of(&list, "owner_uuid").into_iter().map(str::to_owned).collect();
        owners.sort();
        owners.dedup();
        owners
    };
    assert_eq!(owners(""), [A_PROJECT]);
    assert_eq!(owners("&recursive=true"), [A_SUBPROJECT, A_PROJECT]);
    let list = contents(&server, "active", &format!("uuid={A_PROJECT}&include=owner_uuid"));
    assert_eq!(list["included"][0]["uuid"], A_PROJECT);
    let list = contents(&server, "active", &format!("uuid={A_PROJECT}&include=[%22owner_uuid%22]"));
    assert_eq!(list["included"].as_array().unwrap().len(), 1);
}

#[test]
fn a_filter_group_holds_what_its_filters_match() {
    let server = Server::start("current");
    let of_kinds = filters(&json!([["uuid", "is_a", ["arvados#group", "arvados#collection"]]]));
    let list = contents(&server, "active", &format!("uuid={FILTER_GROUP}&{of_kinds}"));
    for (kind, name) in all_of(&list, "kind").into_iter().zip(all_of(&list, "name")) {
        match kind {
            "arvados#group" => assert_eq!(name, "A Subproject"),
            _ => assert!(name.starts_with("baz"), "{name}"),
        }
    }
    assert!(list["items_available"].as_u64() > Some(1));
}

#[test]
fn what_is_shared_lies_outside_of_ones_home() {
    let server = Server::start("current");
    let shared = |auth: &str| {
        let (status, list) = server.get(auth, "groups/shared?include=owner_uuid&limit=1000");
        assert_eq!(status, 200, "{list}");
        assert_eq!(list["kind"], "arvados#groupList");
        list
    };
    assert!(!all_of(&shared("active"), "uuid").contains(&A_PROJECT));
    let seen = shared("project_viewer");
    assert!(all_of(&seen, "uuid").contains(&A_PROJECT));
    // Its parent can be seen, so that one comes to it from there.
    assert!(!all_of(&seen, "uuid").contains(&A_SUBPROJECT));
    assert!(all_of(&shared("subproject_admin"), "uuid").contains(&A_SUBPROJECT));
    let included: Vec<_> =
        seen["included"].as_array().unwrap().iter().map(|owner| &owner["uuid"]).collect();
    assert!(!included.contains(&&json!(ACTIVE)), "its owner is not for this user to see");
    let everywhere = contents(&server, "active", "exclude_home_project=true&limit=1000");
    assert!(!all_of(&everywhere, "owner_uuid").contains(&ACTIVE));
    assert_eq!(server.get("", "groups/shared").0, 401);
}

#[test]
fn what_lies_below_a_trashed_project_is_in_the_trash_with_it() {
    let server = Server::start("current");
    let project = json!({"group": {"group_class": "project", "name": "outer"}});
    let outer = server.create("active", "groups", &project);
    let outer = outer["uuid"].as_str().unwrap();
    let project = json!({"group": {"group_class": "project", "owner_uuid": outer}});
    let inner = server.create("active", "groups", &project);
    let inner = inner["uuid"].as_str().unwrap();
    let collection = json!({"collection": {"owner_uuid": inner}});
    let collection = server.create("active", "collections", &collection);
    let collection = collection["uuid"].as_str().unwrap();
    let act = |action: &str| {
        let path = format!("/arvados/v1/groups/{outer}/{action}");
        assert_eq!(server.call("active", "POST", &path, &json!({})).0, 200);
    };
    let paths = [
        format!("groups/{outer}"),
        format!("groups/{inner}"),
        format!("collections/{collection}"),
        format!("groups/{inner}/contents"),
    ];
    act("trash");
    for path in &paths {
        assert_eq!(server.get("active", path).0, 404, "{path}");
        assert_eq!(server.get("active", &format!("{path}?include_trash=true")).0, 200, "{path}");
    }
    act("untrash");
    for path in &paths {
        assert_eq!(server.get("active", path).0, 200, "{path}");
    }
}

#[test]
fn in_2015_contents_are_of_one_project_and_nothing_is_shared() {
    let server = Server::start("2015");
    let list = contents(&server, "active", &format!("uuid={A_PROJECT}&recursive=true"));
    assert!(all_of(&list, "owner_uuid").iter().all(|owner| *owner == A_PROJECT));
    assert!(all_of(&list, "kind").contains(&"arvados#collection"));
    let home = contents(&server, "spectator", &format!("uuid={SPECTATOR}"));
    assert_eq!(home.get("included"), None);
    assert_eq!(server.get("active", "groups/shared").0, 404);
}
