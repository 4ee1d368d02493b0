//! Events: entries of the log, as those who follow it see them.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value, json};

use super::caller;
use super::condition::Condition;
use super::context::{Api, Context};
use super::error::{ApiError, Result};
use super::object::{Columns, Object, text};
use super::present;
use super::readable;
use super::request::ApiRequest;
use super::resources::{self, LOGS};
use super::uuid;
use crate::era::api::{EVENT_OF_DELETION, EVENTS_ARE_WHOLE};

/// A stretch ends early when its events exceed this: 1 MiB.
const MAX_BYTES: usize = 1 << 20;

/// What an event of today tells of an object.
const TOLD_ATTRIBUTES: [&str; 6] = [
    "is_trashed",
    "name",
    "owner_uuid",
    "portable_data_hash",
    "requesting_container_uuid",
    "state",
];

/// A part of the log that was looked through.
pub(crate) struct Stretch {
    /// Those events in it that the client wants and may see.
    pub(crate) events: Vec<String>,
    /// The id of its last entry.
    pub(crate) end: i64,
    /// Whether nothing is left.
    pub(crate) is_last: bool,
}

/// The id of the last entry of the log.
///
/// # Errors
/// Those of the database.
pub(crate) fn last_id(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(id), 0) FROM logs")?.query_row([], |row| row.get(0))
}

/// Looks through the entries behind `after`, up to `end` or all that there are, for those that are
/// `wanted` and that the client with this `request` may see. The first event has the number behind
/// `counted`.
///
/// # Errors
/// Those of the database.
pub(crate) fn read(
    api: &Api,
    db: &Connection,
    request: &ApiRequest,
    wanted: &Condition,
    (after, end): (i64, Option<i64>),
    counted: u64,
) -> Result<Stretch> {
    let end = match end {
        Some(end) => end,
        None => last_id(db)?.max(after),
    };
    let mut stretch = Stretch { events: Vec::new(), end, is_last: true };
    // A token that has ended meanwhile is none.
    let caller = match &request.token {
        Some(token) => caller::of_token(api, db, token)?,
        None => None,
    };
    let Some(caller) = caller else {
        return Ok(stretch);
    };
    let context = Context { api, request, db, caller };
    let range = Condition::new("id > ? AND id <= ?", [Sql::Integer(after), Sql::Integer(end)]);
    let mut conditions = vec![range, wanted.clone()];
    if EVENTS_ARE_WHOLE.of(api.era) {
        // Of the few in the range.
        conditions.push(readable::condition(&context, &LOGS, false).checked());
    }
    let condition = Condition::all(conditions);
    let columns = Columns::of(&LOGS, api.era, |_| true);
    let sql = format!("SELECT {} FROM logs WHERE {} ORDER BY id", columns.sql(), condition.sql);
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&condition.parameters))?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let entry = columns.read(row)?;
        let number = counted + 1 + stretch.events.len() as u64;
        let Some(event) = event(&context, &entry, number)? else {
            continue;
        };
        let event = event.to_string();
        bytes += event.len();
        stretch.events.push(event);
        if bytes >= MAX_BYTES {
            stretch.end = entry.get("id").and_then(Value::as_i64).unwrap_or(end);
            stretch.is_last = false;
            break;
        }
    }
    Ok(stretch)
}

fn event(context: &Context<'_>, entry: &Object, number: u64) -> Result<Option<Value>> {
    if EVENTS_ARE_WHOLE.of(context.era()) {
        return present::one(context, &LOGS, entry, None).map(Some);
    }
    Ok(is_readable(context, entry)?.then(|| trimmed(context, entry, number)))
}

/// Whether the caller can see what an entry is about, be it in the trash or, now, gone.
fn is_readable(context: &Context<'_>, entry: &Object) -> Result<bool> {
    let owner = text(entry, "object_owner_uuid");
    let object = text(entry, "object_uuid");
    let is_deletion = text(entry, "event_type") == EVENT_OF_DELETION.of(context.era());
    let about = if is_deletion { owner } else { object };
    let class = uuid::infix(about).and_then(|infix| resources::by_infix(context.era(), infix));
    let Some(class) = class else {
        return Ok(false);
    };
    if !context.caller.may_get(context.era(), &format!("/arvados/v1/{}/{about}", class.plural)) {
        return Ok(false);
    }
    if context.caller.access.level(object, owner).is_some() {
        return Ok(true);
    }
    match readable::find(context, class, about, true) {
        Ok(_) => Ok(true),
        Err(ApiError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

fn trimmed(context: &Context<'_>, entry: &Object, number: u64) -> Value {
    let taken = |name: &str| entry.get(name).cloned().unwrap_or_default();
    json!({
        "msgID": number,
        "id": taken("id"),
        "uuid": taken("uuid"),
        "object_uuid": taken("object_uuid"),
        "object_owner_uuid": taken("object_owner_uuid"),
        "object_kind": present::kind_of(context.era(), text(entry, "object_uuid")),
        "event_type": taken("event_type"),
        "event_at": taken("event_at"),
        "properties": trimmed_properties(&taken("properties")),
    })
}

/// Output that a client has logged stays whole.
fn trimmed_properties(properties: &Value) -> Value {
    if properties.get("text").is_some_and(|text| !text.is_null()) {
        return properties.clone();
    }
    let of = |name: &str| {
        let attributes = properties.get(name)?.as_object()?;
        let told = attributes.iter().filter(|(name, _)| TOLD_ATTRIBUTES.contains(&name.as_str()));
        let told = told.map(|(name, value)| (name.clone(), value.clone()));
        Some((name.to_owned(), Value::Object(told.collect())))
    };
    Value::Object(
        ["old_attributes", "new_attributes"].into_iter().filter_map(of).collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_trimmed_and_output_is_not() {
        let attributes = json!({"name": "a", "state": null, "properties": {"secret": 1}});
        assert_eq!(
            trimmed_properties(&json!({"old_etag": null, "old_attributes": null,
                "new_etag": "x", "new_attributes": attributes})),
            json!({"new_attributes": {"name": "a", "state": null}})
        );
        let output = json!({"text": "hello", "node": "here"});
        assert_eq!(trimmed_properties(&output), output);
        assert_eq!(trimmed_properties(&Value::Null), json!({}));
        assert_eq!(trimmed_properties(&json!({"other": {"name": 1}})), json!({}));
    }
}
