//! What is done to containers, and what they ask of themselves.

use hyper::Method;
use serde_json::{Value, json};

use super::auth;
use super::priority;
use super::{CONTAINER_REQUESTS, CONTAINERS, CREDENTIALS};
use crate::api::context::Context;
use crate::api::error::{ApiError, Result, denied, unprocessable};
use crate::api::object::{Object, text};
use crate::api::present;
use crate::api::readable;
use crate::api::resource::Eras;
use crate::api::resources::API_CLIENT_AUTHORIZATIONS;
use crate::api::special::{Special, on_class, on_object, special};
use crate::api::time;
use crate::api::write;

/// All of them.
pub(crate) static SPECIALS: &[Special] = &[
    on_class(&CONTAINERS, "current", Eras::All, |context, _| {
        let container = auth::current(context)?.ok_or(ApiError::NotFound)?;
        present::one(context, &CONTAINERS, &container, None)
    }),
    special(&CONTAINERS, "auth", Method::GET, true, |context, uuid| {
        let container = readable::find(context, &CONTAINERS, uuid, false)?;
        let token = auth::of_container(context, &container)?;
        present::one(context, &API_CLIENT_AUTHORIZATIONS, &token, None)
    }),
    special(&CONTAINERS, "secret_mounts", Method::GET, true, secret_mounts),
    on_object(&CONTAINERS, "lock", |context, uuid| go(context, uuid, "lock", "Queued", "Locked")),
    on_object(&CONTAINERS, "unlock", |context, uuid| {
        go(context, uuid, "unlock", "Locked", "Queued")
    }),
    on_object(&CONTAINERS, "update_priority", |context, uuid| {
        readable::find(context, &CONTAINERS, uuid, false)?;
        priority::update(&context.as_system(), uuid)?;
        let container = readable::find(context, &CONTAINERS, uuid, false)?;
        present::one(context, &CONTAINERS, &container, None)
    }),
    special(&CONTAINER_REQUESTS, "container_status", Method::GET, true, container_status),
    special(&CREDENTIALS, "secret", Method::GET, true, secret),
];

/// Takes a container from one state to another.
fn go(context: &Context<'_>, uuid: &str, what: &str, from: &str, to: &str) -> Result<Value> {
    let container = readable::find(context, &CONTAINERS, uuid, false)?;
    readable::require_write(context, &CONTAINERS, &container)?;
    let state = text(&container, "state");
    if state != from {
        return Err(unprocessable(format!("cannot {what} when {state}")));
    }
    let changes = Object::from_iter([("state".to_owned(), to.into())]);
    write::set(context, &CONTAINERS, uuid, changes)
}

fn secret_mounts(context: &Context<'_>, uuid: &str) -> Result<Value> {
    let container = auth::current(context)?.filter(|own| text(own, "uuid") == uuid);
    let container =
        container.ok_or_else(|| denied("Token is not associated with this container."))?;
    Ok(json!({"secret_mounts": container.get("secret_mounts")}))
}

/// How far the container of a request is, and what it waits for.
fn container_status(context: &Context<'_>, uuid: &str) -> Result<Value> {
    let request = readable::find(context, &CONTAINER_REQUESTS, uuid, false)?;
    let container = text(&request, "container_uuid");
    if container.is_empty() {
        let waits = "No container is assigned.";
        return Ok(
            json!({"container_uuid": "", "container_state": "", "scheduling_status": waits}),
        );
    }
    // Whoever sees a request may know this of its container.
    let container = readable::find(&context.as_system(), &CONTAINERS, container, false)?;
    let waits = match text(&container, "state") {
        "Queued" | "Locked" => "Nothing runs containers in this cluster.",
        _ => "",
    };
    Ok(json!({
        "container_uuid": container["uuid"],
        "container_state": container["state"],
        "scheduling_status": waits,
    }))
}

/// What a credential is good for, told to running containers only.
fn secret(context: &Context<'_>, uuid: &str) -> Result<Value> {
    let credential = readable::find(context, &CREDENTIALS, uuid, false)?;
    let running = auth::current(context)?.filter(|own| text(own, "state") == "Running");
    let expires_at = text(&credential, "expires_at");
    let expired = !expires_at.is_empty() && expires_at <= time::now().as_str();
    if running.is_none() || expired {
        return Err(denied("Permission denied: the secret is for running containers, in its time"));
    }
    Ok(json!({"external_id": credential.get("external_id"), "secret": credential.get("secret")}))
}
