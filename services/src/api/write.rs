//! Create, update and delete, for all resources.

use serde_json::Value;

use super::attributes;
use super::audit_log;
use super::condition::Condition;
use super::context::Context;
use super::crunch2::{self, CONTAINER_REQUESTS};
use super::error::{Result, denied, unprocessable};
use super::frozen;
use super::listing;
use super::object::{self, Object, flag, text};
use super::ownership;
use super::present;
use super::readable;
use super::replace_files;
use super::resource::Resource;
use super::resources::{API_CLIENT_AUTHORIZATIONS, COLLECTIONS, GROUPS, LINKS, USERS};
use super::rules;
use super::schema;
use super::time;
use super::tokens;
use super::trash::signed_for;
use super::user_agreement::{self, USER_AGREEMENTS};
use super::uuid;
use super::value;
use super::versions;
use crate::era::Era;
use crate::era::api::{HAS_TRASH, NOTES_API_CLIENT, ROLES_BELONG_TO_SYSTEM};

/// Answers a create request with the new object.
///
/// # Errors
/// When the caller may not, or what it wants to create is wrong.
pub(crate) fn create(context: &Context<'_>, resource: &Resource) -> Result<Value> {
    if resource.plural == USER_AGREEMENTS.plural {
        user_agreement::refuse(context, None)?;
    }
    let era = context.era();
    let account = context.active_account()?;
    if resource.admin_only.contains(&era) && !account.is_admin {
        let text = format!("Permission denied: only admins create {}", resource.plural);
        return Err(denied(text));
    }
    let mut given = attributes::read(context, resource, None)?;
    if resource.plural == COLLECTIONS.plural {
        replace_files::apply(context, &mut given, None)?;
    }
    create_from(context, resource, given)
}

/// Makes a new object of what is `given`, and answers with it.
///
/// # Errors
/// When the caller may not, or what is given is wrong.
pub(crate) fn create_from(
    context: &Context<'_>,
    resource: &Resource,
    given: Object,
) -> Result<Value> {
    let ensure_unique = context.request.flag("ensure_unique_name")?;
    let object = insert(context, resource, given, ensure_unique)?;
    let select = listing::select(resource, context.era(), context.request)?;
    present::one(context, resource, &object, select.as_deref())
}

/// Makes an object with the attributes `given`, and what follows from it.
///
/// # Errors
/// When the caller may not, or the object breaks a rule.
pub(crate) fn insert(
    context: &Context<'_>,
    resource: &Resource,
    given: Object,
    ensure_unique: bool,
) -> Result<Object> {
    let era = context.era();
    let account = context.active_account()?;
    let mut object: Object = resource
        .columns(era)
        .map(|column| (column.name.to_owned(), value::initial(column)))
        .collect();
    object.extend(given);
    let uuid = new_uuid(context, resource, text(&object, "uuid"))?;
    object.insert("uuid".to_owned(), uuid.into());
    if text(&object, "owner_uuid").is_empty() {
        object.insert("owner_uuid".to_owned(), account.uuid.clone().into());
    }
    rules::before_save(context, resource, &mut object, None)?;
    if !is_owned_by_system(era, &object) {
        ownership::check_owner(context, resource, text(&object, "owner_uuid"), None)?;
    }
    ownership::check_name(context, resource, &mut object, ensure_unique)?;
    object.insert("created_at".to_owned(), time::now().into());
    stamp(context, &mut object)?;
    let id = object::insert(context.db, resource, era, &object)?;
    if resource.column(era, "id").is_some() {
        object.insert("id".to_owned(), id.into());
    }
    saved(context, resource, None, object)
}

/// The uuid that an admin wishes for, or a new one.
fn new_uuid(context: &Context<'_>, resource: &Resource, wanted: &str) -> Result<String> {
    if wanted.is_empty() {
        return Ok(uuid::new(resource.infix));
    }
    if !context.account()?.is_admin {
        return Err(unprocessable("Uuid assignment not permitted"));
    }
    match uuid::infix(wanted) {
        None => return Err(unprocessable(format!("Uuid not a valid Arvados uuid '{wanted}'"))),
        Some(infix) if infix != resource.infix => {
            let expected = resource.infix;
            let text = format!("Uuid type field is '{infix}', expected '{expected}'");
            return Err(unprocessable(text));
        }
        Some(_) => {}
    }
    let taken = Condition::equals("uuid", wanted);
    if object::exists(context.db, resource, &taken)? {
        let wanted = Object::from_iter([("uuid".to_owned(), wanted.into())]);
        return Err(ownership::taken(resource, &["uuid"], &wanted));
    }
    Ok(wanted.to_owned())
}

/// Whether the rules gave the object to the system, whatever its creator may write.
fn is_owned_by_system(era: Era, object: &Object) -> bool {
    let is_role = ROLES_BELONG_TO_SYSTEM.of(era) && text(object, "group_class") == "role";
    let by_rule = is_role || text(object, "link_class") == "permission";
    by_rule && text(object, "owner_uuid") == uuid::SYSTEM_USER
}

