//! How a user comes in and goes: activated, set up with what it needs, and the way back.

use serde_json::{Value, json};

use super::audit_log;
use super::condition::Condition;
use super::context::Context;
use super::error::{ApiError, Result, denied, unprocessable};
use super::object::{self, Object, text};
use super::openid_setup;
use super::present;
use super::resources::{
    API_CLIENT_AUTHORIZATIONS, AUTHORIZED_KEYS, LINKS, USERS, VIRTUAL_MACHINES,
};
use super::schema;
use super::time;
use super::uuid;
use super::write;
use crate::era::api::{
    ACTIVATED_USERS_ARE_VISIBLE, PERMISSION_ON_ALL_USERS, SETUP_GIVES_OPENID_AND_REPOSITORY,
    UNSETUP_TAKES_EVERYTHING,
};

/// Activates the user `id`, or the caller if it is no admin: who is invited and has signed every
/// agreement may do so.
///
/// # Errors
/// When it is not invited, or has not signed.
pub(crate) fn activate(context: &Context<'_>, id: &str) -> Result<Value> {
    let account = context.account()?;
    let uuid = if account.is_admin { id } else { &account.uuid };
    let user = find(context, uuid)?;
    if user["is_active"] != true {
        if !account.is_admin && !present::is_invited(context, &user)? {
            return Err(unprocessable("Cannot activate without being invited."));
        }
        let unsigned = unsigned_agreements(context, uuid)?;
        if !unsigned.is_empty() {
            let agreements = json!(unsigned);
            return Err(denied(format!("Cannot activate without user agreements {agreements}.")));
        }
        let active = Object::from_iter([("is_active".to_owned(), true.into())]);
        write::change(&context.as_system(), &USERS, &user, active, false)?;
    }
    present::one(context, &USERS, &find(context, uuid)?, None)
}

fn find(context: &Context<'_>, uuid: &str) -> Result<Object> {
    let condition = Condition::equals("uuid", uuid);
    let user = object::find(context.db, &USERS, context.era(), &condition)?;
    user.ok_or(ApiError::NotFound)
}

