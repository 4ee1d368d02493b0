//! Which objects the caller can see, and what it may do with one.

use serde_json::Value;

use super::condition::Condition;
use super::context::Context;
use super::crunch2::{self, CONTAINER_REQUESTS, CONTAINERS};
use super::error::{ApiError, Result, denied};
use super::object::{self, Object, text};
use super::permission::Level;
use super::resource::Resource;
use super::resources::{API_CLIENT_AUTHORIZATIONS, COLLECTIONS, GROUPS, LINKS, LOGS, USERS};
use super::time;
use super::uuid;
use crate::era::api::{ALL_SEE_ACTIVE_USERS, HIDDEN_FROM, TOKENS_ARE_PRIVATE};

/// The condition on the rows of `resource` that the caller can see.
pub(crate) fn condition(context: &Context<'_>, resource: &Resource, with_trash: bool) -> Condition {
    let permitted = permitted(context, resource);
    Condition::all([permitted, in_trash(context, resource, with_trash).negated()])
}

/// The condition on the rows of `resource` that the caller may see, be they in the trash or not.
fn permitted(context: &Context<'_>, resource: &Resource) -> Condition {
    Condition::any(ways(context, resource))
}

/// The same, as conditions of which one has to hold. Each is a search of its own.
pub(crate) fn ways(context: &Context<'_>, resource: &Resource) -> Vec<Condition> {
    let access = &context.caller.access;
    let own = context.caller.account.as_ref();
    let own_uuid = own.map_or("", |account| &account.uuid);
    let is_token = resource.plural == API_CLIENT_AUTHORIZATIONS.plural;
    let sees_all = match is_token && TOKENS_ARE_PRIVATE.of(context.era()) {
        true => own_uuid == uuid::SYSTEM_USER,
        false => access.is_admin(),
    };
    if sees_all || resource.public {
        return vec![Condition::all([])];
    }
    if is_token {
        return vec![Condition::equals("owner_uuid", own_uuid)];
    }
    let (objects, owners) = (access.objects(), access.owners());
    let mut ways = vec![Condition::one_of("owner_uuid", &owners)];
    let of_this_class: Vec<_> = objects
        .iter()
        .filter(|object| uuid::infix(object).is_none_or(|infix| infix == resource.infix))
        .collect();
    // Each way is one more search.
    if !of_this_class.is_empty() {
        ways.push(Condition::one_of("uuid", &of_this_class));
    }
    if resource.plural == LINKS.plural
        && let Some(account) = own
    {
        ways.push(Condition::all([
            Condition::plain("link_class = 'permission'"),
            Condition::one_of("head_uuid", &access.managed()),
        ]));
        ways.push(Condition::all([
            Condition::plain("link_class IN ('permission', 'resources')"),
            Condition::any([
                Condition::equals("head_uuid", &account.uuid),
                Condition::equals("tail_uuid", &account.uuid),
            ]),
        ]));
    }
    if resource.plural == CONTAINERS.plural {
        let requests = permitted(context, &CONTAINER_REQUESTS);
        let sql = format!(
            "uuid IN (SELECT container_uuid FROM container_requests WHERE {})",
            requests.sql
        );
        ways.push(Condition::new(sql, requests.parameters));
    }
    if resource.plural == LOGS.plural {
        ways.push(Condition::one_of("object_uuid", &objects));
        ways.push(Condition::one_of("object_owner_uuid", &owners));
    }
    if resource.plural == USERS.plural && ALL_SEE_ACTIVE_USERS.of(context.era()) {
        ways.push(Condition::plain("is_active"));
    }
    ways
}

/// The object or a project around it is in the trash; nothing is if that is shown, too.
pub(crate) fn in_trash(context: &Context<'_>, resource: &Resource, is_shown: bool) -> Condition {
    if is_shown {
        return Condition::any([]);
    }
    let ends = HIDDEN_FROM.of(context.era());
    // Tokens and keys, too, have a time when they end; they are shown even so.
    let can_be_hidden = [COLLECTIONS.plural, GROUPS.plural].contains(&resource.plural);
    let mut ways = Vec::new();
    if can_be_hidden && resource.column(context.era(), ends).is_some() {
        ways.push(Condition::new(format!("{ends} <= ?"), [time::now().into()]));
    }
    let trashed = context.caller.access.trashed();
    if !trashed.is_empty() {
        ways.push(Condition::one_of("owner_uuid", trashed));
        ways.push(Condition::one_of("uuid", trashed));
    }
    Condition::any(ways)
}