/// Answers an update request with the changed object.
///
/// # Errors
/// When the caller cannot see or may not change it, or the change is wrong.
pub(crate) fn update(context: &Context<'_>, resource: &Resource, id: &str) -> Result<Value> {
    let with_trash = HAS_TRASH.of(context.era()) && context.request.flag("include_trash")?;
    let old = find_for_change(context, resource, id, with_trash)?;
    let mut changes = attributes::read(context, resource, Some(&old))?;
    if resource.plural == COLLECTIONS.plural {
        replace_files::apply(context, &mut changes, Some(&old))?;
    }
    changed(context, resource, &old, changes)
}

/// Sets `changes` of the object `id`, and answers with it.
///
/// # Errors
/// When the caller cannot see or may not change it, or the change breaks a rule.
pub(crate) fn set(
    context: &Context<'_>,
    resource: &Resource,
    id: &str,
    changes: Object,
) -> Result<Value> {
    let old = find_for_change(context, resource, id, false)?;
    changed(context, resource, &old, changes)
}

/// Changes an object, and answers with it.
fn changed(
    context: &Context<'_>,
    resource: &Resource,
    old: &Object,
    changes: Object,
) -> Result<Value> {
    let ensure_unique = context.request.flag("ensure_unique_name")?;
    let new = change(context, resource, old, changes, ensure_unique)?;
    let select = listing::select(resource, context.era(), context.request)?;
    present::one(context, resource, &new, select.as_deref())
}

/// The object `id`, which the caller may change.
fn find_for_change(
    context: &Context<'_>,
    resource: &Resource,
    id: &str,
    with_trash: bool,
) -> Result<Object> {
    context.account()?;
    if resource.plural == USER_AGREEMENTS.plural {
        user_agreement::refuse(context, Some(id))?;
    }
    if resource.plural == API_CLIENT_AUTHORIZATIONS.plural {
        tokens::require_trusted_client(context)?;
    }
    let object = readable::find(context, resource, id, with_trash)?;
    readable::require_write(context, resource, &object)?;
    Ok(object)
}

/// Sets `changes` of the object `old`, and what follows from them.
///
/// # Errors
/// When the change breaks a rule.
pub(crate) fn change(
    context: &Context<'_>,
    resource: &Resource,
    old: &Object,
    mut changes: Object,
    ensure_unique: bool,
) -> Result<Object> {
    let id = text(old, "uuid");
    if text(&changes, "uuid") == id {
        changes.remove("uuid");
    } else if changes.contains_key("uuid") {
        return Err(unprocessable("Uuid change not permitted"));
    }
    if changes.get("owner_uuid").is_some_and(Value::is_null) {
        return Err(unprocessable("Owner uuid can't be blank"));
    }
    frozen::check_change(context, resource, old, &changes)?;
    rules::before_save(context, resource, &mut changes, Some(old))?;
    let mut new = old.clone();
    new.extend(changes.clone());
    let owner = text(&new, "owner_uuid");
    if owner != text(old, "owner_uuid") && !is_owned_by_system(context.era(), &new) {
        ownership::check_owner(context, resource, owner, Some(id))?;
    }
    let renamed =
        ["name", "owner_uuid", "is_trashed"].iter().any(|name| old.get(*name) != new.get(*name));
    if renamed {
        ownership::check_name(context, resource, &mut new, ensure_unique)?;
        if let Some(name) = new.get("name").filter(|_| changes.contains_key("name")) {
            changes.insert("name".to_owned(), name.clone());
        }
    }
    let past = versions::before_change(context, resource, old, &mut changes)?;
    stamp(context, &mut changes)?;
    new.extend(changes.clone());
    object::update(context.db, resource, context.era(), id, &changes)?;
    versions::after_change(context, resource, id, &changes, past.as_ref())?;
    saved(context, resource, Some(old), new)
}

/// Sets who changes an object, and when.
fn stamp(context: &Context<'_>, object: &mut Object) -> Result<()> {
    object.insert("modified_at".to_owned(), time::now().into());
    let account = context.account()?;
    object.insert("modified_by_user_uuid".to_owned(), account.uuid.clone().into());
    if NOTES_API_CLIENT.of(context.era()) {
        let token = context.caller.token.as_ref();
        let client = token.and_then(|token| token.get("api_client_id")?.as_i64());
        let client: Option<String> = context
            .db
            .prepare_cached("SELECT (SELECT uuid FROM api_clients WHERE id = ?)")?
            .query_row([client], |row| row.get(0))?;
        object.insert("modified_by_client_uuid".to_owned(), client.into());
    }
    Ok(())
}

/// Does what follows every change, and hands back the object as it is then.
fn saved(
    context: &Context<'_>,
    resource: &Resource,
    old: Option<&Object>,
    new: Object,
) -> Result<Object> {
    audit_log::record(context, resource, old, Some(&new))?;
    rules::after_save(context, resource, &new, old)?;
    touch_permissions(context, resource, old, Some(&new))?;
    Ok(new)
}

