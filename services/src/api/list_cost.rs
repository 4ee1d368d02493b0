//! What a list, and a new object, costs: the steps of SQLite's machine, with few other objects stored
//! and with many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::http::request::Builder;
use rusqlite::Connection;
use sdk_fixtures::Fixtures;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::context::{Api, Context};
use super::discovery_cache::DiscoveryCache;
use super::error::Result;
use super::object::{self, Object};
use super::permission_cache::PermissionCache;
use super::request::ApiRequest;
use super::resource::Resource;
use super::store::Store;
use super::{caller, image, list, resources, schema, uuid, write};
use crate::era::Era;

/// A project of the user `active`.
const PROJECT: &str = "zzzzz-j7d0g-v955i6s2oi1cbso";
const HASH: &str = "00000000000000000000000000000000+45";
const TARGET: &str = "zzzzz-4zz18-0000000000target";

const DATABASE: &str = "api.sqlite";

/// How many objects a filter finds.
const WANTED: usize = 100;

fn api(folder: &TempDir, era: Era) -> Api {
    let image = image::prepare(&Fixtures::builtin(), folder.path(), era).unwrap();
    Api {
        era,
        store: Store::open(&folder.path().join(DATABASE), &image).unwrap(),
        discovery: DiscoveryCache::default(),
        permissions: PermissionCache::new(era),
        followers: Semaphore::new(1),
        signer: None,
        signature_ttl_seconds: 1,
        default_replication: 1,
    }
}

/// One of those that are found, or one of the others, which nobody but admins sees.
fn object(resource: &Resource, number: usize, is_wanted: bool) -> Object {
    let moment = format!("2015-01-01T{:02}:{:02}:00.000000000Z", number / 60 % 24, number % 60);
    let own = uuid::new(resource.infix);
    let one_or = |wanted: &str, other: String| if is_wanted { wanted.to_owned() } else { other };
    let object = json!({
        "uuid": own,
        "current_version_uuid": own,
        "owner_uuid": one_or(PROJECT, uuid::new(uuid::GROUP)),
        "modified_at": moment,
        "created_at": moment,
        "name": format!("{resource} {number} {is_wanted}", resource = resource.plural),
        "portable_data_hash": one_or(HASH, format!("{number:032}+1")),
        "manifest_text": "",
        "head_uuid": one_or(TARGET, uuid::new("4zz18")),
        "tail_uuid": one_or(TARGET, uuid::new("4zz18")),
        "object_uuid": one_or(TARGET, uuid::new("4zz18")),
        "object_owner_uuid": one_or(PROJECT, uuid::new(uuid::GROUP)),
        "container_uuid": one_or(TARGET, uuid::new("dz642")),
        "link_class": "tag",
    });
    object.as_object().unwrap().clone()
}

/// Adds `others` objects of each class, and then those that are wanted.
fn fill(db: &Connection, era: Era, others: usize) -> Result<()> {
    for name in ["collections", "groups", "links", "logs", "container_requests"] {
        let Some(resource) = resources::by_plural(era, name) else {
            continue;
        };
        for number in 0..others + WANTED {
            let object = object(resource, number, number >= others);
            object::insert(db, resource, era, &object)?;
        }
    }
    Ok(schema::touch_permissions(db)?)
}

/// How many steps the answer takes, and how many objects it has.
fn cost(stored: (&Api, &TempDir), user: &str, plural: &str, query: &str) -> (usize, usize) {
    let request = hyper::Request::get(format!("/arvados/v1/{plural}?{query}&limit={WANTED}"));
    let (steps, answer) = measured(stored, user, plural, (request, b""), list::list);
    (steps, answer["items"].as_array().map_or(0, Vec::len))
}