/// The object `uuid`, if the caller can see it.
///
/// # Errors
/// "Path not found" if there is none, or it is not for this caller to know.
pub(crate) fn find(
    context: &Context<'_>,
    resource: &Resource,
    uuid: &str,
    with_trash: bool,
) -> Result<Object> {
    let this = Condition::equals("uuid", uuid);
    let readable = condition(context, resource, with_trash);
    let condition = Condition::all([this.clone(), readable]);
    if let Some(object) = object::find(context.db, resource, context.era(), &condition)? {
        return Ok(object);
    }
    // A permission can be seen by whoever manages what it is about, be it any object.
    let object = object::find(context.db, resource, context.era(), &this)?;
    let object = object.filter(|object| is_permission(resource, object));
    let object = object.ok_or(ApiError::NotFound)?;
    match level_on(context, text(&object, "head_uuid"))? {
        Some(Level::Manage) => Ok(object),
        _ => Err(ApiError::NotFound),
    }
}

/// Checks that the caller may change `object`.
///
/// # Errors
/// When it may not.
pub(crate) fn require_write(
    context: &Context<'_>,
    resource: &Resource,
    object: &Object,
) -> Result<()> {
    let account = context.active_account()?;
    if account.is_admin {
        return Ok(());
    }
    let uuid = text(object, "uuid");
    let refused = || denied(format!("Uuid is not writable by {}", account.uuid));
    if resource.plural == CONTAINERS.plural && crunch2::is_of_caller(context, object) {
        return Ok(());
    }
    // Everybody adds to the log; what is in it stays.
    if resource.admin_only.contains(&context.era()) || resource.plural == LOGS.plural {
        return Err(refused());
    }
    // A permission belongs to whoever manages what it is about.
    let (level, needed) = if is_permission(resource, object) {
        (level_on(context, text(object, "head_uuid"))?, Level::Manage)
    } else {
        let owner = text(object, "owner_uuid");
        (context.caller.access.level(uuid, owner), Level::Write)
    };
    match level {
        Some(level) if level >= needed => Ok(()),
        _ => Err(refused()),
    }
}

/// Whether an object is a permission link.
pub(crate) fn is_permission(resource: &Resource, object: &Object) -> bool {
    resource.plural == LINKS.plural && object.get("link_class") == Some(&Value::from("permission"))
}

/// The caller's level on the object `uuid` of any class; `None` if it cannot see it or there is
/// none.
///
/// # Errors
/// Those of the database.
pub(crate) fn level_on(context: &Context<'_>, uuid: &str) -> Result<Option<Level>> {
    let access = &context.caller.access;
    Ok(find_any(context, uuid)?.and_then(|(resource, object)| {
        let level = access.level(uuid, text(&object, "owner_uuid"));
        level.or(resource.public.then_some(Level::Read))
    }))
}

/// Whether there is an object `uuid` of any class, be it readable or not.
///
/// # Errors
/// Those of the database.
pub(crate) fn exists(context: &Context<'_>, uuid: &str) -> Result<bool> {
    Ok(find_any(context, uuid)?.is_some())
}

fn find_any(context: &Context<'_>, uuid: &str) -> Result<Option<(&'static Resource, Object)>> {
    let era = context.era();
    let infix = uuid::infix(uuid);
    let Some(resource) = infix.and_then(|infix| super::resources::by_infix(era, infix)) else {
        return Ok(None);
    };
    let condition = Condition::equals("uuid", uuid);
    let object = object::find(context.db, resource, era, &condition)?;
    Ok(object.map(|object| (resource, object)))
}

/// Whether the caller can see an object with this uuid or, as a collection, portable data hash.
///
/// # Errors
/// Those of the database.
pub(crate) fn is_readable(context: &Context<'_>, uuid: &str) -> Result<bool> {
    if uuid::infix(uuid).is_some() {
        return Ok(level_on(context, uuid)?.is_some());
    }
    let condition = Condition::all([
        Condition::equals("portable_data_hash", uuid),
        condition(context, &COLLECTIONS, false),
    ]);
    Ok(object::exists(context.db, &COLLECTIONS, &condition)?)
}