/// The agreements that the system asks for and the user `uuid` has not signed.
fn unsigned_agreements(context: &Context<'_>, uuid: &str) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT head_uuid FROM links AS agreement
        WHERE owner_uuid = ?1 AND link_class = 'signature' AND name = 'require'
            AND tail_uuid = ?1 AND substr(head_uuid, 7, 5) = '4zz18'
            AND NOT EXISTS (SELECT 1 FROM links AS signature
                WHERE owner_uuid = ?1 AND link_class = 'signature' AND name = 'click'
                    AND tail_uuid = ?2 AND head_uuid = agreement.head_uuid)
        ORDER BY head_uuid";
    let mut statement = context.db.prepare_cached(sql)?;
    let rows = statement.query_map([uuid::SYSTEM_USER, uuid], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Gives a user what it needs, a new one if no uuid is named, and answers with the user and its
/// links.
///
/// # Errors
/// When the caller is no admin, or there is no such user or virtual machine.
pub(crate) fn set_up(context: &Context<'_>, _: &str) -> Result<Value> {
    context.admin()?;
    let (user, is_new) = user_to_set_up(context)?;
    let uuid = text(&user, "uuid");
    let mut items = Vec::new();
    if SETUP_GIVES_OPENID_AND_REPOSITORY.of(context.era()) {
        items = openid_setup::links(context, &user, is_new)?;
    }
    let machine = parameter(context, "vm_uuid").unwrap_or_default();
    if !machine.is_empty() && !text(&user, "username").is_empty() {
        items.push(login(context, &user, machine)?);
    }
    items.extend(join_all_users(context, uuid)?);
    schema::touch_permissions(context.db)?;
    let items: Result<Vec<_>> =
        items.iter().map(|link| present::one(context, &LINKS, link, None)).collect();
    let mut items = items?;
    items.push(present::one(context, &USERS, &user, None)?);
    Ok(json!({"kind": "arvados#HashList", "items": items}))
}

/// A parameter that is a text.
pub(crate) fn parameter<'a>(context: &'a Context<'_>, name: &str) -> Option<&'a str> {
    context.request.parameter(name).and_then(Value::as_str)
}

/// The user that a request names, or a new one, and whether it is new.
fn user_to_set_up(context: &Context<'_>) -> Result<(Object, bool)> {
    if let Some(uuid) = parameter(context, "uuid").filter(|uuid| !uuid.is_empty()) {
        return Ok((find(context, uuid)?, false));
    }
    let user = context.request.json("user")?;
    let user = user.ok_or_else(|| unprocessable("Required uuid or user"))?;
    if let Some(uuid) = user["uuid"].as_str() {
        let known = Condition::equals("uuid", uuid);
        if let Some(user) = object::find(context.db, &USERS, context.era(), &known)? {
            return Ok((user, false));
        }
    }
    if user["email"].as_str().is_none_or(str::is_empty) {
        return Err(unprocessable("Require user email"));
    }
    if SETUP_GIVES_OPENID_AND_REPOSITORY.of(context.era())
        && parameter(context, "openid_prefix").is_none()
    {
        return Err(unprocessable("Required openid_prefix parameter is missing."));
    }
    let made = write::create(context, &USERS)?;
    Ok((find(context, made["uuid"].as_str().unwrap_or_default())?, true))
}

/// The link by which `user` logs in to the virtual machine `machine`.
fn login(context: &Context<'_>, user: &Object, machine: &str) -> Result<Object> {
    let known = Condition::equals("uuid", machine);
    if !object::exists(context.db, &VIRTUAL_MACHINES, &known)? {
        return Err(unprocessable(format!("No vm found for {machine}")));
    }
    let login = json!({"username": user["username"]});
    let of_this_name = Condition::equals("properties->>'username'", text(user, "username"));
    permission(context, text(user, "uuid"), "can_login", machine, &login, of_this_name)
}

/// Makes the user `uuid` one of all users, and has the others see it where they do by a link.
///
/// # Errors
/// Those of the database.
pub(crate) fn join_all_users(context: &Context<'_>, uuid: &str) -> Result<Vec<Object>> {
    let level = PERMISSION_ON_ALL_USERS.of(context.era());
    let mut links = vec![give(context, uuid, level, uuid::ALL_USERS_GROUP)?];
    if ACTIVATED_USERS_ARE_VISIBLE.of(context.era()) {
        links.push(give(context, uuid::ALL_USERS_GROUP, "can_read", uuid)?);
    }
    Ok(links)
}

/// The permission `name` from `tail` to `head`, made now if there is none.
///
/// # Errors
/// Those of the database.
pub(crate) fn give(context: &Context<'_>, tail: &str, name: &str, head: &str) -> Result<Object> {
    permission(context, tail, name, head, &json!({}), Condition::all([]))
}

/// The permission `name` from `tail` to `head` for which `also` holds, made now with `properties` if
/// there is none.
///
/// # Errors
/// Those of the database.
pub(crate) fn permission(
    context: &Context<'_>,
    tail: &str,
    name: &str,
    head: &str,
    properties: &Value,
    also: Condition,
) -> Result<Object> {
    let known = Condition::all([
        Condition::plain("link_class = 'permission'"),
        Condition::equals("tail_uuid", tail),
        Condition::equals("name", name),
        Condition::equals("head_uuid", head),
        also,
    ]);
    if let Some(link) = object::find(context.db, &LINKS, context.era(), &known)? {
        return Ok(link);
    }
    let now = time::now();
    let link = json!({"uuid": uuid::new(LINKS.infix), "owner_uuid": uuid::SYSTEM_USER,
        "created_at": now, "modified_at": now, "modified_by_user_uuid": uuid::SYSTEM_USER,
        "link_class": "permission", "tail_uuid": tail, "name": name, "head_uuid": head,
        "properties": properties});
    let link = link.as_object().cloned().unwrap_or_default();
    object::insert(context.db, &LINKS, context.era(), &link)?;
    audit_log::record(context, &LINKS, None, Some(&link))?;
    Ok(link)
}

/// Takes from the user `id` what it was given, and makes it inactive.
///
/// # Errors
/// When the caller is no admin, or there is no such user.
pub(crate) fn unset_up(context: &Context<'_>, id: &str) -> Result<Value> {
    context.admin()?;
    let user = find(context, id)?;
    if id == uuid::SYSTEM_USER {
        return Err(unprocessable("System root user cannot be deactivated"));
    }
    let everything = UNSETUP_TAKES_EVERYTHING.of(context.era());
    let given = match everything {
        true => Condition::plain("link_class IN ('permission', 'signature')"),
        false => Condition::any([
            Condition::plain("link_class = 'signature'"),
            Condition::plain("link_class = 'permission' AND name IN ('can_login', 'can_manage')"),
            Condition::all([
                Condition::plain("link_class = 'permission' AND name = 'can_read'"),
                Condition::equals("head_uuid", uuid::ALL_USERS_GROUP),
            ]),
        ]),
    };
    let given = Condition::all([Condition::equals("tail_uuid", id), given]);
    write::delete_all(context, &LINKS, &given)?;
    write::delete_all(context, &LINKS, &openid_setup::login_of(&user))?;
    let mut changes = json!({"is_active": false, "prefs": {}});
    if everything {
        forget_credentials(context, id)?;
        changes["is_admin"] = false.into();
    }
    let changes = changes.as_object().cloned().unwrap_or_default();
    write::change(context, &USERS, &user, changes, false)?;
    present::one(context, &USERS, &find(context, id)?, None)
}

/// Deletes the tokens and keys of the user `id`.
///
/// # Errors
/// Those of the database.
pub(crate) fn forget_credentials(context: &Context<'_>, id: &str) -> Result<()> {
    let owned = Condition::equals("owner_uuid", id);
    write::delete_all(context, &API_CLIENT_AUTHORIZATIONS, &owned)?;
    let own = Condition::any([owned, Condition::equals("authorized_user_uuid", id)]);
    write::delete_all(context, &AUTHORIZED_KEYS, &own)
}