/// Says so when a change from `old` to `new` may change who may do what, which takes long to find out.
fn touch_permissions(
    context: &Context<'_>,
    resource: &Resource,
    old: Option<&Object>,
    new: Option<&Object>,
) -> Result<()> {
    let differs = |name: &&str| old.map(|it| it.get(*name)) != new.map(|it| it.get(*name));
    let decides = match resource.plural {
        plural if plural == LINKS.plural => {
            [old, new].into_iter().flatten().any(|link| readable::is_permission(resource, link))
        }
        plural if [USERS.plural, GROUPS.plural].contains(&plural) => {
            ["uuid", "owner_uuid", "trash_at", "frozen_by_uuid"].iter().any(differs)
        }
        _ => false,
    };
    if decides {
        schema::touch_permissions(context.db)?;
    }
    Ok(())
}

/// Answers a delete request with the object as it was, or as it is in the trash.
///
/// # Errors
/// When the caller cannot see or may not delete it, or it still owns something.
pub(crate) fn delete(context: &Context<'_>, resource: &Resource, id: &str) -> Result<Value> {
    let era = context.era();
    // What is in the trash already may be deleted once more.
    let old = find_for_change(context, resource, id, HAS_TRASH.of(era))?;
    let is_project = ["project", "filter"].contains(&text(&old, "group_class"));
    let goes_to_trash =
        resource.plural == COLLECTIONS.plural || (resource.plural == GROUPS.plural && is_project);
    if HAS_TRASH.of(era) && goes_to_trash {
        return trash_for_deletion(context, resource, &old);
    }
    if resource.plural == USERS.plural && !context.account()?.is_admin {
        return Err(denied("Permission denied: only admins delete users"));
    }
    frozen::check_change(context, resource, &old, &Object::new())?;
    if [USERS.plural, GROUPS.plural].contains(&resource.plural) {
        ownership::check_owns_nothing(context, id)?;
    }
    if resource.plural == CONTAINER_REQUESTS.plural {
        crunch2::request::before_delete(context, &old)?;
    }
    delete_permissions(context, id)?;
    delete_one(context, resource, &old)?;
    present::one(context, resource, &old, None)
}

/// Deletes the permission links from and to the object `id`, whoever manages them.
fn delete_permissions(context: &Context<'_>, id: &str) -> Result<()> {
    let permissions = Condition::all([
        Condition::plain("link_class = 'permission'"),
        Condition::any([Condition::equals("head_uuid", id), Condition::equals("tail_uuid", id)]),
    ]);
    delete_all(context, &LINKS, &permissions)
}

/// Deletes the objects of `resource` for which `condition` holds, whoever may do so.
///
/// # Errors
/// Those of the database.
pub(crate) fn delete_all(
    context: &Context<'_>,
    resource: &Resource,
    condition: &Condition,
) -> Result<()> {
    for object in object::all(context.db, resource, context.era(), condition)? {
        delete_one(context, resource, &object)?;
    }
    Ok(())
}

fn delete_one(context: &Context<'_>, resource: &Resource, old: &Object) -> Result<()> {
    object::delete(context.db, resource, &Condition::equals("uuid", text(old, "uuid")))?;
    audit_log::record(context, resource, Some(old), None)?;
    touch_permissions(context, resource, Some(old), None)
}

/// Moves the object `id` to the trash; one that is there already stays as it is.
///
/// # Errors
/// When the caller cannot see or may not change it.
pub(crate) fn trash(context: &Context<'_>, resource: &Resource, id: &str) -> Result<Value> {
    let old = find_for_change(context, resource, id, true)?;
    let mut changes = Object::new();
    if !flag(&old, "is_trashed") {
        changes.insert("trash_at".to_owned(), time::now().into());
    }
    changed(context, resource, &old, changes)
}

/// Moves the object `old` to the trash, to be gone as soon as may be.
fn trash_for_deletion(context: &Context<'_>, resource: &Resource, old: &Object) -> Result<Value> {
    let trash_at = match flag(old, "is_trashed") {
        true => text(old, "trash_at").to_owned(),
        false => time::now(),
    };
    let soon = time::after(&trash_at, signed_for(context));
    let mut changes = Object::new();
    if !flag(old, "is_trashed") {
        changes.insert("trash_at".to_owned(), trash_at.into());
    } else if text(old, "delete_at") > soon.as_str() {
        changes.insert("delete_at".to_owned(), soon.into());
    }
    changed(context, resource, old, changes)
}

/// Takes the object `id` out of the trash.
///
/// # Errors
/// When the caller cannot see or may not change it, or it is not in the trash or over.
pub(crate) fn untrash(context: &Context<'_>, resource: &Resource, id: &str) -> Result<Value> {
    let old = find_for_change(context, resource, id, true)?;
    if !flag(&old, "is_trashed") {
        return Err(unprocessable("Object is not trashed, cannot untrash"));
    }
    if text(&old, "delete_at") <= time::now().as_str() {
        return Err(unprocessable("delete_at time has already passed, cannot untrash"));
    }
    let untrashed = Object::from_iter([("trash_at".to_owned(), Value::Null)]);
    changed(context, resource, &old, untrashed)
}
