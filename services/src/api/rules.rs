//! What holds for the objects of one class only, checked before they are stored.

use serde_json::Value;

use super::collection;
use super::context::Context;
use super::crunch1::{self, JOB_TASKS, JOBS, NODES, PIPELINE_INSTANCES};
use super::crunch2::{self, CONTAINER_REQUESTS, CONTAINERS, WORKFLOWS};
use super::error::{Result, denied, unprocessable};
use super::object::{Object, text};
use super::permission::Level;
use super::readable;
use super::resource::Resource;
use super::resources::{API_CLIENT_AUTHORIZATIONS, COLLECTIONS, GROUPS, LINKS, LOGS, USERS};
use super::time;
use super::tokens;
use super::user_setup;
use super::username;
use super::uuid;
use crate::era::api::{KNOWS_GROUP_CLASSES, ROLES_BELONG_TO_SYSTEM, TOKEN_IS_ITS_UUID};
use crate::request_log::random_base36;

/// Checks and completes `changes`, which are to become a new object or to change `old`.
///
/// # Errors
/// Says which rule they break.
pub(crate) fn before_save(
    context: &Context<'_>,
    resource: &Resource,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    match resource.plural {
        plural if plural == COLLECTIONS.plural => {
            collection::prepare(context, changes, old)?;
            if old.is_none() {
                collection::derive_version(changes, context.era());
            }
        }
        plural if plural == JOBS.plural => crunch1::job::before_save(context, changes, old)?,
        plural if plural == PIPELINE_INSTANCES.plural => {
            crunch1::pipeline::before_save(context, changes, old)?;
        }
        plural if plural == CONTAINERS.plural => {
            crunch2::container::before_save(context, changes, old)?;
        }
        plural if plural == CONTAINER_REQUESTS.plural => {
            crunch2::request::before_save(context, changes, old)?;
        }
        plural if plural == WORKFLOWS.plural => crunch2::workflow::before_save(changes, old)?,
        plural if plural == NODES.plural => crunch1::node::before_save(changes, old),
        plural if plural == JOB_TASKS.plural && old.is_none() => {
            crunch1::job_task::before_create(context, changes)?;
        }
        plural if plural == LINKS.plural => check_link(context, changes, old)?,
        plural if plural == GROUPS.plural => check_group(context, changes, old)?,
        plural if plural == API_CLIENT_AUTHORIZATIONS.plural && old.is_none() => {
            complete_token(context, changes)?;
        }
        plural if plural == LOGS.plural && old.is_none() => {
            let event_at = changes.entry("event_at").or_insert(Value::Null);
            if event_at.is_null() {
                *event_at = time::now().into();
            }
        }
        plural if plural == USERS.plural && old.is_none() => complete_user(context, changes)?,
        _ => {}
    }
    Ok(())
}

fn check_link(context: &Context<'_>, changes: &mut Object, old: Option<&Object>) -> Result<()> {
    let mut link = old.cloned().unwrap_or_default();
    link.extend(changes.clone());
    let is_permission = readable::is_permission(&LINKS, &link);
    for (name, start) in [("tail_uuid", "Tail uuid"), ("head_uuid", "Head uuid")] {
        let uuid = text(&link, name);
        if uuid.is_empty() || !changes.contains_key(name) {
            continue;
        }
        // Whoever manages an object may share it with users that it cannot see.
        let found = match is_permission {
            true => readable::exists(context, uuid)?,
            false => readable::is_readable(context, uuid)?,
        };
        if !found {
            return Err(unprocessable(format!("{start} '{uuid}' not found")));
        }
    }
    if is_permission {
        check_permission_link(context, &link)?;
        changes.insert("owner_uuid".to_owned(), uuid::SYSTEM_USER.into());
    }
    Ok(())
}

