//! The log row that every change leaves, save changes of logs themselves.

use serde_json::{Map, Value, json};

use super::context::Context;
use super::error::Result;
use super::object::{self, Object, text};
use super::present;
use super::resource::Resource;
use super::resources::{COLLECTIONS, LOGS};
use super::time;
use super::uuid;
use crate::era::Era;
use crate::era::api::EVENT_OF_DELETION;

/// Records a change from `old` to `new`: a creation lacks the first, a deletion the second.
///
/// # Errors
/// Those of the database.
pub(crate) fn record(
    context: &Context<'_>,
    resource: &Resource,
    old: Option<&Object>,
    new: Option<&Object>,
) -> Result<()> {
    let Some(object) = new.or(old).filter(|_| resource.plural != LOGS.plural) else {
        return Ok(());
    };
    let event = match (old, new) {
        (None, _) => "create",
        (Some(_), Some(_)) => "update",
        (Some(_), None) => EVENT_OF_DELETION.of(context.era()),
    };
    let now = time::now();
    let event_at = match (old, new) {
        (None, Some(new)) => text(new, "created_at"),
        (Some(_), Some(new)) => text(new, "modified_at"),
        _ => &now,
    };
    let log = json!({
        "uuid": uuid::new(LOGS.infix),
        "owner_uuid": context.account()?.uuid,
        "created_at": now,
        "modified_at": now,
        "modified_by_user_uuid": context.account()?.uuid,
        "object_uuid": text(object, "uuid"),
        "object_owner_uuid": text(object, "owner_uuid"),
        "event_at": event_at,
        "event_type": event,
        "summary": format!("{event} of {}", text(object, "uuid")),
        "properties": {
            "old_etag": old.map(present::etag),
            "old_attributes": old.map(|old| logged(context.era(), resource, old)),
            "new_etag": new.map(present::etag),
            "new_attributes": new.map(|new| logged(context.era(), resource, new)),
        },
    });
    if let Value::Object(log) = log {
        object::insert(context.db, &LOGS, context.era(), &log)?;
    }
    Ok(())
}

/// What a log tells of an object: no secrets, and no manifests, which would fill the table.
fn logged(era: Era, resource: &Resource, object: &Object) -> Map<String, Value> {
    let secret = |name: &str| {
        name == "api_token" || (resource.plural == COLLECTIONS.plural && name == "manifest_text")
    };
    resource
        .columns(era)
        .filter(|column| !column.is_hidden() && !secret(column.name))
        .map(|column| {
            let value = object.get(column.name).cloned().unwrap_or_default();
            (column.name.to_owned(), value)
        })
        .collect()
}
