//! Loads Rails fixtures as Rails does: labels become ids, references become the ids of what they
//! name, and nothing is validated.

use std::collections::HashMap;

use anyhow::{Context, bail};
use md5::{Digest, Md5};
use rusqlite::{Connection, params};
use sdk_fixtures::{Class, Fixtures, Record, Value as Fixture};
use serde_json::{Map, Value};

use super::collection;
use super::object::{self, Object};
use super::resource::{Attribute, Kind, Resource};
use super::resources::{
    self, API_CLIENT_AUTHORIZATIONS, COLLECTIONS, KEEP_DISKS, KEEP_SERVICES, USERS,
};
use super::time;
use super::value;
use crate::era::Era;
use crate::era::api::{RESET_FORGETS_KEEP_SERVICES, TOKEN_IS_ITS_UUID};

/// Columns that Rails has, clients never see, and nothing here needs.
const IGNORED: &[&str] = &["updated_at"];

/// Users by the id that tokens refer to.
type UserIds = HashMap<i64, String>;

/// Loads all classes that the server has in `era`; others are left out.
///
/// # Errors
/// Names file and label of a fixture with an unknown column or a value of the wrong type.
pub(crate) fn load(db: &Connection, fixtures: &Fixtures, era: Era) -> anyhow::Result<()> {
    let mut user_ids = UserIds::new();
    let mut names = fixtures.classes()?;
    // Tokens refer to users.
    names.sort_by_key(|name| name != USERS.plural);
    for name in names {
        let Some(resource) = resources::by_plural(era, &name) else {
            continue;
        };
        let class = fixtures.class(&name)?;
        load_class(db, resource, era, &class, &mut user_ids)?;
        if is_reset(resource, era) {
            db.execute("INSERT INTO reset_tables VALUES (?)", [name])?;
        }
    }
    Ok(())
}

/// Whether a reset puts the table back to the fixtures.
fn is_reset(resource: &Resource, era: Era) -> bool {
    let registered = [KEEP_SERVICES.plural, KEEP_DISKS.plural].contains(&resource.plural);
    !registered || RESET_FORGETS_KEEP_SERVICES.of(era)
}

fn load_class(
    db: &Connection,
    resource: &Resource,
    era: Era,
    class: &Class,
    user_ids: &mut UserIds,
) -> anyhow::Result<()> {
    for record in &class.records {
        let place = || format!("{}.yml: {}", class.name, record.label);
        let mut row = row(resource, era, record).with_context(place)?;
        if resource.plural == USERS.plural {
            user_ids.insert(row.id, object::text(&row.object, "uuid").to_owned());
        } else if resource.plural == API_CLIENT_AUTHORIZATIONS.plural {
            complete_token(&mut row.object, record, era, user_ids);
        } else if resource.plural == COLLECTIONS.plural {
            collection::derive(&mut row.object, era);
        }
        insert(db, resource, era, &row).with_context(place)?;
    }
    Ok(())
}

