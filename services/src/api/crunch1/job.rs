//! The states of jobs, who may change a job that is locked, and what a job may be made of.

use serde_json::Value;

use crate::api::context::Context;
use crate::api::docker_image;
use crate::api::error::{Result, denied, unprocessable};
use crate::api::object::{Object, flag, is_changed, merged, text};
use crate::api::time;
use crate::api::uuid;

use super::JOBS;

const STATES: &[&str] = &["Queued", "Running", "Cancelled", "Failed", "Complete"];

/// What only the holder of the lock changes.
const LOCKED: &[&str] = &[
    "script",
    "script_parameters",
    "script_version",
    "started_at",
    "finished_at",
    "running",
    "success",
    "output",
    "log",
    "tasks_summary",
    "components",
];

/// Checks and completes `changes` of a job.
///
/// # Errors
/// Says which rule they break.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    match old {
        None => check_given(context)?,
        Some(old) => check_lock(context, changes, old)?,
    }
    if changes.get("priority").is_some_and(Value::is_null) {
        changes.insert("priority".to_owned(), 0.into());
    }
    take_state_from_flags(changes, old);
    check_state(changes, old)?;
    check_script_version(changes, old)?;
    check_runtime_constraints(context, changes, old)?;
    if is_changed("script_parameters", changes, old)
        && changes.get("script_parameters").is_some_and(names_collection)
    {
        return Err(unprocessable(
            "Script parameters must use portable_data_hash instead of collection uuid",
        ));
    }
    follow_state(changes, old);
    Ok(())
}

/// What the creator of a job has to give, and may not ask for.
fn check_given(context: &Context<'_>) -> Result<()> {
    let given = context.request.json(JOBS.singular)?;
    for name in ["repository", "script", "script_version", "script_parameters"] {
        let wrapped = given.as_ref().and_then(|given| given.get(name));
        if wrapped.or_else(|| context.request.parameter(name)).is_none_or(Value::is_null) {
            return Err(unprocessable(format!("{name} attribute must be specified")));
        }
    }
    // A job that is found has to be the right one, which takes a look into repositories.
    if context.request.flag("find_or_create")? {
        return Err(unprocessable("find_or_create is not among what this server can do"));
    }
    Ok(())
}

fn check_lock(context: &Context<'_>, changes: &Object, old: &Object) -> Result<()> {
    let account = context.account()?;
    let refused =
        |what: &str| denied(format!("Permission denied: cannot {what} job {}", text(old, "uuid")));
    let holder = text(old, "is_locked_by_uuid");
    let is_holder = account.uuid == holder;
    if !holder.is_empty() && !is_holder && account.uuid != uuid::SYSTEM_USER {
        let touched = LOCKED.iter().any(|name| is_changed(name, changes, Some(old)));
        let moved = is_changed("state", changes, Some(old));
        if touched || (moved && text(changes, "state") != "Cancelled") {
            return Err(refused("change locked"));
        }
    }
    if is_changed("is_locked_by_uuid", changes, Some(old)) {
        let wanted = text(changes, "is_locked_by_uuid");
        let steals = !holder.is_empty() && !is_holder;
        if steals || (!wanted.is_empty() && wanted != account.uuid) {
            return Err(refused("lock"));
        }
    }
    Ok(())
}

/// Clients from before there was a state set `running`, `success` or `cancelled_at`.
fn take_state_from_flags(changes: &mut Object, old: Option<&Object>) {
    let job = merged(changes, old);
    let touched =
        ["cancelled_at", "success", "running"].iter().any(|name| is_changed(name, changes, old));
    if !touched && !text(&job, "state").is_empty() {
        return;
    }
    let state = if !text(&job, "cancelled_at").is_empty() {
        "Cancelled"
    } else if job.get("success") == Some(&Value::Bool(false)) {
        "Failed"
    } else if flag(&job, "success") {
        "Complete"
    } else if flag(&job, "running") {
        "Running"
    } else {
        "Queued"
    };
    changes.insert("state".to_owned(), state.into());
}

fn check_state(changes: &Object, old: Option<&Object>) -> Result<()> {
    if !is_changed("state", changes, old) {
        return Ok(());
    }
    let new = text(changes, "state");
    if !STATES.contains(&new) {
        let states = STATES.join(", ");
        return Err(unprocessable(format!("State {new:?} must be one of: [{states}]")));
    }
    let before = old.map(|old| text(old, "state")).unwrap_or_default();
    let allowed = match before {
        "" | "Queued" => true,
        "Running" => ["Complete", "Failed", "Cancelled"].contains(&new),
        _ => false,
    };
    if !allowed {
        return Err(unprocessable(format!("State invalid change from {before} to {new}")));
    }
    Ok(())
}

