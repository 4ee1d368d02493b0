//! Objects as clients see them: what is computed is added, what is not for them is left out.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::collection;
use super::condition::Condition;
use super::context::Context;
use super::crunch1::{self, NODES};
use super::error::Result;
use super::frozen;
use super::manifest;
use super::object::{self, Object, text};
use super::permission::Level;
use super::resource::{Attribute, Resource, Shown};
use super::resources::{self, COLLECTIONS, KEEP_SERVICES, LINKS, USERS};
use super::uuid;
use crate::era::Era;
use crate::era::api::SHOWN_OF_OTHER_USERS;
use crate::signature::to_hex;

/// One object alone, with its `kind` and those attributes that `select` names, or all usual ones.
///
/// # Errors
/// Those of the database.
pub(crate) fn one(
    context: &Context<'_>,
    resource: &Resource,
    stored: &Object,
    select: Option<&[String]>,
) -> Result<Value> {
    present(context, resource, stored, |attribute| match select {
        Some(select) => attribute.name == "kind" || is_named(select, attribute),
        None => attribute.shown != Shown::WhenSelected,
    })
}

/// One object of a list.
///
/// # Errors
/// Those of the database.
pub(crate) fn item(
    context: &Context<'_>,
    resource: &Resource,
    stored: &Object,
    select: Option<&[String]>,
) -> Result<Value> {
    present(context, resource, stored, |attribute| match select {
        Some(select) => attribute.name == "kind" || is_named(select, attribute),
        None => matches!(attribute.shown, Shown::Always | Shown::ToAdmins),
    })
}

fn is_named(select: &[String], attribute: &Attribute) -> bool {
    select.iter().any(|name| name == attribute.name)
}

fn present(
    context: &Context<'_>,
    resource: &Resource,
    stored: &Object,
    wanted: impl Fn(&Attribute) -> bool,
) -> Result<Value> {
    let hidden = |name: &str| {
        let of_others = SHOWN_OF_OTHER_USERS.of(context.era());
        let always = ["kind", "href", "etag"].contains(&name);
        is_other_user(context, resource, stored) && !always && !of_others.contains(&name)
    };
    let mut shown = Object::with_capacity(stored.len() + 8);
    for attribute in resource.attributes(context.era()) {
        let name = attribute.name;
        let for_others = attribute.shown == Shown::ToAdmins && !context.caller.access.is_admin();
        if attribute.is_hidden() || for_others || !wanted(attribute) || hidden(name) {
            continue;
        }
        let value = if !attribute.stored {
            computed(context, resource, stored, name)?
        } else if resource.plural == COLLECTIONS.plural && name == "manifest_text" {
            collection::signed(context, text(stored, name)).into()
        } else if resource.plural == NODES.plural && name == "job_uuid" {
            crunch1::job_of_node(context, stored)?
        } else {
            stored.get(name).cloned().unwrap_or_default()
        };
        shown.insert(name.to_owned(), value);
    }
    Ok(Value::Object(shown))
}

fn is_other_user(context: &Context<'_>, resource: &Resource, stored: &Object) -> bool {
    let own = context.caller.account.as_ref();
    resource.plural == USERS.plural
        && !context.caller.access.is_admin()
        && own.is_none_or(|account| account.uuid != text(stored, "uuid"))
}

