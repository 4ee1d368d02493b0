//! The states of container requests, and what a request may be for.

use serde_json::{Value, json};

use super::auth;
use super::container::check_presence;
use super::priority;
use super::resolve;
use super::whitelist;
use super::{CONTAINER_REQUESTS, CONTAINERS};
use crate::api::attributes::sentence_start;
use crate::api::context::Context;
use crate::api::error::{Result, unprocessable};
use crate::api::object::{Object, flag, integer, is_changed, merged, text};
use crate::api::value;
use crate::api::write;

/// From each state, where a request may go.
const WAYS: &[(&str, &[&str])] = &[
    ("", &["Uncommitted", "Committed"]),
    ("Uncommitted", &["Committed"]),
    ("Committed", &["Final"]),
];
/// What may always be changed.
const ALWAYS: &[&str] = &["owner_uuid", "name", "description", "properties", "modified_at"];
/// What the server alone decides.
const OF_THE_SERVER: &[&str] =
    &["container_count", "output_uuid", "log_uuid", "cumulative_cost", "requesting_container_uuid"];

/// Checks and completes `changes` of a request.
///
/// # Errors
/// Says which rule they break.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    fill_blanks(context, changes, old);
    let request = merged(changes, old);
    let state = text(&request, "state").to_owned();
    whitelist::check_state(&state, old, WAYS)?;
    check_presence(&request)?;
    check_values(&request)?;
    check_changes(context, changes, old, &state)?;
    if is_changed("runtime_token", changes, old) {
        auth::runtime_user(context, text(changes, "runtime_token"))?;
    }
    if old.is_none()
        && let Some(container) = auth::current(context)?
    {
        let uuid = text(&container, "uuid");
        changes.insert("requesting_container_uuid".to_owned(), uuid.into());
        changes.insert("priority".to_owned(), priority::of_requests(context, uuid)?.into());
    }
    set_container(context, changes, old, &state)?;
    if state == "Final" {
        changes.insert("secret_mounts".to_owned(), json!({}));
        changes.insert("runtime_token".to_owned(), Value::Null);
    }
    Ok(())
}

/// What is null counts as not given, but for the priority that a request has already.
fn fill_blanks(context: &Context<'_>, changes: &mut Object, old: Option<&Object>) {
    let fills = |name: &str| old.is_none() || name != "priority";
    let attributes = CONTAINER_REQUESTS.attributes(context.era());
    for attribute in attributes.filter(|attribute| fills(attribute.name)) {
        if let Some(given) = changes.get_mut(attribute.name).filter(|given| given.is_null()) {
            *given = value::initial(attribute);
        }
    }
}

fn check_values(request: &Object) -> Result<()> {
    if integer(request, "priority") > 1000 {
        return Err(unprocessable("Priority must be less than or equal to 1000"));
    }
    if integer(request, "output_ttl") < 0 {
        return Err(unprocessable("Output ttl must be greater than or equal to 0"));
    }
    let entries = |name: &str| request.get(name).and_then(Value::as_object).into_iter().flatten();
    let command = request.get("command").and_then(Value::as_array).into_iter().flatten();
    if !command.into_iter().all(Value::is_string) {
        return Err(unprocessable("Command must be an array of strings"));
    }
    if !entries("environment").all(|(_, value)| value.is_string()) {
        return Err(unprocessable("Environment must be a map of String to String"));
    }
    for name in ["mounts", "secret_mounts"] {
        let start = sentence_start(name);
        for (_, mount) in entries(name) {
            if !mount.is_object() {
                return Err(unprocessable(format!("{start} must be a map of String to Hash")));
            }
            if mount.get("kind").is_none_or(Value::is_null) {
                return Err(unprocessable(format!("{start} each item must have a 'kind' field")));
            }
        }
    }
    let secret = request.get("secret_mounts");
    let hidden = |name: &String| secret.is_some_and(|secret| secret.get(name).is_some());
    if entries("mounts").any(|(name, _)| hidden(name)) {
        return Err(unprocessable("Secret mounts conflict with non-secret mounts"));
    }
    let needed = if text(request, "state") == "Committed" { &["vcpus", "ram"][..] } else { &[] };
    for name in needed {
        let amount = request.get("runtime_constraints").and_then(|all| all.get(name));
        if amount.and_then(Value::as_i64).is_none_or(|amount| amount <= 0) {
            let amount = amount.map_or_else(|| "nil".to_owned(), Value::to_string);
            return Err(unprocessable(format!(
                "Runtime constraints [{name}]={amount} must be a positive integer"
            )));
        }
    }
    Ok(())
}

