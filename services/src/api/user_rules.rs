//! What holds for users: who makes them, how they log in, and how they become inactive.

use serde_json::Value;

use super::condition::Condition;
use super::context::Context;
use super::error::{Result, denied, unprocessable};
use super::object::{self, Object, flag, is_changed, text};
use super::resources::{LINKS, USERS};
use super::username;
use super::uuid;
use crate::era::api::UNSETUP_MAKES_INACTIVE;

/// Checks and completes `changes` of a user.
///
/// # Errors
/// Says which rule they break.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    if old.is_none() {
        if !context.account()?.is_admin {
            return Err(denied("Permission denied: only admins create users"));
        }
        if text(changes, "username").is_empty() {
            let name = username::from_email(context, text(changes, "email"))?;
            changes.insert("username".to_owned(), name.into());
        }
    }
    if is_changed("username", changes, old) {
        check_username(context, changes, old)?;
    }
    match old {
        Some(old) => check_deactivation(context, changes, old),
        None => Ok(()),
    }
}

fn check_username(context: &Context<'_>, changes: &Object, old: Option<&Object>) -> Result<()> {
    let name = text(changes, "username");
    if name.is_empty() {
        return Ok(());
    }
    let letter = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !letter || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let what = "must begin with a letter and contain only alphanumerics";
        return Err(unprocessable(format!("Username {what}")));
    }
    let own = old.unwrap_or(changes);
    let taken = Condition::all([
        Condition::equals("username", name),
        Condition::equals("uuid", text(own, "uuid")).negated(),
    ]);
    match object::exists(context.db, &USERS, &taken)? {
        true => Err(unprocessable("Username has already been taken")),
        false => Ok(()),
    }
}

/// One of all users could simply activate itself again.
fn check_deactivation(context: &Context<'_>, changes: &Object, old: &Object) -> Result<()> {
    let ends = flag(old, "is_active") && changes.get("is_active") == Some(&Value::Bool(false));
    if !ends || !UNSETUP_MAKES_INACTIVE.of(context.era()) {
        return Ok(());
    }
    let membership = Condition::all([
        Condition::plain("link_class = 'permission' AND name IN ('can_read', 'can_write')"),
        Condition::equals("tail_uuid", text(old, "uuid")),
        Condition::equals("head_uuid", uuid::ALL_USERS_GROUP),
    ]);
    match object::exists(context.db, &LINKS, &membership)? {
        true => Err(unprocessable(
            "Is active cannot be set to false directly, use the 'Deactivate' button on Workbench, \
             or the 'unsetup' API call",
        )),
        false => Ok(()),
    }
}
