//! Lists: what is in them, in which order and form.

use serde_json::{Value, json};
use ureq::http::Request;

use super::FOO_FILE;
use super::api_server::{Server, read};

#[test]
fn a_post_with_method_get_is_a_list() {
    let server = Server::start("current");
    let token = sdk_fixtures::auth_token("active").unwrap();
    let request = Request::post(server.url("/arvados/v1/collections"))
        .header("authorization", format!("OAuth2 {token}"))
        .header("x-http-method-override", "GET")
        .header("content-type", "application/x-www-form-urlencoded");
    let filters = format!("filters=%5B%5B%22uuid%22%2C%22%3D%22%2C%22{FOO_FILE}%22%5D%5D");
    let (status, list) = read(server.send(request.body(filters).unwrap()));
    assert_eq!((status, &list["items_available"]), (200, &json!(1)));
}

#[test]
fn a_list_has_its_envelope_and_keeps_manifests_for_those_who_ask() {
    let server = Server::start("current");
    let (_, list) = server.get("admin", "collections?limit=2&offset=1&order=uuid");
    assert_eq!(list["kind"], "arvados#collectionList");
    assert_eq!((&list["limit"], &list["offset"]), (&json!(2), &json!(1)));
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(items[0]["uuid"].as_str() < items[1]["uuid"].as_str());
    assert!(list["items_available"].as_u64() > Some(2));
    assert!(items.iter().all(|item| item.get("manifest_text").is_none()));
    let (_, list) =
        server.get("admin", "collections?select=[%22manifest_text%22]&limit=100000&count=none");
    assert_eq!(list["limit"], 1000);
    assert_eq!(list.get("items_available"), None);
    let item = list["items"][0].as_object().unwrap();
    let names: Vec<_> = item.keys().collect();
    assert_eq!(names, ["kind", "manifest_text"]);
}

#[test]
fn each_user_lists_what_it_may_read() {
    let server = Server::start("current");
    let available = |auth: &str| {
        let (_, list) = server.get(auth, "collections?limit=0");
        list["items_available"].as_u64().unwrap()
    };
    assert!(available("admin") > available("active"));
    assert!(available("active") > available("spectator"));
}

#[test]
fn what_may_be_read_for_several_reasons_is_listed_once() {
    let server = Server::start("current");
    let made: Vec<String> = (0..5)
        .map(|number| {
            let collection = json!({"collection": {"name": format!("twice {number}")}});
            let made = server.create("active", "collections", &collection);
            made["uuid"].as_str().unwrap().to_owned()
        })
        .collect();
    let owner = server.get("active", "users/current").1["uuid"].clone();
    for uuid in &made {
        let link = json!({"link": {"link_class": "permission", "name": "can_read",
            "tail_uuid": owner, "head_uuid": uuid}});
        server.create("active", "links", &link);
    }
    let query = "collections?order=name&filters=[[%22name%22,%22like%22,%22twice%25%22]]";
    for count in ["exact", "none"] {
        for offset in 0..made.len() {
            let page = format!("{query}&count={count}&limit=2&offset={offset}");
            let (_, list) = server.get("active", &page);
            let items = list["items"].as_array().unwrap().iter();
            let found: Vec<_> = items.map(|item| item["uuid"].as_str().unwrap()).collect();
            assert_eq!(found, made[offset..(offset + 2).min(made.len())], "{page}");
            if count == "exact" {
                assert_eq!(list["items_available"], 5);
            }
        }
    }
}

#[test]
fn distinct_answers_are_counted_and_paged_as_such() {
    let server = Server::start("current");
    let list = |query: &str| server.get("admin", &format!("collections?{query}")).1;
    let owners = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["owner_uuid"].as_str().unwrap().to_owned()).collect()
    };
    let select = "select=[%22owner_uuid%22]";
    let mut expected = owners(&list(&format!("{select}&limit=1000")));
    let collections = expected.len();
    expected.sort();
    expected.dedup();
    assert!(expected.len() > 3 && expected.len() < collections);
    let mut found = Vec::new();
    for offset in (0..expected.len()).step_by(3) {
        let page = list(&format!("{select}&distinct=true&limit=3&offset={offset}"));
        assert_eq!(page["items_available"], expected.len());
        found.extend(owners(&page));
    }
    assert_eq!(found, expected);
    assert_eq!(list("distinct=true&limit=0")["items_available"], collections);
}

#[test]
fn where_is_another_form_of_filters() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let found = |wanted: &Value| {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("where", &wanted.to_string())
                .append_pair("select", "[\"uuid\"]")
                .finish();
            let (status, list) = server.get("admin", &format!("collections?{query}"));
            let items = list["items"].as_array().into_iter().flatten();
            let uuids: Vec<_> = items.map(|item| item["uuid"].clone()).collect();
            (status, uuids.contains(&json!(FOO_FILE)), uuids.len())
        };
        assert_eq!(found(&json!({"name": "foo_file"})), (200, true, 1), "{era}");
        assert_eq!(found(&json!({"uuid": [FOO_FILE, "x"]})), (200, true, 1), "{era}");
        let (_, contains, several) = found(&json!({"name": ["contains", "FOO"]}));
        assert!(contains && several > 1, "{era}");
        assert!(found(&json!({"any": ["contains", "foo_f"]})).1, "{era}");
        assert!(!found(&json!({"name": null})).1, "{era}");
        for wrong in [json!({"nome": "x"}), json!({"name": 1}), json!([1]), json!("x")] {
            assert_eq!(found(&wrong).0, 422, "{era} {wrong}");
        }
    }
}

#[test]
fn parameters_of_a_federation_do_no_harm() {
    let server = Server::start("current");
    let all = server.get("admin", "collections?limit=0").1["items_available"].clone();
    for query in ["cluster_id=zzzzz", "bypass_federation=true"] {
        let (status, list) = server.get("admin", &format!("collections?limit=0&{query}"));
        assert_eq!((status, &list["items_available"]), (200, &all));
    }
}

#[test]
fn words_are_looked_for_in_2015() {
    let server = Server::start("2015");
    for (name, description) in [("first", "Annual fishing report"), ("second", "report of fish")] {
        let body = json!({"collection": {"name": name, "description": description}});
        server.create("active", "collections", &body);
    }
    let count = |filter: &Value| {
        let filters = format!("[{}]", filter.to_string().replace('"', "%22").replace(' ', "%20"));
        let (status, list) = server.get("active", &format!("collections?filters={filters}"));
        (status, list["items_available"].as_u64())
    };
    for (query, expected) in [("report", 2), ("REPORT annual", 1), ("fish:*", 2), ("fish", 1)] {
        assert_eq!(count(&json!(["any", "@@", query])), (200, Some(expected)), "{query}");
    }
    assert_eq!(count(&json!(["description", "@@", "report"])).0, 422);
    assert_eq!(count(&json!(["any", "@@", ["report"]])).0, 422);
}
