//! What time does to the trash, done at once: what is due goes there, and what has been there long
//! enough is gone.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::condition::Condition;
use super::context::Context;
use super::error::Result;
use super::object::{self, text};
use super::resource::Resource;
use super::resources::{self, COLLECTIONS, GROUPS, LINKS};
use super::schema;
use super::time;
use super::write;

/// Sweeps the trash for an admin.
///
/// # Errors
/// When the caller is none.
pub(crate) fn sweep(context: &Context<'_>) -> Result<Value> {
    context.admin()?;
    let context = &context.as_system();
    let now = time::now();
    let over = Condition::new("delete_at <= ?", [now.clone().into()]);
    delete(context, &COLLECTIONS, &over)?;
    for group in object::all(context.db, &GROUPS, context.era(), &over)? {
        delete_with_contents(context, text(&group, "uuid"))?;
    }
    for resource in [&COLLECTIONS, &GROUPS] {
        mark(context.db, resource, &now)?;
    }
    schema::touch_permissions(context.db)?;
    Ok(json!({}))
}

/// Notes of what is due that it is in the trash.
fn mark(db: &Connection, resource: &Resource, now: &str) -> Result<()> {
    let sql = format!(
        "UPDATE {} SET is_trashed = TRUE WHERE is_trashed IS NOT TRUE AND trash_at <= ?",
        resource.plural
    );
    db.prepare_cached(&sql)?.execute([now])?;
    Ok(())
}

/// Deletes the group `id` and everything that it owns, directly or through others.
fn delete_with_contents(context: &Context<'_>, id: &str) -> Result<()> {
    let groups = super::contents::projects_below(context, id)?;
    let owned = Condition::one_of("owner_uuid", &groups);
    for resource in
        resources::with_table(context.era()).filter(|other| other.plural != GROUPS.plural)
    {
        delete(context, resource, &owned)?;
    }
    delete(context, &GROUPS, &Condition::one_of("uuid", &groups))
}

/// Deletes objects together with the permissions on them and of them.
fn delete(context: &Context<'_>, resource: &Resource, condition: &Condition) -> Result<()> {
    let objects = object::all(context.db, resource, context.era(), condition)?;
    let uuids: Vec<_> = objects.iter().map(|object| text(object, "uuid")).collect();
    let permissions = Condition::all([
        Condition::plain("link_class = 'permission'"),
        Condition::any([
            Condition::one_of("head_uuid", &uuids),
            Condition::one_of("tail_uuid", &uuids),
        ]),
    ]);
    write::delete_all(context, &LINKS, &permissions)?;
    write::delete_all(context, resource, condition)
}
