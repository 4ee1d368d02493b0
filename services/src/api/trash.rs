//! When collections and groups go to the trash, and when they are gone: the times that a client
//! sets, completed and held to each other.

use serde_json::Value;

use super::collection::TRASH_LIFETIME_SECONDS;
use super::context::Context;
use super::error::{Result, unprocessable};
use super::object::{Object, flag, is_changed, merged, text};
use super::time;
use crate::era::api::HAS_TRASH;

/// Completes `is_trashed`, `trash_at` and `delete_at` in `changes`.
///
/// # Errors
/// When what is set would be gone before it is in the trash.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    if !HAS_TRASH.of(context.era()) {
        return Ok(());
    }
    settle(changes, old, &time::now(), signed_for(context))
}

/// For how many seconds a locator is good that somebody was given.
pub(crate) fn signed_for(context: &Context<'_>) -> f64 {
    f64::from(u32::try_from(context.api.signature_ttl_seconds).unwrap_or(u32::MAX))
}

fn settle(changes: &mut Object, old: Option<&Object>, now: &str, signed_for: f64) -> Result<()> {
    if is_changed("trash_at", changes, old) && text(changes, "trash_at") < now {
        if let Some(past @ Value::String(_)) = changes.get_mut("trash_at") {
            *past = now.into();
        }
    } else if let Some(trashed) = changes.get("is_trashed").and_then(Value::as_bool)
        && is_changed("is_trashed", changes, old)
        && !is_changed("trash_at", changes, old)
    {
        let (trash_at, delete_at) = match (trashed, old) {
            (true, _) => (Some(Value::from(now)), None),
            (false, Some(_)) => (Some(Value::Null), Some(Value::Null)),
            (false, None) => (None, None),
        };
        changes.extend(trash_at.map(|at| ("trash_at".to_owned(), at)));
        changes.extend(delete_at.map(|at| ("delete_at".to_owned(), at)));
    }
    let timed = |name| is_changed(name, changes, old);
    if timed("trash_at") && !timed("delete_at") {
        let lifetime = f64::from(TRASH_LIFETIME_SECONDS);
        let delete_at = match text(changes, "trash_at") {
            "" => Value::Null,
            trash_at => time::after(trash_at, lifetime).into(),
        };
        changes.insert("delete_at".to_owned(), delete_at);
    } else if timed("delete_at") {
        let (trash_at, delete_at) = times(changes, old);
        let earliest = earliest_deletion(old, now, signed_for);
        if !trash_at.is_empty() && trash_at <= delete_at && delete_at < earliest {
            changes.insert("delete_at".to_owned(), earliest.into());
        }
    }
    let (trash_at, delete_at) = times(changes, old);
    if trash_at.is_empty() != delete_at.is_empty() {
        let what = "must be set if trash_at is set, and must be nil otherwise";
        return Err(unprocessable(format!("Delete at {what}")));
    }
    if delete_at < trash_at {
        return Err(unprocessable("Delete at must not be earlier than trash_at"));
    }
    let is_trashed = !trash_at.is_empty() && trash_at.as_str() <= now;
    match old.is_some_and(|old| flag(old, "is_trashed") == is_trashed) {
        true => drop(changes.remove("is_trashed")),
        false => drop(changes.insert("is_trashed".to_owned(), is_trashed.into())),
    }
    Ok(())
}

/// `trash_at` and `delete_at` as they are to be; empty for null.
fn times(changes: &Object, old: Option<&Object>) -> (String, String) {
    let object = merged(changes, old);
    (text(&object, "trash_at").to_owned(), text(&object, "delete_at").to_owned())
}

/// Before that, somebody may still read by a locator that was signed while the object was not in the
/// trash; but not after the time at which it would have been gone anyway.
fn earliest_deletion(old: Option<&Object>, now: &str, signed_for: f64) -> String {
    let before = |name: &str| old.map(|old| text(old, name)).filter(|time| !time.is_empty());
    let last_signed = before("trash_at").map_or(now, |trash_at| trash_at.min(now));
    let earliest = time::after(last_signed, signed_for);
    match before("delete_at") {
        Some(delete_at) if delete_at < earliest.as_str() => delete_at.to_owned(),
        _ => earliest,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2020-06-01T00:00:00.000000000Z";
    const DAY: f64 = 86_400.0;

    fn at(day: u32) -> String {
        format!("2020-06-{day:02}T00:00:00.000000000Z")
    }

    /// `is_trashed`, `trash_at` and `delete_at` after `changes`, with signatures of two days.
    fn settled(changes: &Value, old: Option<&Value>) -> Result<Value> {
        let mut changes = changes.as_object().unwrap().clone();
        let old = old.and_then(Value::as_object);
        settle(&mut changes, old, NOW, 2.0 * DAY)?;
        let all = merged(&changes, old);
        Ok(["is_trashed", "trash_at", "delete_at"]
            .map(|name| all.get(name).cloned().unwrap_or_default())
            .into_iter()
            .collect())
    }

    #[test]
    fn what_goes_to_the_trash_is_gone_two_weeks_later() {
        let is = |changes: Value| settled(&changes, None).unwrap();
        assert_eq!(is(json!({})), json!([false, null, null]));
        assert_eq!(is(json!({"is_trashed": true})), json!([true, NOW, at(15)]));
        assert_eq!(
            is(json!({"trash_at": "2001-01-01T00:00:00.000000000Z"})),
            json!([true, NOW, at(15)])
        );
        assert_eq!(is(json!({"trash_at": at(5)})), json!([false, at(5), at(19)]));
        let wanted = json!({"trash_at": at(5), "delete_at": at(7)});
        assert_eq!(is(wanted), json!([false, at(5), at(7)]));
    }

    #[test]
    fn nothing_is_gone_while_its_locators_are_good() {
        let soon = json!({"trash_at": NOW, "delete_at": NOW});
        assert_eq!(settled(&soon, None).unwrap(), json!([true, NOW, at(3)]));
        let long_ago = "2001-01-01T00:00:00.000000000Z";
        let old = json!({"is_trashed": true, "trash_at": long_ago, "delete_at": at(20)});
        let over = json!({"delete_at": "2001-01-02T00:00:00.000000000Z"});
        let expected = json!([true, long_ago, "2001-01-03T00:00:00.000000000Z"]);
        assert_eq!(settled(&over, Some(&old)).unwrap(), expected);
    }

    #[test]
    fn it_comes_back_and_impossible_times_are_refused() {
        let old = json!({"is_trashed": true, "trash_at": NOW, "delete_at": at(15)});
        for back in [json!({"is_trashed": false}), json!({"trash_at": null})] {
            assert_eq!(settled(&back, Some(&old)).unwrap(), json!([false, null, null]));
        }
        assert!(settled(&json!({"delete_at": at(5)}), None).is_err());
        assert!(settled(&json!({"trash_at": at(5), "delete_at": at(4)}), None).is_err());
        assert!(settled(&json!({"delete_at": null}), Some(&old)).is_err());
    }
}