fn check_changes(
    context: &Context<'_>,
    changes: &Object,
    old: Option<&Object>,
    state: &str,
) -> Result<()> {
    let admin = context.account()?.is_admin;
    let Some(old) = old.filter(|old| text(old, "state") != "Uncommitted") else {
        // Until it is committed a request is its author's to shape.
        let initial = CONTAINER_REQUESTS.columns(context.era());
        let initial: Object =
            initial.map(|column| (column.name.to_owned(), value::initial(column))).collect();
        let before = old.unwrap_or(&initial);
        let touched = OF_THE_SERVER.iter().find(|name| is_changed(name, changes, Some(before)));
        return match touched {
            None => check_container(changes, old, admin),
            Some(name) => {
                let start = sentence_start(name);
                Err(unprocessable(format!("{start} cannot be modified in state '{state}'")))
            }
        };
    };
    let mut permitted = ALWAYS.to_vec();
    match (text(old, "state"), state) {
        ("Committed", "Committed") => {
            permitted.extend(["priority", "container_count_max", "container_uuid"]);
            permitted.extend(admin.then_some("log_uuid"));
        }
        ("Committed", "Final") => {
            permitted.push("priority");
            permitted.extend(admin.then_some(["output_uuid", "log_uuid"]).into_iter().flatten());
        }
        _ => {}
    }
    whitelist::check(changes, Some(old), state, &permitted)?;
    check_container(changes, Some(old), admin)
}

fn check_container(changes: &Object, old: Option<&Object>, admin: bool) -> Result<()> {
    let given = !text(changes, "container_uuid").is_empty();
    if is_changed("container_uuid", changes, old) && given && !admin {
        return Err(unprocessable("Container uuid can only be updated to nil."));
    }
    Ok(())
}

/// A request that is committed gets a container.
fn set_container(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
    state: &str,
) -> Result<()> {
    let request = merged(changes, old);
    let commits = state == "Committed" && old.is_none_or(|old| text(old, "state") != state);
    if commits && text(&request, "container_uuid").is_empty() {
        let container = resolve::container(context, &request)?;
        changes.insert("container_uuid".to_owned(), container.into());
    }
    if is_changed("container_uuid", changes, old) {
        let count = old.map(|old| integer(old, "container_count")).unwrap_or_default() + 1;
        changes.insert("container_count".to_owned(), count.into());
    }
    Ok(())
}

/// Passes the priority of a request on to its container.
///
/// # Errors
/// Those of the database.
pub(crate) fn after_save(context: &Context<'_>, new: &Object, old: Option<&Object>) -> Result<()> {
    let names = ["state", "priority", "container_uuid"];
    if old.is_some_and(|old| names.iter().all(|name| old.get(*name) == new.get(*name))) {
        return Ok(());
    }
    let containers = [Some(new), old].into_iter().flatten();
    let mut uuids: Vec<_> = containers.map(|request| text(request, "container_uuid")).collect();
    uuids.dedup();
    for uuid in uuids.into_iter().filter(|uuid| !uuid.is_empty()) {
        priority::update(&context.as_system(), uuid)?;
    }
    Ok(())
}

/// A request that is deleted wants nothing any more.
///
/// # Errors
/// Those of the database.
pub(crate) fn before_delete(context: &Context<'_>, request: &Object) -> Result<()> {
    let waits = text(request, "state") != "Final" && integer(request, "priority") > 0;
    if waits {
        let nothing = Object::from_iter([("priority".to_owned(), 0.into())]);
        write::change(&context.as_system(), &CONTAINER_REQUESTS, request, nothing, false)?;
    }
    Ok(())
}

/// Whether the request lets another's container do.
pub(super) fn takes_existing(request: &Object) -> bool {
    flag(request, "use_existing")
}

/// The attributes that a container has from the request for it.
pub(super) fn shared_attributes() -> impl Iterator<Item = &'static str> {
    let of_containers = CONTAINERS.own.iter().map(|attribute| attribute.name);
    of_containers.filter(|name| {
        let own = ["state", "priority"].contains(name);
        !own && CONTAINER_REQUESTS.own.iter().any(|attribute| attribute.name == *name)
    })
}
