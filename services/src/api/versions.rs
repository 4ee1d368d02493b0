//! Past versions of collections: what a collection was before a change, kept as a record of its own.

use std::time::Duration;

use serde_json::Value;

use super::condition::Condition;
use super::context::Context;
use super::error::{Result, unprocessable};
use super::object::{self, Object, text};
use super::resource::Resource;
use super::resources::COLLECTIONS;
use super::time;
use super::uuid;
use crate::era::Era;

/// A collection that was changed this long ago is worth keeping as it is; one that was changed more
/// lately only if somebody asks for that.
pub(crate) const IDLE: Duration = Duration::from_secs(10);

/// A change of these makes another version.
const VERSIONED: &[&str] = &["name", "description", "properties", "portable_data_hash"];

/// These are the same in all versions.
const SHARED: &[&str] = &[
    "owner_uuid",
    "delete_at",
    "trash_at",
    "is_trashed",
    "replication_desired",
    "storage_classes_desired",
];

/// Whether objects of `resource` have versions.
fn has_versions(era: Era, resource: &Resource) -> bool {
    resource.plural == COLLECTIONS.plural && resource.column(era, "current_version_uuid").is_some()
}

/// The condition that a record is past, for lists that are not to show that.
///
/// # Errors
/// When the parameter that asks for past versions is wrong.
pub(crate) fn unlisted(context: &Context<'_>, resource: &Resource) -> Result<Condition> {
    match has_versions(context.era(), resource) && !context.request.flag("include_old_versions")? {
        true => Ok(Condition::plain(format!("({PAST}) = 1"))),
        false => Ok(Condition::any([])),
    }
}

/// The condition that a record is current, as nearly all are: so it is not written as a search by the
/// index of past ones, which would find all the others.
pub(crate) fn current(era: Era, resource: &Resource) -> Condition {
    match has_versions(era, resource) {
        true => Condition::plain(format!("NOT ({PAST})")),
        false => Condition::all([]),
    }
}

/// True of a record that is a past version of another; written as it is in the indexes.
const PAST: &str = "current_version_uuid IS NOT uuid";

/// The SQL that is true of past versions, where there are any.
pub(crate) fn past(era: Era, resource: &Resource) -> Option<&'static str> {
    has_versions(era, resource).then_some(PAST)
}

/// Completes a change of `old`, and gives the record of what it was, if that is to be kept.
///
/// # Errors
/// When `old` is past itself.
pub(crate) fn before_change(
    context: &Context<'_>,
    resource: &Resource,
    old: &Object,
    changes: &mut Object,
) -> Result<Option<Object>> {
    if !has_versions(context.era(), resource) {
        return Ok(None);
    }
    if old["current_version_uuid"] != old["uuid"] {
        return Err(unprocessable("past versions cannot be updated"));
    }
    if !is_kept(old, changes, &time::from_now(-IDLE.as_secs_f64())) {
        // Once it is asked for, it holds until the next version.
        if old["preserve_version"] == true {
            changes.insert("preserve_version".to_owned(), true.into());
        }
        return Ok(None);
    }
    let version = old["version"].as_i64().unwrap_or(1);
    changes.insert("version".to_owned(), (version + 1).into());
    changes.entry("preserve_version").or_insert(false.into());
    let mut past = old.clone();
    past.insert("uuid".to_owned(), uuid::new(resource.infix).into());
    past.extend(shared(changes));
    Ok(Some(past))
}

/// Whether `changes` make another version of `old`, last changed before `idle_since` or not.
fn is_kept(old: &Object, changes: &Object, idle_since: &str) -> bool {
    let differs = |name: &&str| changes.get(*name).is_some_and(|new| old.get(*name) != Some(new));
    let asked = [old, changes]
        .iter()
        .any(|object| object.get("preserve_version") == Some(&Value::Bool(true)));
    let idle = text(old, "modified_at") <= idle_since;
    VERSIONED.iter().any(differs) && old["is_trashed"] != true && (asked || idle)
}

/// Those of `changes` that all versions share.
fn shared(changes: &Object) -> Object {
    let shared = changes.iter().filter(|(name, _)| SHARED.contains(&name.as_str()));
    shared.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Lets past versions of the object `id` follow `changes`, and stores another one.
///
/// # Errors
/// Those of the database.
pub(crate) fn after_change(
    context: &Context<'_>,
    resource: &Resource,
    id: &str,
    changes: &Object,
    past: Option<&Object>,
) -> Result<()> {
    let era = context.era();
    let shared = shared(changes);
    if has_versions(era, resource) && !shared.is_empty() {
        let others = Condition::all([
            Condition::equals("current_version_uuid", id),
            Condition::equals("uuid", id).negated(),
        ]);
        for other in object::all(context.db, resource, era, &others)? {
            object::update(context.db, resource, era, text(&other, "uuid"), &shared)?;
        }
    }
    if let Some(past) = past {
        object::insert(context.db, resource, era, past)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const IDLE_SINCE: &str = "2020-01-01T00:00:10.000000000Z";

    fn kept(old: &Value, changes: &Value) -> bool {
        let mut whole = json!({"name": "a", "is_trashed": false, "preserve_version": false,
            "modified_at": "2020-01-01T00:00:00.000000000Z"});
        let whole = whole.as_object_mut().unwrap();
        whole.extend(old.as_object().unwrap().clone());
        is_kept(whole, changes.as_object().unwrap(), IDLE_SINCE)
    }

    #[test]
    fn what_was_left_alone_for_a_while_is_kept() {
        assert!(kept(&json!({}), &json!({"name": "b"})));
        assert!(!kept(&json!({}), &json!({"name": "a", "owner_uuid": "x"})));
        let lately = json!({"modified_at": "2020-01-01T00:00:11.000000000Z"});
        assert!(!kept(&lately, &json!({"name": "b"})));
        assert!(kept(&lately, &json!({"name": "b", "preserve_version": true})));
        let asked =
            json!({"modified_at": "2020-01-01T00:00:11.000000000Z", "preserve_version": true});
        assert!(kept(&asked, &json!({"name": "b"})));
        assert!(!kept(&json!({"is_trashed": true}), &json!({"name": "b"})));
    }
}
