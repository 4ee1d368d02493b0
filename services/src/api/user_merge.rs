//! Two accounts of one person become one.

use rusqlite::params;
use serde_json::{Value, json};

use super::caller;
use super::condition::Condition;
use super::context::Context;
use super::error::{ApiError, Result, denied, unprocessable};
use super::object::{self, Object, text};
use super::ownership;
use super::permission::Level;
use super::present;
use super::resource::{Resource, UniqueName};
use super::resources::{self, API_CLIENT_AUTHORIZATIONS, LOGS, USERS};
use super::schema;
use super::user_setup;
use super::write;

/// What refers to a user as such and not as a project, so that it goes to the other user.
const OF_THE_USER: &[&str] = &["authorized_keys", "links", "repositories"];

/// Gives what one user owns to another user or a project of it, and answers with the first.
///
/// # Errors
/// When the caller may not do this for both, or they are the same.
pub(crate) fn merge(context: &Context<'_>, _: &str) -> Result<Value> {
    let (old, new) = both(context)?;
    let (old_uuid, new_uuid) = (text(&old, "uuid"), text(&new, "uuid"));
    if old_uuid == new_uuid {
        return Err(unprocessable("cannot merge user to self"));
    }
    let new_owner = parameter(context, "new_owner_uuid");
    if new_owner.is_empty() {
        return Err(unprocessable("missing new_owner_uuid"));
    }
    let access = context.api.permissions.access_now(context.db, new_uuid)?;
    if new["is_admin"] != true && access.level(new_owner, "") < Some(Level::Write) {
        return Err(denied(
            "cannot move objects into supplied new_owner_uuid: new user does not have write permission",
        ));
    }
    for user in [&old, &new] {
        if !text(user, "redirect_to_user_uuid").is_empty() {
            return Err(unprocessable("cannot merge an already merged user"));
        }
    }
    let redirect = context.request.flag("redirect_to_new_user")?;
    move_possessions(context, old_uuid, new_uuid, new_owner)?;
    match redirect {
        true => move_identity(context, old_uuid, new_uuid)?,
        false => user_setup::forget_credentials(context, old_uuid)?,
    }
    let mut changes = Object::new();
    if redirect {
        changes.insert("redirect_to_user_uuid".to_owned(), new_uuid.into());
        changes.insert("username".to_owned(), Value::Null);
    }
    schema::touch_permissions(context.db)?;
    write::change(&context.as_system(), &USERS, &old, changes, false)?;
    let merged = find(context, old_uuid)?.ok_or(ApiError::NotFound)?;
    present::one(context, &USERS, &merged, None)
}

fn parameter<'a>(context: &'a Context<'_>, name: &str) -> &'a str {
    context.request.parameter(name).and_then(Value::as_str).unwrap_or_default()
}

fn find(context: &Context<'_>, uuid: &str) -> Result<Option<Object>> {
    let condition = Condition::equals("uuid", uuid);
    Ok(object::find(context.db, &USERS, context.era(), &condition)?)
}

/// The user to be merged and the one to remain: as an admin names them, or the caller and the one
/// whose token it has, too.
fn both(context: &Context<'_>) -> Result<(Object, Object)> {
    let [old, new] =
        ["old_user_uuid", "new_user_uuid"].map(|name| (name, parameter(context, name)));
    let named = [old, new].iter().filter(|(_, uuid)| !uuid.is_empty()).count();
    if named > 0 {
        context.admin()?;
        if named < 2 {
            return Err(unprocessable("Must supply both old_user_uuid and new_user_uuid"));
        }
        let user = |(name, uuid)| {
            let missing = || unprocessable(format!("User in {name} not found"));
            find(context, uuid)?.ok_or_else(missing)
        };
        return Ok((user(old)?, user(new)?));
    }
    let own = context.account()?;
    let unlimited = |token: &Object| token["scopes"] == json!(["all"]);
    if !context.caller.token.as_ref().is_some_and(unlimited) {
        return Err(denied("cannot merge with a scoped token"));
    }
    let other =
        caller::find_token(context.era(), context.db, parameter(context, "new_user_token"))?;
    let (token, other) = other.ok_or(ApiError::NotLoggedIn)?;
    if !unlimited(&token) {
        return Err(denied("supplied new_user_token has restricted scope"));
    }
    let user = |uuid| find(context, uuid)?.ok_or(ApiError::NotLoggedIn);
    Ok((user(&own.uuid)?, user(&other.uuid)?))
}

/// Gives what `old` owns to `new_owner`, save what belongs to a user as such.
fn move_possessions(context: &Context<'_>, old: &str, new: &str, new_owner: &str) -> Result<()> {
    for resource in resources::with_table(context.era()) {
        let plural = resource.plural;
        if [API_CLIENT_AUTHORIZATIONS.plural, LOGS.plural].contains(&plural) {
            continue;
        }
        let owner = if OF_THE_USER.contains(&plural) { new } else { new_owner };
        if resource.unique_name == UniqueName::PerOwner {
            check_names(context, resource, old, owner)?;
        }
        let sql = format!("UPDATE {plural} SET owner_uuid = ?1 WHERE owner_uuid = ?2");
        context.db.prepare_cached(&sql)?.execute([owner, old])?;
    }
    let sql = "UPDATE links SET tail_uuid = ?1 WHERE tail_uuid = ?2";
    context.db.prepare_cached(sql)?.execute([new, old])?;
    Ok(())
}

/// No two of the objects of `old` and `new` that hold their names have one name.
fn check_names(context: &Context<'_>, resource: &Resource, old: &str, new: &str) -> Result<()> {
    let named = |owner: &str| {
        let owned = Condition::equals("owner_uuid", owner);
        Condition::all([owned, ownership::holds_name(context.era(), resource)])
    };
    let (moved, there, plural) = (named(old), named(new), resource.plural);
    let clash = format!("name IN (SELECT name FROM {plural} WHERE {})", there.sql);
    let clash = Condition::all([moved, Condition::new(clash, there.parameters)]);
    match object::find(context.db, resource, context.era(), &clash)? {
        None => Ok(()),
        Some(moved) => Err(ownership::taken(resource, &["owner_uuid", "name"], &moved)),
    }
}

/// Lets tokens, keys and permissions of `old` be those of `new`.
fn move_identity(context: &Context<'_>, old: &str, new: &str) -> Result<()> {
    let sql = "UPDATE api_client_authorizations
        SET owner_uuid = ?1, user_id = (SELECT id FROM users WHERE uuid = ?1)
        WHERE owner_uuid = ?2";
    context.db.prepare_cached(sql)?.execute(params![new, old])?;
    for column in ["links SET head_uuid", "authorized_keys SET authorized_user_uuid"] {
        let (_, name) = column.split_once("SET ").unwrap_or_default();
        let sql = format!("UPDATE {column} = ?1 WHERE {name} = ?2");
        context.db.prepare_cached(&sql)?.execute([new, old])?;
    }
    Ok(())
}
