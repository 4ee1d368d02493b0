//! Frozen projects: nobody, not even an admin, changes one or what is in it until it is thawed.

use serde_json::Value;

use super::contents;
use super::context::Context;
use super::error::{Result, denied, unprocessable};
use super::object::{Object, is_changed, merged, text};
use super::permission::Level;
use super::resource::Resource;
use super::resources::GROUPS;

/// Checks that `changes` freeze or thaw a project as they may.
///
/// # Errors
/// Says which rule they break.
pub(crate) fn check_freezing(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    if text(changes, "frozen_by_uuid").is_empty()
        && let Some(by) = changes.get_mut("frozen_by_uuid")
    {
        *by = Value::Null;
    }
    if !is_changed("frozen_by_uuid", changes, old) {
        return Ok(());
    }
    let group = merged(changes, old);
    let wrong = |what: &str| Err(unprocessable(format!("Frozen by uuid {what}")));
    if text(&group, "group_class") != "project" {
        return wrong("cannot be modified on a non-project group");
    }
    let (by, account) = (text(&group, "frozen_by_uuid"), context.account()?);
    if !by.is_empty() && by != account.uuid {
        return wrong("can only be set to the current user's UUID");
    }
    let level =
        old.and_then(|old| context.caller.access.level(text(old, "uuid"), text(old, "owner_uuid")));
    if old.is_some() && level != Some(Level::Manage) {
        let uuid = text(&group, "uuid");
        return Err(denied(format!("Permission denied: cannot manage {uuid}")));
    }
    let ends = ["trash_at", "delete_at"].iter().any(|name| !text(&group, name).is_empty());
    let in_trash = context.caller.access.trashed().iter().any(|uuid| uuid == text(&group, "uuid"));
    if ends || in_trash {
        return wrong("cannot be set on a trashed project");
    }
    Ok(())
}

/// Checks that nothing frozen is changed, moved, or taken to the trash with what is around it.
///
/// # Errors
/// Says what is frozen.
pub(crate) fn check_change(
    context: &Context<'_>,
    resource: &Resource,
    old: &Object,
    changes: &Object,
) -> Result<()> {
    let access = &context.caller.access;
    if access.frozen().is_empty() {
        return Ok(());
    }
    let (uuid, owner) = (text(old, "uuid"), text(old, "owner_uuid"));
    let moved = is_changed("owner_uuid", changes, Some(old));
    let thaws = !text(old, "frozen_by_uuid").is_empty()
        && changes.get("frozen_by_uuid").is_some_and(Value::is_null);
    if moved {
        check_owner(context, "old", owner)?;
        check_owner(context, "new", text(changes, "owner_uuid"))?;
    }
    if is_within(context, if thaws { "" } else { uuid }, owner) {
        let user = &context.account()?.uuid;
        return Err(denied(format!("Uuid is not writable by {user}")));
    }
    let ends = !text(changes, "trash_at").is_empty();
    if resource.plural == GROUPS.plural && ends {
        let below = contents::projects_below(context, uuid)?;
        if let Some(frozen) = below.iter().find(|below| access.frozen().contains(*below)) {
            return Err(unprocessable(format!(
                "cannot trash project containing frozen project {frozen}"
            )));
        }
    }
    Ok(())
}

/// Checks that the `which` owner of an object is not frozen.
///
/// # Errors
/// When it is.
pub(crate) fn check_owner(context: &Context<'_>, which: &str, owner: &str) -> Result<()> {
    match is_within(context, "", owner) {
        false => Ok(()),
        true => Err(denied(format!(
            "Owner uuid cannot be set or changed because {which} owner is frozen"
        ))),
    }
}

/// Whether the object `uuid` of `owner` is a frozen project, or in one.
pub(crate) fn is_within(context: &Context<'_>, uuid: &str, owner: &str) -> bool {
    let frozen = context.caller.access.frozen();
    [uuid, owner].iter().any(|group| frozen.contains(*group))
}
