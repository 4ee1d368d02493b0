//! The states of containers: who moves them, and what may be changed on the way.

use serde_json::{Value, json};

use super::auth;
use super::finish;
use super::whitelist;
use crate::api::attributes::sentence_start;
use crate::api::context::Context;
use crate::api::error::{Result, denied, unprocessable};
use crate::api::object::{Object, flag, integer, is_changed, merged, text};
use crate::api::readable;
use crate::api::time;

/// From each state, where a container may go.
const WAYS: &[(&str, &[&str])] = &[
    ("", &["Queued"]),
    ("Queued", &["Locked", "Cancelled"]),
    ("Locked", &["Queued", "Running", "Cancelled"]),
    ("Running", &["Complete", "Cancelled"]),
    ("Complete", &["Cancelled"]),
];
/// How often a container is locked before it is given up.
const MAX_DISPATCH_ATTEMPTS: i64 = 10;
/// What tells how a run goes.
const PROGRESS: &[&str] = &[
    "progress",
    "runtime_status",
    "subrequests_cost",
    "cost",
    "log",
    "output",
    "output_properties",
    "exit_code",
];

/// Checks and completes `changes` of a container.
///
/// # Errors
/// Says which rule they break.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    let container = merged(changes, old);
    let state = text(&container, "state").to_owned();
    whitelist::check_state(&state, old, WAYS)?;
    check_presence(&container)?;
    let Some(old) = old else {
        return Ok(());
    };
    check_changes(context, changes, old, &state)?;
    check_output(context, changes, old)?;
    move_on(context, changes, old, &state)?;
    let state = text(&merged(changes, Some(old)), "state").to_owned();
    hold_lock(context, changes, old, &state)
}

/// What a container cannot be without.
pub(super) fn check_presence(object: &Object) -> Result<()> {
    let no_command = object.get("command").and_then(Value::as_array).is_none_or(Vec::is_empty);
    let missing = ["container_image", "output_path", "cwd"];
    let missing = missing.into_iter().find(|name| text(object, name).is_empty());
    if let Some(name) = no_command.then_some("command").or(missing) {
        return Err(unprocessable(format!("{} can't be blank", sentence_start(name))));
    }
    if object.get("priority").and_then(Value::as_i64).is_none_or(|priority| priority < 0) {
        return Err(unprocessable("Priority must be greater than or equal to 0"));
    }
    Ok(())
}

fn check_changes(context: &Context<'_>, changes: &Object, old: &Object, state: &str) -> Result<()> {
    let before = text(old, "state");
    let mut permitted = vec!["locked_by_uuid", "auth_uuid"];
    match (before, state) {
        (_, "Locked") => permitted.extend(["priority", "runtime_status", "log"]),
        (_, "Queued") => permitted.push("priority"),
        (_, "Running") => {
            permitted.extend(["priority", "gateway_address"]);
            permitted.extend(PROGRESS);
            permitted.extend((before != "Running").then_some("started_at"));
            let unused = !flag(old, "interactive_session_started");
            permitted.extend(unused.then_some("interactive_session_started"));
        }
        ("Running", "Complete" | "Cancelled") => {
            permitted.push("finished_at");
            permitted.extend(PROGRESS);
        }
        ("Queued" | "Locked", "Cancelled") => {
            permitted.extend(["finished_at", "log", "runtime_status", "cost"]);
        }
        _ => {}
    }
    let lock = text(old, "locked_by_uuid");
    if before == "Running" && auth::is_inside(context, old) {
        permitted.push("finished_at");
        permitted.retain(|name| !["log", "priority"].contains(name));
    } else if !context.account()?.is_admin {
        return Err(denied("Permission denied: only admins and the container itself change it"));
    } else if !lock.is_empty() && lock != auth::token_uuid(context) {
        permitted.retain(|name| !PROGRESS.contains(name));
    }
    whitelist::check(changes, Some(old), state, &permitted)
}

fn check_output(context: &Context<'_>, changes: &Object, old: &Object) -> Result<()> {
    let output = text(changes, "output");
    let moved = is_changed("output", changes, Some(old)) && !output.is_empty();
    if moved && !readable::is_readable(context, output)? {
        return Err(unprocessable("Output collection must exist and be readable by current user."));
    }
    Ok(())
}

/// What goes with a change of state.
fn move_on(context: &Context<'_>, changes: &mut Object, old: &Object, state: &str) -> Result<()> {
    let container = merged(changes, Some(old));
    let unset = |name: &str| text(&container, name).is_empty();
    match (text(old, "state"), state) {
        ("Queued", "Locked") => {
            if integer(&container, "priority") <= 0 {
                return Err(unprocessable("cannot lock when priority<=0"));
            }
            let count = integer(old, "lock_count") + 1;
            changes.insert("lock_count".to_owned(), count.into());
        }
        ("Locked", "Queued") => {
            if text(old, "locked_by_uuid") != auth::token_uuid(context) {
                return Err(unprocessable("locked by a different token"));
            }
            changes.insert("runtime_status".to_owned(), json!({}));
            let attempts = integer(old, "lock_count");
            if attempts >= MAX_DISPATCH_ATTEMPTS {
                let error = format!(
                    "Failed to start container.  Cancelled after exceeding \
                     'Containers.MaxDispatchAttempts' (lock_count={attempts})"
                );
                changes.insert("state".to_owned(), "Cancelled".into());
                changes.insert("runtime_status".to_owned(), json!({"error": error}));
                changes.insert("finished_at".to_owned(), time::now().into());
            }
        }
        (before, "Running") if before != "Running" && unset("started_at") => {
            changes.insert("started_at".to_owned(), time::now().into());
        }
        (before, "Complete" | "Cancelled") if before != state && unset("finished_at") => {
            changes.insert("finished_at".to_owned(), time::now().into());
        }
        _ => {}
    }
    Ok(())
}

/// A container that is locked or runs has a lock and a token; any other has neither.
fn hold_lock(context: &Context<'_>, changes: &mut Object, old: &Object, state: &str) -> Result<()> {
    let container = merged(changes, Some(old));
    if is_changed("auth_uuid", changes, Some(old)) {
        return Err(unprocessable("Auth uuid is readonly"));
    }
    let held = ["Locked", "Running"].contains(&state);
    let lock = match text(old, "locked_by_uuid") {
        _ if !held => Value::Null,
        "" => auth::token_uuid(context).into(),
        holder => holder.into(),
    };
    if is_changed("locked_by_uuid", changes, Some(old))
        && changes.get("locked_by_uuid") != Some(&lock)
    {
        return Err(unprocessable(format!("Locked by uuid can only change to {lock}")));
    }
    changes.insert("locked_by_uuid".to_owned(), lock);
    if held {
        return auth::assign(context, &container, changes);
    }
    auth::expire(context, &container, changes)?;
    if is_final(state) {
        changes.insert("secret_mounts".to_owned(), json!({}));
        changes.insert("runtime_token".to_owned(), Value::Null);
    }
    Ok(())
}

fn is_final(state: &str) -> bool {
    ["Complete", "Cancelled"].contains(&state)
}

/// Tells those who have requested a container what has become of it.
///
/// # Errors
/// When their outputs cannot be stored.
pub(crate) fn after_save(context: &Context<'_>, new: &Object, old: Option<&Object>) -> Result<()> {
    let Some(old) = old else {
        return Ok(());
    };
    if is_final(text(new, "state")) {
        if !is_final(text(old, "state")) {
            finish::all_requests(&context.as_system(), new)?;
        }
    } else if text(new, "log") != text(old, "log") {
        finish::update_logs(&context.as_system(), new)?;
    }
    Ok(())
}
