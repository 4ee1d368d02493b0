//! What collections have beyond other objects: manifests, their signatures, and the trash.

use serde_json::{Value, json};

use super::condition::Condition;
use super::context::Context;
use super::error::{ApiError, Result, denied, unprocessable};
use super::manifest;
use super::object::{self, Object, is_changed, merged, text};
use super::ownership;
use super::readable;
use super::resources::COLLECTIONS;
use super::time;
use super::trash;
use super::value;
use crate::era::Era;
use crate::era::api::HAS_TRASH;
use crate::locator::{EMPTY_HASH, Locator};

/// How long a collection stays in the trash: two weeks.
pub(crate) const TRASH_LIFETIME_SECONDS: u32 = 1_209_600;

/// Whether `id` is a portable data hash rather than a uuid.
pub(crate) fn is_portable_data_hash(id: &str) -> bool {
    Locator::parse(id).is_some_and(|locator| locator.size.is_some())
}

/// The collection with the portable data hash `id`, which may have hints: the content of whichever
/// record the caller can see.
///
/// # Errors
/// "Path not found" if it can see none.
pub(crate) fn by_portable_data_hash(context: &Context<'_>, id: &str) -> Result<Object> {
    let found = find_content(context, id)?;
    let hash = text(&found, "portable_data_hash");
    let manifest = signed(context, text(&found, "manifest_text"));
    let answer = json!({"uuid": hash, "portable_data_hash": hash, "manifest_text": manifest});
    Ok(match answer {
        Value::Object(answer) => answer,
        _ => Object::new(),
    })
}

/// The record of the collection `id`, a uuid or portable data hash.
///
/// # Errors
/// "Path not found" if the caller can see none.
pub(crate) fn find(context: &Context<'_>, id: &str) -> Result<Object> {
    match is_portable_data_hash(id) {
        true => find_content(context, id),
        false => readable::find(context, &COLLECTIONS, id, false),
    }
}

fn find_content(context: &Context<'_>, id: &str) -> Result<Object> {
    let locator = Locator::parse(id).ok_or(ApiError::NotFound)?;
    let hash = format!("{}+{}", locator.hash, locator.size.unwrap_or_default());
    let condition = Condition::all([
        Condition::equals("portable_data_hash", &hash),
        readable::condition(context, &COLLECTIONS, false),
    ]);
    let found = object::find(context.db, &COLLECTIONS, context.era(), &condition)?;
    found.ok_or(ApiError::NotFound)
}

/// The manifest with a signature on every locator, for the token that the caller presented.
pub(crate) fn signed(context: &Context<'_>, manifest_text: &str) -> String {
    let (Some(signer), Some(token)) = (&context.api.signer, &context.request.token) else {
        return manifest_text.to_owned();
    };
    manifest::map_locators(manifest_text, |locator, token_text| {
        let hint = signer.hint(locator.hash, token);
        format!("{}+{hint}", manifest::unsigned(token_text))
    })
}

/// Checks and completes what a client wants to store: signatures, manifest and hash.
///
/// `old` is the collection before an update.
///
/// # Errors
/// Says what is malformed, or which locator the caller may not use.
pub(crate) fn prepare(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    ownership::check_name_of_file(context.era(), changes, old)?;
    let given = changes.get("manifest_text").and_then(Value::as_str);
    if let Some(given) = given {
        let stored = checked(context, given)?;
        reset_replication(changes, &stored, old);
        changes.insert("manifest_text".to_owned(), stored.into());
    } else if old.is_none() || changes.contains_key("manifest_text") {
        changes.insert("manifest_text".to_owned(), "".into());
    }
    check_hash(changes, old)?;
    check_confirmed(context, changes, old)?;
    check_storage_classes(context.era(), changes)?;
    trash::before_save(context, changes, old)?;
    if changes.contains_key("manifest_text") {
        derive_totals(changes, context.era());
    }
    Ok(())
}

/// The manifest that a client gives, as it may be stored.
///
/// # Errors
/// Says what is malformed, or which locator the caller may not use.
pub(crate) fn checked(context: &Context<'_>, given: &str) -> Result<String> {
    check_signatures(context, given)?;
    manifest::validate(given).map_err(|error| unprocessable(error.to_string()))?;
    Ok(manifest::without_signatures(given))
}

/// Checks that every locator is signed for the caller.
///
/// # Errors
/// Names the first that is not.
pub(crate) fn check_signatures(context: &Context<'_>, manifest_text: &str) -> Result<()> {
    let account = context.account()?;
    let Some(signer) = context.api.signer.as_ref().filter(|_| !account.is_admin) else {
        return Ok(());
    };
    let token = context.request.token.as_deref().unwrap_or_default();
    manifest::try_map_locators(manifest_text, |locator, text| {
        if locator.hash == EMPTY_HASH {
            return Ok(String::new());
        }
        match signer.check(locator, token) {
            Ok(()) => Ok(String::new()),
            Err(why) => Err(denied(format!("Permission denied: {why} on locator {text}"))),
        }
    })?;
    Ok(())
}

