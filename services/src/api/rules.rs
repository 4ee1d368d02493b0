//! What holds for the objects of one class only, checked before they are stored.

use serde_json::Value;

use super::authorized_key;
use super::collection;
use super::condition::Condition;
use super::context::Context;
use super::crunch1::{self, JOB_TASKS, JOBS, NODES, PIPELINE_INSTANCES};
use super::crunch2::{self, CONTAINER_REQUESTS, CONTAINERS, WORKFLOWS};
use super::dropped::KEEP_DISKS;
use super::error::{Result, denied, unprocessable};
use super::group_rules;
use super::keep_disk;
use super::object::{self, Object, text};
use super::ownership;
use super::permission::Level;
use super::readable;
use super::repository;
use super::resource::Resource;
use super::resources::{
    API_CLIENT_AUTHORIZATIONS, AUTHORIZED_KEYS, COLLECTIONS, GROUPS, LINKS, LOGS, REPOSITORIES,
    USERS,
};
use super::time;
use super::tokens;
use super::user_rules;
use super::user_setup;
use super::uuid;
use super::versions;
use crate::era::api::{KNOWS_GROUP_CLASSES, TOKEN_IS_ITS_UUID};
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
        plural if plural == GROUPS.plural => group_rules::before_save(context, changes, old)?,
        plural if plural == API_CLIENT_AUTHORIZATIONS.plural && old.is_none() => {
            complete_token(context, changes)?;
        }
        plural if plural == LOGS.plural && old.is_none() => {
            let event_at = changes.entry("event_at").or_insert(Value::Null);
            if event_at.is_null() {
                *event_at = time::now().into();
            }
        }
        plural if plural == AUTHORIZED_KEYS.plural => {
            authorized_key::before_save(context, changes, old)?;
        }
        plural if plural == REPOSITORIES.plural => repository::before_save(context, changes, old)?,
        plural if plural == KEEP_DISKS.plural && old.is_none() => keep_disk::before_create(changes),
        plural if plural == USERS.plural => user_rules::before_save(context, changes, old)?,
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
        let found = match is_permission && name == "tail_uuid" {
            true => readable::exists(context, uuid)?,
            false => readable::is_readable(context, uuid)?,
        };
        if !found {
            return Err(unprocessable(format!("{start} '{uuid}' not found")));
        }
    }
    if text(&link, "link_class") == "name" {
        check_name_link(context, &link)?;
    }
    if is_permission {
        check_permission_link(context, &link)?;
        changes.insert("owner_uuid".to_owned(), uuid::SYSTEM_USER.into());
    }
    Ok(())
}

/// A link of class `name` gives something a name in a project, which nothing else may have there.
fn check_name_link(context: &Context<'_>, link: &Object) -> Result<()> {
    let same = Condition::all([
        Condition::plain("link_class = 'name'"),
        Condition::equals("tail_uuid", text(link, "tail_uuid")),
        Condition::equals("name", text(link, "name")),
        Condition::equals("uuid", text(link, "uuid")).negated(),
    ]);
    match object::exists(context.db, &LINKS, &same)? {
        true => Err(ownership::taken(&LINKS, &["tail_uuid", "name"], link)),
        false => Ok(()),
    }
}

fn check_permission_link(context: &Context<'_>, link: &Object) -> Result<()> {
    let name = text(link, "name");
    if Level::of_link(name).is_none() {
        return Err(unprocessable(
            "Name is invalid permission, must be one of 'can_read', 'can_write', 'can_manage', 'can_login'",
        ));
    }
    check_tail(context, text(link, "tail_uuid"))?;
    let head = text(link, "head_uuid");
    check_no_past_version(context, head)?;
    if context.account()?.is_admin || readable::level_on(context, head)? == Some(Level::Manage) {
        Ok(())
    } else {
        Err(denied(format!("Permission denied: cannot manage {head}")))
    }
}

/// A permission is on a collection, and not on what that once was.
fn check_no_past_version(context: &Context<'_>, head: &str) -> Result<()> {
    let past = versions::current(context.era(), &COLLECTIONS).negated();
    let past = Condition::all([Condition::equals("uuid", head), past]);
    if object::exists(context.db, &COLLECTIONS, &past)? {
        return Err(unprocessable("Head uuid cannot point to a past version of a collection"));
    }
    Ok(())
}

/// Checks that `tail` can have permissions: it is a user or, where groups are of known classes, a
/// role.
///
/// # Errors
/// When it is not.
pub(crate) fn check_tail(context: &Context<'_>, tail: &str) -> Result<()> {
    match uuid::infix(tail) {
        Some(uuid::USER) => Ok(()),
        Some(uuid::GROUP) if !KNOWS_GROUP_CLASSES.of(context.era()) => Ok(()),
        Some(uuid::GROUP) => {
            let known = Condition::equals("uuid", tail);
            let group = object::find(context.db, &GROUPS, context.era(), &known)?;
            match group.as_ref().map(|group| text(group, "group_class")) {
                None => Err(unprocessable("Tail uuid does not exist")),
                Some("role") => Ok(()),
                Some(class) => Err(unprocessable(format!(
                    "Tail uuid must be a role, was group with group_class {class}"
                ))),
            }
        }
        _ => Err(unprocessable("Tail uuid must be a user or role")),
    }
}

fn complete_token(context: &Context<'_>, token: &mut Object) -> Result<()> {
    tokens::require_trusted_client(context)?;
    let account = context.account()?;
    // Of a user whom the caller cannot see, too, this is all that it is told.
    if !account.is_admin && text(token, "owner_uuid") != account.uuid {
        return Err(denied("Permission denied: only admins create tokens of others"));
    }
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

/// Adds what follows from a stored object, such as the links of an activated user.
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
    if resource.plural == USERS.plural
        && is(new, "is_active")
        && !old.is_some_and(|old| is(old, "is_active"))
    {
        user_setup::join_all_users(context, uuid)?;
    }
    Ok(())
}
