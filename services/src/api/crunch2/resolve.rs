//! Finds or makes the container for a request.

use serde_json::{Map, Value, json};

use super::CONTAINERS;
use super::auth;
use super::request::{shared_attributes, takes_existing};
use crate::api::condition::Condition;
use crate::api::context::Context;
use crate::api::docker_image;
use crate::api::error::{Result, unprocessable};
use crate::api::object::{self, Object, integer, text};
use crate::api::readable;
use crate::api::resources::COLLECTIONS;
use crate::api::write;

/// What must be equal in a container that serves another request, too.
const SAME: &[&str] = &[
    "command",
    "cwd",
    "environment",
    "output_path",
    "container_image",
    "mounts",
    "secret_mounts",
    "runtime_constraints",
    "output_glob",
];

/// The uuid of the container for `request`.
///
/// # Errors
/// When its image or a collection that it mounts is not there.
pub(super) fn container(context: &Context<'_>, request: &Object) -> Result<String> {
    let mut wanted: Object = shared_attributes()
        .map(|name| (name.to_owned(), request.get(name).cloned().unwrap_or_default()))
        .collect();
    let token = text(request, "runtime_token");
    let (user, scopes) = match token {
        "" => (context.account()?.uuid.clone(), json!(["all"])),
        token => auth::runtime_user(context, token)?,
    };
    wanted.insert("runtime_user_uuid".to_owned(), user.into());
    wanted.insert("runtime_auth_scopes".to_owned(), scopes);
    let image = text(request, "container_image");
    let found = docker_image::find(context, image)?;
    let found = found.ok_or_else(|| unprocessable(format!("docker image {image:?} not found")))?;
    wanted.insert("container_image".to_owned(), found.into());
    let mounts = request.get("mounts").and_then(Value::as_object);
    wanted.insert("mounts".to_owned(), resolved(context, mounts)?.into());
    if takes_existing(request)
        && let Some(uuid) = reusable(context, &wanted)?
    {
        return Ok(uuid);
    }
    let made = write::insert(&context.as_system(), &CONTAINERS, wanted, false)?;
    Ok(text(&made, "uuid").to_owned())
}

/// The container that takes the place of `old`, which was cancelled.
///
/// # Errors
/// Those of the database.
pub(super) fn another(context: &Context<'_>, old: &Object) -> Result<String> {
    let copied = shared_attributes().chain(["runtime_user_uuid", "runtime_auth_scopes"]);
    let wanted: Object =
        copied.map(|name| (name.to_owned(), old.get(name).cloned().unwrap_or_default())).collect();
    let made = write::insert(context, &CONTAINERS, wanted, false)?;
    Ok(text(&made, "uuid").to_owned())
}

/// Mounts of collections, by what these hold now.
fn resolved(
    context: &Context<'_>,
    mounts: Option<&Map<String, Value>>,
) -> Result<Map<String, Value>> {
    let mut resolved = mounts.cloned().unwrap_or_default();
    for mount in resolved.values_mut().filter_map(Value::as_object_mut) {
        if text(mount, "kind") != "collection" {
            continue;
        }
        let uuid = mount.remove("uuid").unwrap_or_default();
        let Some(uuid) = uuid.as_str().filter(|_| text(mount, "portable_data_hash").is_empty())
        else {
            continue;
        };
        let condition = Condition::all([
            Condition::equals("uuid", uuid),
            readable::condition(context, &COLLECTIONS, false),
        ]);
        let found = object::find(context.db, &COLLECTIONS, context.era(), &condition)?;
        let found = found
            .ok_or_else(|| unprocessable(format!("cannot mount collection {uuid:?}: not found")))?;
        let hash = text(&found, "portable_data_hash");
        mount.insert("portable_data_hash".to_owned(), hash.into());
    }
    Ok(resolved)
}

/// The best container that does the same: one that has succeeded, that runs, or that waits.
fn reusable(context: &Context<'_>, wanted: &Object) -> Result<Option<String>> {
    let image = Condition::equals("container_image", text(wanted, "container_image"));
    let all = object::find_all(context.db, &CONTAINERS, context.era(), &image, "created_at, id")?;
    let same = |found: &&Object| SAME.iter().all(|name| found.get(*name) == wanted.get(*name));
    let same: Vec<_> = all.iter().filter(same).collect();
    for found in same.iter().filter(|found| succeeded(found)) {
        let readable = |name: &str| readable::is_readable(context, text(found, name));
        if readable("output")? && readable("log")? {
            return Ok(Some(text(found, "uuid").to_owned()));
        }
    }
    let wants = |found: &&&Object| integer(found, "priority") > 0;
    let failing = |found: &Object| {
        found.get("runtime_status").and_then(|status| status.get("error")).is_some()
    };
    let running = same
        .iter()
        .filter(wants)
        .find(|found| text(found, "state") == "Running" && !failing(found));
    let in_state = |state: &'static str| {
        let there = same.iter().filter(move |found| text(found, "state") == state);
        there.max_by_key(|found| integer(found, "priority"))
    };
    let found = running.or_else(|| in_state("Locked")).or_else(|| in_state("Queued"));
    Ok(found.map(|found| text(found, "uuid").to_owned()))
}

fn succeeded(container: &Object) -> bool {
    text(container, "state") == "Complete" && container.get("exit_code") == Some(&json!(0))
}
