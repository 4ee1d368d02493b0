//! What holds for git repositories: one has the login of its owner in front of its name.

use super::condition::Condition;
use super::context::Context;
use super::error::{Result, unprocessable};
use super::object::{self, Object, is_changed, merged, text};
use super::resources::USERS;
use super::uuid;

/// Checks `changes` of a repository.
///
/// # Errors
/// When its name does not fit its owner.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &Object,
    old: Option<&Object>,
) -> Result<()> {
    let named = ["name", "owner_uuid"].iter().any(|name| is_changed(name, changes, old));
    let repository = merged(changes, old);
    let (name, owner) = (text(&repository, "name"), text(&repository, "owner_uuid"));
    if !named || name.is_empty() {
        return Ok(());
    }
    if owner == uuid::SYSTEM_USER {
        return match is_plain(name) {
            true => Ok(()),
            false => Err(unprocessable("Name must be a letter followed by alphanumerics")),
        };
    }
    let known = Condition::equals("uuid", owner);
    let owner = object::find(context.db, &USERS, context.era(), &known)?.unwrap_or_default();
    let username = text(&owner, "username");
    let own = name.strip_prefix(username).and_then(|rest| rest.strip_prefix('/'));
    match own.is_some_and(is_plain) && !username.is_empty() {
        true => Ok(()),
        false => Err(unprocessable(
            "Name must be the owner's username, then '/', then a letter followed by alphanumerics",
        )),
    }
}

/// A letter, and then letters and digits.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
