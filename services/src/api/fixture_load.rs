//! Loads Rails fixtures as Rails does, class by class; nothing is validated.

use std::collections::HashMap;
use std::thread;

use anyhow::Context;
use md5::{Digest, Md5};
use rusqlite::Connection;
use sdk_fixtures::{Fixtures, Record};
use serde_json::Value;

use super::collection;
use super::dropped::KEEP_DISKS;
use super::fixture_draft::Draft;
use super::fixture_table::{Columns, FixtureTable, Row};
use super::object::{self, Object};
use super::resource::Resource;
use super::resources::{self, API_CLIENT_AUTHORIZATIONS, COLLECTIONS, KEEP_SERVICES, USERS};
use crate::era::Era;
use crate::era::api::{RESET_FORGETS_KEEP_SERVICES, TOKEN_IS_ITS_UUID};

/// Users by the id that tokens refer to.
type UserIds = HashMap<i64, String>;

/// Loads all classes that the server has in `era`; others are left out.
///
/// # Errors
/// Names file and label of a fixture with an unknown column or a value of the wrong type.
pub(crate) fn load(db: &Connection, fixtures: &Fixtures, era: Era) -> anyhow::Result<()> {
    let mut user_ids = UserIds::new();
    let mut loaded = Vec::new();
    let mut names = fixtures.classes()?;
    // Tokens refer to users.
    names.sort_by_key(|name| name != USERS.plural);
    for name in names {
        let Some(resource) = resources::with_table(era).find(|one| one.plural == name) else {
            continue;
        };
        let rows = load_class(db, resource, era, fixtures, &user_ids)?;
        if resource.plural == USERS.plural {
            user_ids.extend(rows.iter().map(|(_, row)| (row.id, row.uuid.clone())));
        }
        loaded.push(rows);
        if is_reset(resource, era) {
            db.execute("INSERT INTO reset_tables VALUES (?)", [name])?;
        }
    }
    // To free very many rows takes a while, and nothing has to wait for it. Without a thread for it,
    // they are freed here.
    let _ = thread::Builder::new().spawn(move || drop(loaded));
    Ok(())
}

/// Whether a reset puts the table back to the fixtures.
fn is_reset(resource: &Resource, era: Era) -> bool {
    let registered = [KEEP_SERVICES.plural, KEEP_DISKS.plural].contains(&resource.plural);
    !registered || RESET_FORGETS_KEEP_SERVICES.of(era)
}

/// Fills the table of `resource`, and gives the rows in it with their labels.
fn load_class(
    db: &Connection,
    resource: &'static Resource,
    era: Era,
    fixtures: &Fixtures,
    user_ids: &UserIds,
) -> anyhow::Result<Vec<(String, Row)>> {
    let columns = Columns::of(resource, era);
    let now = jiff::Timestamp::now();
    let place = |label: &str| format!("{}.yml: {label}", resource.plural);
    let row = |record: Record| {
        let mut draft =
            Draft::read(&record, resource, era, now).with_context(|| place(&record.label))?;
        complete(&mut draft.object, &record, resource, era, user_ids);
        Ok((record.label, columns.row(draft)))
    };
    let rows = fixtures.map_class(resource.plural, row)?;
    let mut rows = rows.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    // A table grows at its end when ids rise.
    rows.sort_by_key(|(_, row)| row.id);
    let mut table = FixtureTable::new(db, &columns)?;
    for (label, row) in &rows {
        table.insert(row).with_context(|| place(label))?;
    }
    table.finish()?;
    Ok(rows)
}

/// Adds what follows from the attributes that a fixture sets.
fn complete(
    object: &mut Object,
    record: &Record,
    resource: &Resource,
    era: Era,
    user_ids: &UserIds,
) {
    if resource.plural == API_CLIENT_AUTHORIZATIONS.plural {
        complete_token(object, record, era, user_ids);
    } else if resource.plural == COLLECTIONS.plural {
        collection::derive(object, era);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_active_users_token_has_the_uuid_that_other_suites_know() {
        assert_eq!(token_uuid("active", "x"), ACTIVE_TOKEN_UUID);
        assert_ne!(token_uuid("a", "x"), token_uuid("a", "y"));
        assert_eq!(crate::api::uuid::infix(&token_uuid("a", "x")), Some("gj3su"));
    }
}
