//! Every attribute of every class, set to values of all types, as the discovery document lists them.

use serde_json::{Map, Value, json};

use super::api_server::Server;
use super::discovered::Discovered;
use super::{ACTIVE, FOO_FILE, NONE};

/// An admin who may also manage tokens in both eras.
const ADMIN: &str = "admin_trustedclient";

#[test]
fn every_attribute_of_today_is_kept_or_refused() {
    try_all("current");
}

#[test]
fn every_attribute_of_2015_is_kept_or_refused() {
    try_all("2015");
}

fn try_all(era: &'static str) {
    let server = Server::start(era);
    let discovered = Discovered::read(&server);
    for (plural, (singular, schema)) in discovered.classes() {
        let base = format!("/arvados/v1/{plural}");
        let mut number = 0;
        let mut create = |more: Value| {
            number += 1;
            let mut attributes = sample(&server, plural, number);
            attributes.extend(more.as_object().unwrap().clone());
            server.call(ADMIN, "POST", &base, &json!({singular: attributes}))
        };
        let (status, made) = create(json!({}));
        if plural == "user_agreements" {
            // They are collections, and made by that name.
            assert_eq!(status, 422, "{era}: {made}");
            continue;
        }
        assert_eq!(status, 200, "{era} {plural}: {made}");
        let plain_path = format!("{base}/{}", made["uuid"].as_str().unwrap());
        // Some attributes put it into the trash.
        let path = format!("{plain_path}?include_trash=true");
        let shown = |path: &str| server.call(ADMIN, "GET", path, &NONE);
        assert_eq!(shown(&path).1["etag"], made["etag"], "{era} {plural}");
        let nonsense = json!({singular: {"nonsense": 1}});
        assert_eq!(server.call(ADMIN, "PUT", &path, &nonsense).0, 422, "{era} {plural}");
        assert_eq!(create(json!({"nonsense": 1})).0, 422, "{era} {plural}");
        let mut before = shown(&path).1;
        for (name, kind) in discovered.types(schema) {
            // A token is for its owner's eyes: given to another, it is not found again.
            if plural == "api_client_authorizations" && name == "owner_uuid" {
                continue;
            }
            for (number, value) in values(&kind).into_iter().enumerate() {
                let told = format!("{era} {plural}: {name} = {value}");
                let body = json!({singular: {&name: &value}});
                let (status, changed) = server.call(ADMIN, "PUT", &path, &body);
                check(&told, status, &changed, &name, &kind, &value, &before);
                let after = shown(&path);
                assert_eq!(after.0, 200, "{told}");
                if status == 200 {
                    assert_eq!(after.1[&name], changed[&name], "{told}");
                } else {
                    assert_eq!(after.1, before, "{told}");
                }
                before = after.1;
                // Creating it is like updating it, and once of either type is enough.
                if number % 4 == 0 {
                    let (status, made) = create(json!({&name: &value}));
                    let initial = Value::Object(Map::new());
                    check(&told, status, &made, &name, &kind, &value, &initial);
                }
            }
        }
        let (status, _) = server.call(ADMIN, "DELETE", &path, &NONE);
        assert!(matches!(status, 200 | 403 | 422), "{era} {plural}: {status}");
        if status == 200 {
            assert_eq!(shown(&plain_path).0, 404, "{era} {plural}");
        }
    }
    assert_eq!(server.complaints(), Vec::<String>::new());
}

/// A value is refused, or kept, or the server's own stays.
fn check(
    told: &str,
    status: u16,
    answer: &Value,
    name: &str,
    kind: &str,
    value: &Value,
    before: &Value,
) {
    assert!(matches!(status, 200 | 403 | 422), "{told}: {status} {answer}");
    if status != 200 {
        return;
    }
    let now = &answer[name];
    let is_new = before.as_object().unwrap().is_empty();
    let unchanged = is_new || now == &before[name];
    // What is null may have a value of the server's.
    let kept = now == &as_shown(kind, value) || value.is_null() || is_derived(name);
    assert!(unchanged || kept, "{told}: {now}");
    // What is shown is of the type that the document says.
    assert!(is_of(kind, now), "{told}: {now}");
}

