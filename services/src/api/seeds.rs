//! What every Arvados database holds, whatever the fixtures: the system's users and groups.

use rusqlite::Connection;
use serde_json::json;

use super::collection;
use super::condition::Condition;
use super::object::{self, Object};
use super::resource::Resource;
use super::resources::{COLLECTIONS, GROUPS, LINKS, USERS};
use super::time;
use super::uuid;
use super::value;
use crate::era::Era;

const EMPTY_HASH: &str = "d41d8cd98f00b204e9800998ecf8427e+0";

/// Adds what is missing of it.
///
/// # Errors
/// Those of the database.
pub(crate) fn plant(db: &Connection, era: Era) -> rusqlite::Result<()> {
    let user = |uuid, name, is_admin: bool| {
        json!({"uuid": uuid, "email": name, "username": name, "first_name": name, "last_name": "",
               "is_admin": is_admin, "is_active": is_admin})
    };
    let group = |uuid, name| json!({"uuid": uuid, "name": name, "group_class": "role"});
    let seeds = [
        (&USERS, user(uuid::SYSTEM_USER, "root", true)),
        (&USERS, user(uuid::ANONYMOUS_USER, "anonymous", false)),
        (&GROUPS, group(uuid::SYSTEM_GROUP, "System group")),
        (&GROUPS, group(uuid::ALL_USERS_GROUP, "All users")),
        (&GROUPS, group(uuid::ANONYMOUS_GROUP, "Anonymous users")),
    ];
    for (resource, seed) in seeds {
        let known = Condition::equals("uuid", seed["uuid"].as_str().unwrap_or_default());
        plant_one(db, era, resource, &seed, &known)?;
    }
    plant_link(db, era)?;
    let empty = json!({"uuid": "zzzzz-4zz18-000000000000000", "owner_uuid": uuid::ANONYMOUS_GROUP,
        "name": "empty collection", "manifest_text": "", "portable_data_hash": EMPTY_HASH});
    let known = Condition::equals("portable_data_hash", EMPTY_HASH);
    plant_one(db, era, &COLLECTIONS, &empty, &known)
}

/// All users read what is public.
fn plant_link(db: &Connection, era: Era) -> rusqlite::Result<()> {
    let link = json!({"uuid": "zzzzz-o0j2j-000000000000000", "link_class": "permission",
        "name": "can_read", "tail_uuid": uuid::ALL_USERS_GROUP, "head_uuid": uuid::ANONYMOUS_GROUP});
    let known = Condition::all([
        Condition::plain("link_class = 'permission' AND name = 'can_read'"),
        Condition::equals("tail_uuid", uuid::ALL_USERS_GROUP),
        Condition::equals("head_uuid", uuid::ANONYMOUS_GROUP),
    ]);
    plant_one(db, era, &LINKS, &link, &known)
}

fn plant_one(
    db: &Connection,
    era: Era,
    resource: &Resource,
    seed: &serde_json::Value,
    known: &Condition,
) -> rusqlite::Result<()> {
    if object::exists(db, resource, known)? {
        return Ok(());
    }
    let now = time::now();
    let mut object: Object = resource
        .columns(era)
        .map(|column| (column.name.to_owned(), value::initial(column)))
        .collect();
    for (name, value) in [
        ("owner_uuid", uuid::SYSTEM_USER),
        ("modified_by_user_uuid", uuid::SYSTEM_USER),
        ("created_at", &now),
        ("modified_at", &now),
    ] {
        object.insert(name.to_owned(), value.into());
    }
    object.extend(seed.as_object().cloned().unwrap_or_default());
    let taken = Condition::equals("uuid", object::text(&object, "uuid"));
    if object::exists(db, resource, &taken)? {
        // By a fixture that is something else.
        object.insert("uuid".to_owned(), uuid::new(resource.infix).into());
    }
    if resource.plural == COLLECTIONS.plural {
        collection::derive(&mut object, era);
    }
    object::insert(db, resource, era, &object)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::schema;

    #[test]
    fn a_fixture_may_have_the_uuid_of_a_seed() {
        for era in Era::ALL {
            let db = Connection::open_in_memory().unwrap();
            db.execute_batch(&schema::statements(era)).unwrap();
            db.execute_batch(
                "INSERT INTO collections (uuid) VALUES ('zzzzz-4zz18-000000000000000');
                 INSERT INTO links (uuid) VALUES ('zzzzz-o0j2j-000000000000000')",
            )
            .unwrap();
            for _ in 0..2 {
                plant(&db, era).unwrap();
                for table in ["collections", "links"] {
                    let sql = format!("SELECT count(DISTINCT uuid) FROM {table}");
                    let count: i64 = db.query_row(&sql, [], |row| row.get(0)).unwrap();
                    assert_eq!(count, 2, "{table}: the fixture, and what is planted, once");
                }
            }
        }
    }
}