/// A fixture, ready for its table.
struct Row {
    id: i64,
    object: Object,
    /// Columns that hold times so many seconds ago.
    relative: Vec<(&'static str, f64)>,
}

fn row(resource: &Resource, era: Era, record: &Record) -> anyhow::Result<Row> {
    let mut row = Row {
        id: label_id(&record.label),
        object: resource
            .columns(era)
            .map(|column| (column.name.to_owned(), value::initial(column)))
            .collect(),
        relative: Vec::new(),
    };
    for (name, given) in &record.columns {
        set(&mut row, resource, era, name, given)?;
    }
    let has_created_at = record.columns.iter().any(|(name, _)| name == "created_at");
    if !has_created_at {
        row.relative.push(("created_at", 0.0));
    }
    let now = jiff::Timestamp::now();
    for (name, seconds) in &row.relative {
        row.object.insert((*name).to_owned(), time::ago(now, *seconds).into());
    }
    Ok(row)
}

fn set(
    row: &mut Row,
    resource: &Resource,
    era: Era,
    name: &str,
    given: &Fixture,
) -> anyhow::Result<()> {
    if let (Some(column), Fixture::Text(label)) =
        (resource.column(era, &format!("{name}_id")), given)
    {
        let id = label_id(label);
        row.object.insert(column.name.to_owned(), id.into());
        return Ok(());
    }
    if name == "id" {
        let Fixture::Integer(id) = given else {
            bail!("id is not a number");
        };
        row.id = *id;
        return Ok(());
    }
    if let Some(column) = resource.column(era, name) {
        if let Fixture::SecondsAgo(seconds) = given {
            row.relative.push((column.name, *seconds));
        }
        let value = convert(column, given).with_context(|| format!("column {name}"))?;
        row.object.insert(column.name.to_owned(), value);
        return Ok(());
    }
    if name == "expires_at" && resource.plural == COLLECTIONS.plural {
        // What had an end in 2015 goes to the trash at that time today.
        return ["trash_at", "delete_at"]
            .iter()
            .try_for_each(|name| set(row, resource, era, name, given));
    }
    if resource.knows(name) || IGNORED.contains(&name) {
        return Ok(());
    }
    bail!("{} have no column {name}", resource.plural)
}

fn convert(column: &Attribute, given: &Fixture) -> anyhow::Result<Value> {
    let given = match (column.kind, given) {
        (_, Fixture::SecondsAgo(seconds)) => time::ago(jiff::Timestamp::now(), *seconds).into(),
        // YAML 1.1 has more words for booleans than those that its reader knows.
        (Kind::Boolean, Fixture::Text(text)) => match text.to_lowercase().as_str() {
            "yes" | "y" | "on" => Value::Bool(true),
            "no" | "n" | "off" => Value::Bool(false),
            _ => json(given),
        },
        _ => json(given),
    };
    value::accept(column.kind, &given).map_err(|what| anyhow::anyhow!("{given} {what}"))
}

fn json(given: &Fixture) -> Value {
    match given {
        Fixture::Null => Value::Null,
        Fixture::Bool(value) => (*value).into(),
        Fixture::Integer(value) => (*value).into(),
        Fixture::Float(value) => (*value).into(),
        Fixture::Text(text) => text.as_str().into(),
        Fixture::SecondsAgo(seconds) => time::ago(jiff::Timestamp::now(), *seconds).into(),
        Fixture::List(items) => items.iter().map(json).collect(),
        Fixture::Map(entries) => entries
            .iter()
            .map(|(name, value)| (name.clone(), json(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// Gives a token its owner, and a uuid that stays the same from load to load.
fn complete_token(token: &mut Object, record: &Record, era: Era, user_ids: &UserIds) {
    let user = token.get("user_id").and_then(Value::as_i64);
    let owner = user.and_then(|id| user_ids.get(&id)).cloned();
    token.insert("owner_uuid".to_owned(), owner.into());
    let secret = object::text(token, "api_token").to_owned();
    let uuid = match object::text(token, "uuid") {
        _ if TOKEN_IS_ITS_UUID.of(era) => secret,
        "" => token_uuid(&record.label, &secret),
        own => own.to_owned(),
    };
    token.insert("uuid".to_owned(), uuid.into());
}

/// The uuid that Arvados' own fixtures give the token of the user whom most tests run as.
const ACTIVE_TOKEN_UUID: &str = "zzzzz-gj3su-077z32aux8dg2s1";

fn token_uuid(label: &str, secret: &str) -> String {
    if label == "active" {
        return ACTIVE_TOKEN_UUID.to_owned();
    }
    let mut number = u128::from_be_bytes(Md5::digest(secret).into());
    let mut suffix = String::new();
    for _ in 0..15 {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        suffix.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
    }
    format!("zzzzz-{}-{suffix}", API_CLIENT_AUTHORIZATIONS.infix)
}

fn insert(db: &Connection, resource: &Resource, era: Era, row: &Row) -> anyhow::Result<()> {
    let inserted = object::insert(db, resource, era, &row.object)?;
    let table = resource.plural;
    db.prepare_cached(&format!("UPDATE {table} SET id = ? WHERE id = ?"))?
        .execute([row.id, inserted])?;
    let mut statement = db.prepare_cached("INSERT INTO relative_times VALUES (?, ?, ?, ?)")?;
    for (column, seconds) in &row.relative {
        statement.execute(params![table, column, seconds, row.id])?;
    }
    Ok(())
}

/// The id that Rails gives the fixture `label`.
fn label_id(label: &str) -> i64 {
    i64::from(crc32(label.as_bytes())) % ((1 << 30) - 1)
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::resources::KEEP_SERVICES;

    #[test]
    fn ids_are_those_of_rails() {
        assert_eq!(label_id("admin"), 135_138_680);
    }

    #[test]
    fn the_active_users_token_has_the_uuid_that_other_suites_know() {
        assert_eq!(token_uuid("active", "x"), ACTIVE_TOKEN_UUID);
        assert_ne!(token_uuid("a", "x"), token_uuid("a", "y"));
        assert_eq!(crate::api::uuid::infix(&token_uuid("a", "x")), Some("gj3su"));
    }

    fn record(column: &str, value: Fixture) -> Record {
        Record { label: "it".to_owned(), columns: vec![(column.to_owned(), value)] }
    }

    #[test]
    fn booleans_are_those_of_yaml_1_1() {
        let record = record("read_only", Fixture::Text("yes".to_owned()));
        let row = row(&KEEP_SERVICES, Era::Current, &record).unwrap();
        assert_eq!(row.object["read_only"], Value::Bool(true));
    }

    #[test]
    fn an_unknown_column_is_an_error() {
        let record = record("colour", Fixture::Null);
        let error = row(&KEEP_SERVICES, Era::Current, &record).err().unwrap();
        assert_eq!(error.to_string(), "keep_services have no column colour");
    }

    #[test]
    fn what_was_to_expire_goes_to_the_trash() {
        let record = record("expires_at", Fixture::Text("2001-01-01T00:00:00Z".to_owned()));
        let row = row(&COLLECTIONS, Era::Current, &record).unwrap();
        assert_eq!(row.object["trash_at"], "2001-01-01T00:00:00.000000000Z");
    }
}
