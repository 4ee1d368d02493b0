//! Loads Rails fixtures as Rails does: labels become ids, references become the ids of what they
//! name, and nothing is validated.

use std::collections::HashMap;

use anyhow::{Context, bail};
use md5::{Digest, Md5};
use rusqlite::Connection;
use sdk_fixtures::{Class, Fixtures, Record, Value as Fixture};
use serde_json::Value;

use super::collection;
use super::dropped::KEEP_DISKS;
use super::fixture_table::{FixtureTable, MAX_ID, Row};
use super::fixture_value;
use super::object::{self, Object};
use super::relative;
use super::resource::Resource;
use super::resources::{self, API_CLIENT_AUTHORIZATIONS, COLLECTIONS, KEEP_SERVICES, USERS};
use super::time;
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
        let Some(resource) = resources::with_table(era).find(|one| one.plural == name) else {
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
    resource: &'static Resource,
    era: Era,
    class: &Class,
    user_ids: &mut UserIds,
) -> anyhow::Result<()> {
    let mut table = FixtureTable::new(db, resource, era)?;
    let now = jiff::Timestamp::now();
    let mut records: Vec<&Record> = class.records.iter().collect();
    // A table grows at its end when ids rise.
    records.sort_by_cached_key(|record| own_id(record).unwrap_or(label_id(&record.label)));
    for record in records {
        let place = || format!("{}.yml: {}", class.name, record.label);
        let mut row = row(&table, era, record, now).with_context(place)?;
        if resource.plural == USERS.plural {
            user_ids.insert(row.id, object::text(&row.object, "uuid").to_owned());
        } else if resource.plural == API_CLIENT_AUTHORIZATIONS.plural {
            complete_token(&mut row.object, record, era, user_ids);
        } else if resource.plural == COLLECTIONS.plural {
            collection::derive(&mut row.object, era);
        }
        table.insert(&row).with_context(place)?;
    }
    table.finish()?;
    Ok(())
}

/// The id that a fixture gives itself.
fn own_id(record: &Record) -> Option<i64> {
    match record.get("id")?.in_yaml_1_1() {
        Fixture::Integer(id) => Some(id),
        _ => None,
    }
}

fn row(
    table: &FixtureTable<'_>,
    era: Era,
    record: &Record,
    now: jiff::Timestamp,
) -> anyhow::Result<Row> {
    let mut row = FixtureTable::empty_row(label_id(&record.label));
    for (name, given) in &record.columns {
        set(&mut row, table.resource, era, name, given)?;
    }
    if !record.columns.iter().any(|(name, _)| name == "created_at") {
        row.relative.push(("created_at", None));
    }
    for (name, template) in &row.relative {
        let value = match template {
            None => time::format(now).into(),
            Some(template) => {
                let text = relative::filled(template, now);
                // Templates of a whole object or array are JSON.
                match row.object.get(*name) {
                    Some(Value::Object(_) | Value::Array(_)) => serde_json::from_str(&text)?,
                    _ => text.into(),
                }
            }
        };
        row.object.insert((*name).to_owned(), value);
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
    if name == "id" {
        let Fixture::Integer(id) = given.in_yaml_1_1() else {
            bail!("id is not a number");
        };
        row.id = id;
        row.has_own_id = true;
        return Ok(());
    }
    if let Some(column) = resource.column(era, name) {
        let value = fixture_value::accept(column.kind, given)
            .map_err(|what| anyhow::anyhow!("column {name}: {what}"))?;
        let template = match &value {
            Value::String(text) if relative::is_template(text) => Some(text.clone()),
            Value::Object(_) | Value::Array(_) => {
                Some(value.to_string()).filter(|text| relative::is_template(text))
            }
            _ => None,
        };
        if template.is_some() {
            row.relative.push((column.name, template));
        }
        row.object.insert(column.name.to_owned(), value);
        return Ok(());
    }
    if let (Some(column), Some(label)) =
        (resource.column(era, &format!("{name}_id")), given.as_text())
    {
        row.object.insert(column.name.to_owned(), label_id(label).into());
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

/// The id that Rails gives the fixture `label`.
fn label_id(label: &str) -> i64 {
    i64::from(crc32(label.as_bytes())) % MAX_ID
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
    use serde_json::json;

    use super::*;
    use crate::api::resources::KEEP_SERVICES;
    use crate::api::schema;

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

    fn loaded(resource: &'static Resource, record: &Record) -> anyhow::Result<Row> {
        let db = Connection::open_in_memory()?;
        db.execute_batch(&schema::statements(Era::Current))?;
        let table = FixtureTable::new(&db, resource, Era::Current)?;
        row(&table, Era::Current, record, "2020-01-01T00:00:00Z".parse()?)
    }

    #[test]
    fn a_time_within_an_object_is_relative_too() {
        let ago = Fixture::Ago(sdk_fixtures::Ago { months: 0, seconds: 60.0 });
        let given = Fixture::Map(vec![("at".to_owned(), Fixture::List(vec![ago]))]);
        let row = loaded(&COLLECTIONS, &record("properties", given)).unwrap();
        let expected = json!({"at": ["2019-12-31T23:59:00.000000000Z"]});
        assert_eq!(row.object["properties"], expected);
        let columns: Vec<_> = row.relative.iter().map(|(column, _)| *column).collect();
        assert_eq!(columns, ["properties", "created_at"]);
    }

    #[test]
    fn an_unknown_column_is_an_error() {
        let record = record("colour", Fixture::Null);
        let error = loaded(&KEEP_SERVICES, &record).err().unwrap();
        assert_eq!(error.to_string(), "keep_services have no column colour");
    }

    #[test]
    fn what_was_to_expire_goes_to_the_trash() {
        let record = record("expires_at", Fixture::Text("2001-01-01T00:00:00Z".to_owned()));
        let row = loaded(&COLLECTIONS, &record).unwrap();
        assert_eq!(row.object["trash_at"], "2001-01-01T00:00:00.000000000Z");
    }
}