fn computed(
    context: &Context<'_>,
    resource: &Resource,
    stored: &Object,
    name: &str,
) -> Result<Value> {
    let uuid = text(stored, "uuid");
    Ok(match name {
        "href" => json!(format!("/{}/{uuid}", resource.plural)),
        "kind" => json!(resource.object_kind()),
        "etag" => json!(etag(stored)),
        "head_kind" => kind_of(context.era(), text(stored, "head_uuid")),
        "tail_kind" => kind_of(context.era(), text(stored, "tail_uuid")),
        "object_kind" => kind_of(context.era(), text(stored, "object_uuid")),
        "unsigned_manifest_text" => {
            json!(manifest::without_signatures(text(stored, "manifest_text")))
        }
        "full_name" => {
            let full = format!("{} {}", text(stored, "first_name"), text(stored, "last_name"));
            json!(full.trim())
        }
        "is_invited" => json!(is_invited(context, stored)?),
        "can_write" => json!(reaches(context, stored, Level::Write) && !is_frozen(context, stored)),
        "can_manage" => json!(reaches(context, stored, Level::Manage)),
        "writable_by" => writable_by(context, stored)?,
        "service_host" | "service_port" | "service_ssl_flag" => {
            let service = Condition::equals("uuid", text(stored, "keep_service_uuid"));
            let service = object::find(context.db, &KEEP_SERVICES, context.era(), &service)?;
            service.and_then(|service| service.get(name).cloned()).unwrap_or_default()
        }
        "fetch_url" | "push_url" => json!(ssh_url(stored)),
        "clone_urls" => json!([ssh_url(stored), https_url(stored)]),
        _ => crunch1::computed(context, stored, name)?,
    })
}

/// Changes whenever the object does. A manifest counts by its hash, so that lists, which do not read
/// it, show the same.
pub(crate) fn etag(stored: &Object) -> String {
    let mut text = String::with_capacity(1024);
    let parts = stored.iter().filter(|(name, _)| *name != "manifest_text");
    for (name, value) in parts {
        text.push_str(name);
        text.push('=');
        match value {
            // As it is: most values are texts, and nobody reads this.
            Value::String(value) => text.push_str(value),
            value => text.push_str(&value.to_string()),
        }
        text.push('\0');
    }
    to_hex(&Md5::digest(&text))
}

/// The `kind` of the object `uuid`; null if it is of no known class.
pub(crate) fn kind_of(era: Era, uuid: &str) -> Value {
    let resource = uuid::infix(uuid).and_then(|infix| resources::by_infix(era, infix));
    resource.map_or(Value::Null, |resource| json!(resource.object_kind()))
}

/// Whether a user may become active: it is one of all users.
///
/// # Errors
/// Those of the database.
pub(crate) fn is_invited(context: &Context<'_>, user: &Object) -> Result<bool> {
    if user.get("is_active") == Some(&Value::Bool(true)) {
        return Ok(true);
    }
    let access = context.api.permissions.access_now(context.db, text(user, "uuid"))?;
    Ok(access.level(uuid::ALL_USERS_GROUP, "").is_some())
}

fn reaches(context: &Context<'_>, stored: &Object, needed: Level) -> bool {
    let active = context
        .caller
        .account
        .as_ref()
        .is_some_and(|account| account.is_active || account.is_admin);
    let access = &context.caller.access;
    let level = access.level(text(stored, "uuid"), text(stored, "owner_uuid"));
    active && level.is_some_and(|level| level >= needed)
}

/// Whether an object is a frozen project, be it since this very request, or in one.
fn is_frozen(context: &Context<'_>, stored: &Object) -> bool {
    let itself = !text(stored, "frozen_by_uuid").is_empty();
    itself || frozen::is_within(context, "", text(stored, "owner_uuid"))
}

/// The owner, and who has a link to write or manage.
fn writable_by(context: &Context<'_>, stored: &Object) -> Result<Value> {
    let sql = format!(
        "SELECT DISTINCT tail_uuid FROM {} WHERE link_class = 'permission'
         AND name IN ('can_write', 'can_manage') AND head_uuid = ? ORDER BY tail_uuid",
        LINKS.plural
    );
    let mut writers = vec![text(stored, "owner_uuid").to_owned()];
    let mut statement = context.db.prepare_cached(&sql)?;
    let rows = statement.query_map([text(stored, "uuid")], |row| row.get(0))?;
    for writer in rows {
        writers.push(writer?);
    }
    Ok(json!(writers))
}

fn ssh_url(repository: &Object) -> String {
    let name = text(repository, "name");
    format!("git@git.{}.arvadosapi.com:{name}.git", uuid::CLUSTER)
}

fn https_url(repository: &Object) -> String {
    let name = text(repository, "name");
    format!("https://git.{}.arvadosapi.com/{name}.git", uuid::CLUSTER)
}