/// Repositories are out of reach: a commit is known by its whole hash only.
fn check_script_version(changes: &mut Object, old: Option<&Object>) -> Result<()> {
    let job = merged(changes, old);
    let touched =
        ["repository", "script_version"].iter().any(|name| is_changed(name, changes, old));
    if text(&job, "state") == "Running" || !touched {
        return Ok(());
    }
    let version = text(&job, "script_version");
    if !is_commit(version) {
        let text = format!("Script version {version} does not resolve to a commit");
        return Err(unprocessable(text));
    }
    if text(&job, "supplied_script_version").is_empty() {
        changes.insert("supplied_script_version".to_owned(), version.into());
    }
    Ok(())
}

fn is_commit(version: &str) -> bool {
    version.len() == 40 && version.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn check_runtime_constraints(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    if !is_changed("runtime_constraints", changes, old) {
        return Ok(());
    }
    let constraint = |name: &str| {
        let constraints = changes.get("runtime_constraints")?;
        constraints.get(name)?.as_str().map(str::to_owned)
    };
    let (image, sdk) = (constraint("docker_image"), constraint("arvados_sdk_version"));
    let locator =
        match image.as_deref() {
            None => None,
            Some(image) => Some(docker_image::find(context, image)?.ok_or_else(|| {
                unprocessable(format!("Docker image locator not found for {image}"))
            })?),
        };
    if let Some(sdk) = &sdk {
        if locator.is_none() {
            return Err(unprocessable(
                "Arvados sdk version cannot be specified without a Docker image",
            ));
        }
        if !is_commit(sdk) {
            let text = format!("Arvados sdk version {sdk} does not resolve to a commit");
            return Err(unprocessable(text));
        }
    }
    changes.insert("docker_image_locator".to_owned(), locator.into());
    changes.insert("arvados_sdk_version".to_owned(), sdk.into());
    Ok(())
}

/// Whether any text in it has the uuid of a collection.
fn names_collection(value: &Value) -> bool {
    match value {
        Value::String(text) => has_collection_uuid(text),
        Value::Array(items) => items.iter().any(names_collection),
        Value::Object(entries) => {
            entries.iter().any(|(name, value)| has_collection_uuid(name) || names_collection(value))
        }
        _ => false,
    }
}

fn has_collection_uuid(text: &str) -> bool {
    const INFIX: &str = "-4zz18-";
    let part =
        |bytes: &[u8]| bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.match_indices(INFIX).any(|(at, _)| {
        let before = at.checked_sub(5).and_then(|start| text.as_bytes().get(start..at));
        let after = at + INFIX.len();
        let after = text.as_bytes().get(after..after + 15);
        before.is_some_and(part) && after.is_some_and(part)
    })
}

/// Sets the times and the flags that go with a state.
fn follow_state(changes: &mut Object, old: Option<&Object>) {
    if old.is_some() && !is_changed("state", changes, old) {
        return;
    }
    let state = text(changes, "state").to_owned();
    let reached = match state.as_str() {
        "Running" => Some("started_at"),
        "Failed" | "Complete" => Some("finished_at"),
        "Cancelled" => Some("cancelled_at"),
        _ => None,
    };
    if let Some(name) = reached
        && text(&merged(changes, old), name).is_empty()
    {
        changes.insert(name.to_owned(), time::now().into());
    }
    let success = match state.as_str() {
        "Cancelled" | "Failed" => Value::Bool(false),
        "Complete" => Value::Bool(true),
        _ => Value::Null,
    };
    changes.insert("running".to_owned(), (state == "Running").into());
    changes.insert("success".to_owned(), success);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn flags_of_old_clients_become_a_state_and_a_state_sets_the_flags() {
        for (flags, state) in [
            (json!({}), "Queued"),
            (json!({"running": true}), "Running"),
            (json!({"success": true}), "Complete"),
            (json!({"success": false}), "Failed"),
            (
                json!({"cancelled_at": "2015-01-01T00:00:00.000000000Z", "running": true}),
                "Cancelled",
            ),
        ] {
            let mut job = object(flags);
            take_state_from_flags(&mut job, None);
            assert_eq!(job["state"], state);
        }
        let mut job = object(json!({"state": "Complete"}));
        follow_state(&mut job, None);
        assert_eq!((&job["success"], &job["running"]), (&json!(true), &json!(false)));
        assert!(job["finished_at"].is_string());
    }

    #[test]
    fn a_job_that_has_ended_stays_so() {
        let change = |before: &str, after: &str| {
            let old = object(json!({"state": before}));
            check_state(&object(json!({"state": after})), Some(&old)).is_ok()
        };
        assert!(change("Queued", "Complete") && change("Running", "Failed"));
        assert!(!change("Running", "Queued") && !change("Complete", "Running"));
        assert!(!change("Queued", "Asleep"));
        assert!(change("Complete", "Complete"));
    }

    #[test]
    fn collections_are_named_by_their_hash() {
        let uuid = "zzzzz-4zz18-znfnqtbbv4spc3w";
        assert!(names_collection(&json!({"input": [{"value": format!("keep:{uuid}/foo")}]})));
        assert!(!names_collection(&json!({"input": "1f4b0bc7583c2a7f9102c395f4ffc5e3+45"})));
        assert!(!names_collection(&json!("ü-4zz18-short")));
    }
}