/// A hash that a client gives must be that of the manifest; its size is not looked at.
fn check_hash(changes: &mut Object, old: Option<&Object>) -> Result<()> {
    let manifest = changes.get("manifest_text").or_else(|| old?.get("manifest_text"));
    let manifest = manifest.and_then(Value::as_str).unwrap_or_default();
    let computed = match (changes.contains_key("manifest_text"), old) {
        (false, Some(old)) => text(old, "portable_data_hash").to_owned(),
        _ => manifest::portable_data_hash(manifest),
    };
    let given = text(changes, "portable_data_hash");
    if !given.is_empty() && given.get(..32) != computed.get(..32) {
        return Err(unprocessable(format!(
            "Portable data hash '{given}' does not match computed hash '{computed}'"
        )));
    }
    changes.insert("portable_data_hash".to_owned(), computed.into());
    Ok(())
}

/// New blocks are nowhere known to be replicated.
fn reset_replication(changes: &mut Object, stored: &str, old: Option<&Object>) {
    let Some(old) = old else {
        return;
    };
    let blocks = |text: &str| {
        let mut hashes = std::collections::HashSet::new();
        manifest::map_locators(text, |locator, _| {
            hashes.insert(locator.hash.to_owned());
            String::new()
        });
        hashes
    };
    if !blocks(stored).is_subset(&blocks(text(old, "manifest_text"))) {
        for name in ["replication_confirmed", "replication_confirmed_at"] {
            changes.entry(name).or_insert(Value::Null);
        }
    }
}

/// What is confirmed is confirmed by an admin; anybody may say that nothing is.
fn check_confirmed(context: &Context<'_>, changes: &Object, old: Option<&Object>) -> Result<()> {
    if context.account()?.is_admin {
        return Ok(());
    }
    let pairs = [
        ("replication_confirmed", "replication_confirmed_at", "both to nil"),
        ("storage_classes_confirmed", "storage_classes_confirmed_at", "to nil or empty"),
    ];
    let collection = merged(changes, old);
    let is_nothing = |name: &str| {
        let value = collection.get(name).unwrap_or(&Value::Null);
        value.is_null() || value.as_array().is_some_and(Vec::is_empty)
    };
    for (what, when, how) in pairs {
        let set = |name: &str| changes.contains_key(name) && !is_nothing(name);
        let changed = |name: &str| match old {
            Some(_) => is_changed(name, changes, old),
            None => set(name),
        };
        if (changed(what) || changed(when)) && !(is_nothing(what) && is_nothing(when)) {
            return Err(denied(format!(
                "{what} and {when} attributes cannot be changed, except by setting {how}"
            )));
        }
    }
    Ok(())
}

fn check_storage_classes(era: Era, changes: &mut Object) -> Result<()> {
    let desired = "storage_classes_desired";
    let Some(attribute) = COLLECTIONS.column(era, desired) else {
        return Ok(());
    };
    if let Some(nothing @ Value::Null) = changes.get_mut(desired) {
        *nothing = value::initial(attribute);
    }
    for name in [desired, "storage_classes_confirmed"] {
        let Some(classes) = changes.get(name).and_then(Value::as_array) else {
            continue;
        };
        if classes.is_empty() && name == desired {
            return Err(unprocessable("storage_classes_desired shouldn't be empty"));
        }
        if classes.iter().any(|class| class.as_str().is_none_or(str::is_empty)) {
            return Err(unprocessable("storage classes should only be non-empty strings"));
        }
    }
    Ok(())
}

/// Completes a record that nobody checked, such as a fixture.
pub(crate) fn derive(record: &mut Object, era: Era) {
    derive_totals(record, era);
    derive_version(record, era);
    if HAS_TRASH.of(era) {
        let trash_at = text(record, "trash_at");
        let trashed = !trash_at.is_empty() && trash_at <= time::now().as_str();
        record.insert("is_trashed".to_owned(), trashed.into());
    }
}

/// A collection that does not say otherwise is its own current version.
pub(crate) fn derive_version(record: &mut Object, era: Era) {
    if COLLECTIONS.column(era, "current_version_uuid").is_some() {
        let uuid = record.get("uuid").cloned().unwrap_or_default();
        let current = record.entry("current_version_uuid").or_insert(Value::Null);
        if current.is_null() {
            *current = uuid;
        }
    }
}

fn derive_totals(record: &mut Object, era: Era) {
    if COLLECTIONS.column(era, "file_count").is_some() {
        let totals = manifest::file_totals(text(record, "manifest_text"));
        record.insert("file_count".to_owned(), totals.count.into());
        record.insert("file_size_total".to_owned(), totals.size.into());
    }
}