/// How many steps `work` for a request about a class takes, and what it answers.
fn measured(
    (api, folder): (&Api, &TempDir),
    user: &str,
    plural: &str,
    (request, body): (Builder, &[u8]),
    work: impl FnOnce(&Context<'_>, &Resource) -> Result<Value>,
) -> (usize, Value) {
    let token = sdk_fixtures::auth_token(user).unwrap();
    let request = request.header("authorization", format!("OAuth2 {token}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let request = ApiRequest::read(&parts, body, api.era).unwrap();
    let resource = resources::by_plural(api.era, plural).unwrap();
    let steps = Arc::new(AtomicUsize::new(0));
    let mut db = Connection::open(folder.path().join(DATABASE)).unwrap();
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    db.progress_handler(1, Some(count)).unwrap();
    let caller = caller::identify(api, &db, &request).unwrap();
    let before = steps.load(Ordering::Relaxed);
    let context = Context { api, request: &request, db: &db, caller };
    let answer = work(&context, resource).unwrap();
    (steps.load(Ordering::Relaxed) - before, answer)
}

/// What a server has, with few other objects and with many.
fn few_and_many(era: Era) -> [(Api, TempDir); 2] {
    [300, 6000].map(|others| {
        let folder = tempfile::tempdir().unwrap();
        let api = api(&folder, era);
        api.store.write(|db| fill(db, era, others)).unwrap();
        (api, folder)
    })
}

fn filter(attribute: &str, operator: &str, operand: &str) -> String {
    let filters = json!([[attribute, operator, operand]]).to_string();
    let encoded = form_urlencoded::byte_serialize(filters.as_bytes()).collect::<String>();
    format!("filters={encoded}")
}

#[test]
fn a_list_costs_what_it_returns_and_not_what_is_stored() {
    for era in Era::ALL {
        let [few, many] = few_and_many(era);
        let end = |api: &Api| api.store.read(|db| Ok(super::event::last_id(db)?)).unwrap();
        let [few_logs, many_logs] = [&few, &many].map(|(api, _)| end(api) - WANTED as i64);
        let (few, many) = ((&few.0, &few.1), (&many.0, &many.1));
        // As the SDK goes through all of a list.
        let by_creation = "order=created_at,uuid";
        let name = |others| format!("collections {others} true");
        for (plural, few_query, many_query) in [
            ("collections", String::new(), String::new()),
            ("collections", by_creation.to_owned(), by_creation.to_owned()),
            ("collections", filter("owner_uuid", "=", PROJECT), filter("owner_uuid", "=", PROJECT)),
            (
                "collections",
                filter("portable_data_hash", "=", HASH),
                filter("portable_data_hash", "=", HASH),
            ),
            ("collections", filter("name", "=", &name(300)), filter("name", "=", &name(6000))),
            ("collections", filter("uuid", "=", TARGET), filter("uuid", "=", TARGET)),
            ("groups", filter("owner_uuid", "=", PROJECT), filter("owner_uuid", "=", PROJECT)),
            ("links", filter("head_uuid", "=", TARGET), filter("head_uuid", "=", TARGET)),
            ("links", filter("tail_uuid", "=", TARGET), filter("tail_uuid", "=", TARGET)),
            ("logs", filter("object_uuid", "=", TARGET), filter("object_uuid", "=", TARGET)),
            (
                "logs",
                filter("id", ">", &few_logs.to_string()) + "&order=id",
                filter("id", ">", &many_logs.to_string()) + "&order=id",
            ),
            (
                "container_requests",
                filter("container_uuid", "=", TARGET),
                filter("container_uuid", "=", TARGET),
            ),
        ] {
            if resources::by_plural(era, plural).is_none() {
                continue;
            }
            for user in ["admin", "active"] {
                for count in ["", "&count=none"] {
                    let (few, found) = cost(few, user, plural, &format!("{few_query}{count}"));
                    let (many, same) = cost(many, user, plural, &format!("{many_query}{count}"));
                    let what = format!("{era:?} {user} {plural} {few_query}{count}: {few}, {many}");
                    assert_eq!(found, same, "{what}");
                    assert!(many < few + few / 2 + 1000, "{what}");
                }
            }
        }
    }
}

#[test]
fn making_an_object_costs_the_same_whatever_is_stored() {
    for era in Era::ALL {
        let [few, many] = few_and_many(era).map(|(api, folder)| {
            let make = |plural: &str, body: Value| {
                let request = hyper::Request::post(format!("/arvados/v1/{plural}"));
                let request = request.header("content-type", "application/json");
                let body = body.to_string();
                let request = (request, body.as_bytes());
                measured((&api, &folder), "admin", plural, request, write::create).0
            };
            [
                make("collections", json!({"collection": {"name": "new", "owner_uuid": PROJECT}})),
                make("groups", json!({"group": {"name": "new", "group_class": "project"}})),
                make("links", json!({"link": {"name": "new", "link_class": "tag"}})),
            ]
        });
        for (few, many) in few.into_iter().zip(many) {
            assert!(many < few + few / 2 + 1000, "{era:?}: {few}, {many}");
        }
    }
}
