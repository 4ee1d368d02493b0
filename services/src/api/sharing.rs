//! Who may do what, told to clients: the permissions on one object, and those on all repositories.

use serde_json::{Map, Value, json};

use super::condition::Condition;
use super::context::Context;
use super::error::{ApiError, Result};
use super::object::{self, Object, text};
use super::permission::Level;
use super::present;
use super::readable;
use super::resources::{AUTHORIZED_KEYS, LINKS, REPOSITORIES, USERS};
use super::uuid;

/// Answers with the permission links onto the object `id`, to whoever manages it.
///
/// # Errors
/// When the caller cannot see the object, or does not manage it.
pub(crate) fn permissions_on(context: &Context<'_>, id: &str) -> Result<Value> {
    match readable::level_on(context, id)? {
        None => return Err(ApiError::NotFound),
        Some(Level::Manage) => {}
        Some(_) => return Err(ApiError::Forbidden),
    }
    let onto = Condition::all([permissions(), Condition::equals("head_uuid", id)]);
    let items: Result<Vec<_>> = object::all(context.db, &LINKS, context.era(), &onto)?
        .iter()
        .map(|link| present::item(context, &LINKS, link, None))
        .collect();
    let items = items?;
    Ok(json!({
        "kind": "arvados#linkList",
        "etag": "",
        "self_link": "",
        "offset": 0,
        "limit": items.len(),
        "items_available": items.len(),
        "items": items,
    }))
}

fn permissions() -> Condition {
    Condition::plain("link_class = 'permission'")
}

/// Answers with all repositories, who may read or write them, and the keys of these users.
///
/// # Errors
/// When the caller is no admin.
pub(crate) fn on_repositories(context: &Context<'_>, _: &str) -> Result<Value> {
    context.admin()?;
    let era = context.era();
    let known = Condition::any([
        Condition::plain("is_active"),
        Condition::equals("uuid", uuid::ANONYMOUS_USER),
    ]);
    let users = object::all(context.db, &USERS, era, &known)?;
    let mut keys = Map::new();
    for user in &users {
        keys.insert(text(user, "uuid").to_owned(), keys_of(context, user)?);
    }
    let mut described = Vec::new();
    for repository in object::all(context.db, &REPOSITORIES, era, &Condition::all([]))? {
        described.push(describe(context, &repository, &users)?);
    }
    Ok(json!({
        "kind": "arvados#RepositoryPermissionSnapshot",
        "repositories": described,
        "user_keys": keys,
    }))
}

fn keys_of(context: &Context<'_>, user: &Object) -> Result<Value> {
    let own = Condition::equals("authorized_user_uuid", text(user, "uuid"));
    let keys = object::all(context.db, &AUTHORIZED_KEYS, context.era(), &own)?;
    let described = keys
        .iter()
        .map(|key| json!({"public_key": key["public_key"], "authorized_key_uuid": key["uuid"]}));
    Ok(described.collect())
}

fn describe(context: &Context<'_>, repository: &Object, users: &[Object]) -> Result<Value> {
    let head = Condition::equals("head_uuid", text(repository, "uuid"));
    let onto = Condition::all([permissions(), head]);
    let links = object::all(context.db, &LINKS, context.era(), &onto)?;
    let mut of_users = Map::new();
    for user in users {
        if let Some(level) = level(context, repository, &links, user)? {
            of_users.insert(text(user, "uuid").to_owned(), spelt_out(level));
        }
    }
    let urls = ["uuid", "name", "push_url", "fetch_url"].map(str::to_owned);
    let mut described = present::one(context, &REPOSITORIES, repository, Some(&urls))?;
    described["user_permissions"] = of_users.into();
    Ok(described)
}

/// The best of what ownership and links give `user`: a link of a group gives no more than what the
/// user may do with the group.
fn level(
    context: &Context<'_>,
    repository: &Object,
    links: &[Object],
    user: &Object,
) -> Result<Option<Level>> {
    let uuid = text(user, "uuid");
    if user["is_admin"] == true || text(repository, "owner_uuid") == uuid {
        return Ok(Some(Level::Manage));
    }
    let access = context.api.permissions.access(context.db, uuid, false)?;
    let given = links.iter().filter_map(|link| {
        let (tail, level) = (text(link, "tail_uuid"), Level::of_link(text(link, "name"))?);
        match uuid::infix(tail) {
            Some(uuid::GROUP) => access.level(tail, "").map(|of_group| of_group.min(level)),
            _ => Some(level).filter(|_| tail == uuid),
        }
    });
    Ok(given.max())
}

/// A level as gitolite, which once served the repositories, is told of it.
fn spelt_out(level: Level) -> Value {
    match level {
        Level::Read => json!({"can_read": true, "gitolite_permissions": "R"}),
        Level::Write => json!({"can_read": true, "can_write": true, "gitolite_permissions": "RW"}),
        Level::Manage => json!({"can_read": true, "can_write": true, "can_manage": true,
            "gitolite_permissions": "RW"}),
    }
}