fn check_permission_link(context: &Context<'_>, link: &Object) -> Result<()> {
    let name = text(link, "name");
    if Level::of_link(name).is_none() {
        return Err(unprocessable(
            "Name is invalid, must be one of can_read, can_write, can_manage, can_login",
        ));
    }
    let tail = uuid::infix(text(link, "tail_uuid"));
    if !matches!(tail, Some(uuid::USER | uuid::GROUP)) {
        return Err(unprocessable("Tail uuid must be the uuid of a user or group"));
    }
    let head = text(link, "head_uuid");
    if context.account()?.is_admin || readable::level_on(context, head)? == Some(Level::Manage) {
        Ok(())
    } else {
        Err(denied(format!("Permission denied: cannot manage {head}")))
    }
}

fn check_group(context: &Context<'_>, changes: &mut Object, old: Option<&Object>) -> Result<()> {
    collection::apply_trash(context.era(), changes, old);
    let checked = old.is_none() || changes.contains_key("group_class");
    if !checked {
        return Ok(());
    }
    let class = text(changes, "group_class");
    let known = ["project", "role", "filter"].contains(&class);
    if KNOWS_GROUP_CLASSES.of(context.era()) && !known {
        return Err(unprocessable(
            "Group class value must be one of 'project', 'role' or 'filter'",
        ));
    }
    if ROLES_BELONG_TO_SYSTEM.of(context.era()) && class == "role" {
        changes.insert("owner_uuid".to_owned(), uuid::SYSTEM_USER.into());
    }
    Ok(())
}

fn complete_user(context: &Context<'_>, user: &mut Object) -> Result<()> {
    if !context.account()?.is_admin {
        return Err(denied("Permission denied: only admins create users"));
    }
    if text(user, "username").is_empty() {
        let name = username::from_email(context, text(user, "email"))?;
        user.insert("username".to_owned(), name.into());
    }
    Ok(())
}

fn complete_token(context: &Context<'_>, token: &mut Object) -> Result<()> {
    tokens::require_trusted_client(context)?;
    let secret = random_base36(50);
    if TOKEN_IS_ITS_UUID.of(context.era()) {
        token.insert("uuid".to_owned(), secret.clone().into());
    }
    token.insert("api_token".to_owned(), secret.into());
    let user: Option<i64> = context
        .db
        .prepare_cached("SELECT id FROM users WHERE uuid = ?")?
        .query_row([text(token, "owner_uuid")], |row| row.get(0))
        .map(Some)
        .or_else(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok(None),
            error => Err(error),
        })?;
    let user = user.ok_or_else(|| unprocessable("Owner uuid must be the uuid of a user"))?;
    token.insert("user_id".to_owned(), user.into());
    let client = context.caller.token.as_ref();
    let client = client.and_then(|own| own.get("api_client_id").cloned());
    token.insert("api_client_id".to_owned(), client.unwrap_or_default());
    Ok(())
}

/// Adds what follows from a stored object: the links of a new role and of an activated user.
///
/// # Errors
/// Those of the database.
pub(crate) fn after_save(
    context: &Context<'_>,
    resource: &Resource,
    new: &Object,
    old: Option<&Object>,
) -> Result<()> {
    match resource.plural {
        plural if plural == JOB_TASKS.plural => {
            return crunch1::job_task::after_save(context, new, old);
        }
        plural if plural == CONTAINERS.plural => {
            return crunch2::container::after_save(context, new, old);
        }
        plural if plural == CONTAINER_REQUESTS.plural => {
            return crunch2::request::after_save(context, new, old);
        }
        _ => {}
    }
    let uuid = text(new, "uuid");
    let is = |object: &Object, name: &str| object.get(name) == Some(&Value::Bool(true));
    if resource.plural == GROUPS.plural
        && old.is_none()
        && ROLES_BELONG_TO_SYSTEM.of(context.era())
        && text(new, "group_class") == "role"
    {
        let creator = &context.account()?.uuid;
        user_setup::give(context, creator, "can_manage", uuid)?;
    }
    if resource.plural == USERS.plural
        && is(new, "is_active")
        && !old.is_some_and(|old| is(old, "is_active"))
    {
        user_setup::join_all_users(context, uuid)?;
    }
    Ok(())
}