/// What follows from other attributes, or changes with every change.
fn is_derived(name: &str) -> bool {
    matches!(
        name,
        "delete_at" | "etag" | "info" | "is_trashed" | "manifest_text" | "modified_at" | "trash_at"
    )
}

fn is_of(kind: &str, value: &Value) -> bool {
    value.is_null()
        || match kind {
            "integer" => value.is_i64(),
            "float" => value.is_number(),
            "boolean" => value.is_boolean(),
            "Hash" => value.is_object(),
            "Array" => value.is_array(),
            "datetime" => {
                value.as_str().is_some_and(|text| text.len() == 30 && text.ends_with('Z'))
            }
            _ => value.is_string(),
        }
}

/// A value as answers show it, if clients may send it in that form.
fn as_shown(kind: &str, value: &Value) -> Value {
    match (kind, value) {
        ("string" | "text", Value::Number(_) | Value::Bool(_)) => Value::String(value.to_string()),
        ("integer" | "float" | "datetime", Value::String(text)) if text.is_empty() => Value::Null,
        ("boolean", Value::String(text)) if text.is_empty() => json!(false),
        ("boolean", Value::Number(number)) => json!(number.as_i64() == Some(1)),
        ("integer" | "Hash" | "Array" | "boolean", Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_default()
        }
        ("float", Value::Number(number)) => json!(number.as_f64()),
        ("datetime", Value::String(text)) => json!(text.replace('Z', ".000000000Z")),
        _ => value.clone(),
    }
}

/// Values of type `kind`, and others.
fn values(kind: &str) -> Vec<Value> {
    let right = match kind {
        "integer" => json!([3, "4", -1, i64::MAX]),
        "float" => json!([0.5, 2]),
        "boolean" => json!([true, "false", 1]),
        "datetime" => json!(["2030-02-03T04:05:06Z"]),
        "Hash" => json!([{"a": {"b": [1, null]}}, "{\"a\": 1}"]),
        "Array" => json!([["x"], "[\"y\"]"]),
        _ => json!(["some text", "ünï 'quoted\" \\", ACTIVE]),
    };
    let wrong = json!([null, "", "no", 7, 1e300, u64::MAX, {"a": 1}, [[]], "a\0b"]);
    [right, wrong].iter().flat_map(|values| values.as_array().unwrap().clone()).collect()
}

/// What the `number`th object of a class needs at least.
fn sample(server: &Server, plural: &str, number: usize) -> Map<String, Value> {
    let command = json!({"command": ["true"], "container_image": "none", "output_path": "/out",
        "cwd": "/", "mounts": {}, "environment": {"N": number.to_string()}});
    let job = || {
        json!({"repository": "active/foo", "script": "hash", "script_parameters": {},
            "script_version": "1de84a854e2b440dc53bf42f8548afa4c17da332"})
    };
    let sample = match plural {
        "containers" | "container_requests" => command,
        "credentials" => json!({"name": format!("c{number}")}),
        "groups" => json!({"group_class": "project"}),
        "job_tasks" => {
            json!({"job_uuid": server.create("admin", "jobs", &json!({"job": job()}))["uuid"]})
        }
        "jobs" => job(),
        "links" => json!({"link_class": "test"}),
        "repositories" => json!({"name": format!("admin/r{number}")}),
        "users" => json!({"email": format!("u{number}@example.com")}),
        _ => json!({}),
    };
    sample.as_object().unwrap().clone()
}

#[test]
fn null_is_an_object_or_array_with_nothing_in_it() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let link = json!({"link": {"link_class": "tag", "name": "x", "properties": null}});
        let link = server.create("active", "links", &link);
        assert_eq!(link["properties"], json!({}), "{era}");
        let path = format!("/arvados/v1/collections/{FOO_FILE}");
        for properties in [json!({"a": 1}), json!(null)] {
            let body = json!({"collection": {"properties": properties}});
            let (status, updated) = server.call("admin", "PUT", &path, &body);
            assert_eq!(status, 200, "{era}: {updated}");
            assert!(updated["properties"].is_object(), "{era}: {updated}");
        }
        let (_, collection) = server.get("admin", &format!("collections/{FOO_FILE}"));
        assert_eq!(collection["properties"], json!({}), "{era}");
    }
}
