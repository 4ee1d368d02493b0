//! Owners and names: what an object may belong to, and that its name is free there.

use serde_json::Value;

use super::condition::Condition;
use super::context::Context;
use super::error::{ApiError, Result, denied, unprocessable};
use super::frozen;
use super::object::{self, Object, is_changed, text};
use super::permission::Level;
use super::resource::{Resource, UniqueName};
use super::resources::{self, API_CLIENT_AUTHORIZATIONS, GROUPS, LOGS};
use super::uuid;
use super::versions;
use crate::era::Era;
use crate::era::api::{NAMES_ARE_FILE_NAMES, NUMBERS_TAKEN_NAMES, ONLY_PROJECTS_OWN};

/// Checks that the caller may put an object into the hands of `owner`; `moved` is the uuid of the
/// object if it exists already.
///
/// # Errors
/// When it cannot see the owner, may not write it, or the owner cannot own.
pub(crate) fn check_owner(
    context: &Context<'_>,
    resource: &Resource,
    owner: &str,
    moved: Option<&str>,
) -> Result<()> {
    let is_group = uuid::infix(owner) == Some(uuid::GROUP);
    let is_user = uuid::infix(owner) == Some(uuid::USER);
    if !is_group && !is_user {
        return Err(unprocessable("Owner uuid must be set to User or Group"));
    }
    let owner_resource = if is_group { &GROUPS } else { &resources::USERS };
    let found = Condition::equals("uuid", owner);
    let found = object::find(context.db, owner_resource, context.era(), &found)?;
    let level = context.caller.access.level(owner, "");
    let Some(group) = found.filter(|_| level.is_some()) else {
        return Err(unprocessable(format!("Owner uuid '{owner}' not found")));
    };
    if level < Some(Level::Write) {
        let which = "cannot be set or changed without write permission on new owner";
        return Err(denied(format!("Owner uuid {which}")));
    }
    if ONLY_PROJECTS_OWN.of(context.era()) && is_group && text(&group, "group_class") != "project" {
        return Err(denied("Owner uuid must be a project"));
    }
    if moved.is_none() {
        frozen::check_owner(context, "new", owner)?;
    }
    if let Some(moved) = moved.filter(|_| resource.plural == GROUPS.plural) {
        check_no_cycle(context, owner, moved)?;
    }
    Ok(())
}

/// No group may own itself, not even through others.
fn check_no_cycle(context: &Context<'_>, owner: &str, moved: &str) -> Result<()> {
    let sql = "WITH RECURSIVE above (uuid) AS (
            VALUES (?1) UNION SELECT groups.owner_uuid FROM groups JOIN above USING (uuid)
        ) SELECT EXISTS (SELECT 1 FROM above WHERE uuid = ?2)";
    let cycle: bool =
        context.db.prepare_cached(sql)?.query_row([owner, moved], |row| row.get(0))?;
    if cycle {
        return Err(unprocessable("Owner uuid would create an ownership cycle"));
    }
    Ok(())
}

/// Checks that the user or group `owner` can be deleted without leaving anything ownerless.
///
/// Logs stay behind, and tokens are their user's without being owned.
///
/// # Errors
/// Names the class of something that it owns.
pub(crate) fn check_owns_nothing(context: &Context<'_>, owner: &str) -> Result<()> {
    let owned = Condition::all([
        Condition::equals("owner_uuid", owner),
        Condition::equals("uuid", owner).negated(),
    ]);
    let unowned = [LOGS.plural, API_CLIENT_AUTHORIZATIONS.plural];
    for resource in resources::with_table(context.era()) {
        if !unowned.contains(&resource.plural) && object::exists(context.db, resource, &owned)? {
            let text = format!("Cannot delete record because of dependent {}", resource.plural);
            return Err(unprocessable(text));
        }
    }
    Ok(())
}

/// Checks that the name of `object` is not taken, or, with `ensure_unique_name`, finds one that is
/// free.
///
/// # Errors
/// When the name is taken or missing.
pub(crate) fn check_name(
    context: &Context<'_>,
    resource: &Resource,
    object: &mut Object,
    ensure_unique: bool,
) -> Result<()> {
    let wanted = text(object, "name").to_owned();
    if wanted.is_empty() {
        // A null name never clashes.
        return match resource.unique_name {
            UniqueName::Everywhere => Err(unprocessable("Name can't be blank")),
            _ => Ok(()),
        };
    }
    if resource.unique_name == UniqueName::No || !is_taken(context, resource, object, &wanted)? {
        return Ok(());
    }
    if !ensure_unique {
        return Err(match resource.unique_name {
            UniqueName::PerOwner => taken(resource, &["owner_uuid", "name"], object),
            _ => unprocessable("Name has already been taken"),
        });
    }
    let free = match NUMBERS_TAKEN_NAMES.of(context.era()) {
        true => {
            let mut number = 2_u32;
            loop {
                let name = format!("{wanted} ({number})");
                if !is_taken(context, resource, object, &name)? {
                    break name;
                }
                number += 1;
            }
        }
        false => {
            let uuid = text(object, "uuid");
            let end = uuid.get(uuid.len().saturating_sub(15)..).unwrap_or(uuid);
            format!("{wanted} ({end})")
        }
    };
    object.insert("name".to_owned(), Value::String(free));
    Ok(())
}

/// The refusal of what another object has already, in the words of the database that the real
/// server asks: clients look for "duplicate key" in them.
pub(crate) fn taken(resource: &Resource, columns: &[&str], object: &Object) -> ApiError {
    let values: Vec<_> = columns.iter().map(|column| text(object, column)).collect();
    unprocessable(format!(
        "#<ActiveRecord::RecordNotUnique: PG::UniqueViolation: ERROR:  duplicate key value violates \
         unique constraint \"index_{}_on_{}\" DETAIL:  Key ({})=({}) already exists.>",
        resource.plural,
        columns.join("_and_"),
        columns.join(", "),
        values.join(", "),
    ))
}

/// Checks that the name in `changes` is one that a file or folder can have.
///
/// # Errors
/// When it is not.
pub(crate) fn check_name_of_file(era: Era, changes: &Object, old: Option<&Object>) -> Result<()> {
    if !NAMES_ARE_FILE_NAMES.of(era) || !is_changed("name", changes, old) {
        return Ok(());
    }
    match text(changes, "name") {
        "." | ".." => Err(unprocessable("Name cannot be '.' or '..'")),
        name if name.contains('/') => Err(unprocessable("Name cannot contain a '/' character")),
        _ => Ok(()),
    }
}

fn is_taken(
    context: &Context<'_>,
    resource: &Resource,
    object: &Object,
    name: &str,
) -> Result<bool> {
    let mut conditions = vec![
        Condition::equals("name", name),
        Condition::equals("uuid", text(object, "uuid")).negated(),
    ];
    if resource.unique_name == UniqueName::PerOwner {
        let owner = text(object, "owner_uuid");
        conditions.push(Condition::equals("owner_uuid", owner));
    }
    conditions.push(holds_name(context.era(), resource));
    let taken = Condition::all(conditions);
    Ok(object::exists(context.db, resource, &taken)?)
}

/// The condition that nobody else may have the name of an object: what is in the trash or past does
/// not hold its name.
pub(crate) fn holds_name(era: Era, resource: &Resource) -> Condition {
    let untrashed = match resource.column(era, "is_trashed") {
        Some(_) => Condition::plain("is_trashed IS NOT TRUE"),
        None => Condition::all([]),
    };
    Condition::all([untrashed, versions::current(era, resource)])
}
