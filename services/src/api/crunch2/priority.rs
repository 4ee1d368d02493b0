//! The priority of containers, which follows from those of the requests for them.

use super::CONTAINERS;
use crate::api::condition::Condition;
use crate::api::context::Context;
use crate::api::error::Result;
use crate::api::object::{self, Object, integer};
use crate::api::write;

/// The highest priority among the requests for the container `uuid`.
///
/// # Errors
/// Those of the database.
pub(super) fn of_requests(context: &Context<'_>, uuid: &str) -> Result<i64> {
    let sql = "SELECT coalesce(max(priority), 0) FROM container_requests WHERE container_uuid = ?";
    Ok(context.db.prepare_cached(sql)?.query_row([uuid], |row| row.get(0))?)
}

/// Computes the priority of the container `uuid` again: of two requests that are equally urgent, the
/// older one comes first.
///
/// # Errors
/// Those of the database.
pub(super) fn update(context: &Context<'_>, uuid: &str) -> Result<()> {
    let sql = "SELECT coalesce(max(
            (priority << 50) - CAST(unixepoch(created_at, 'subsec') * 1000 AS INTEGER)
        ), 0) FROM container_requests
        WHERE container_uuid = ? AND state = 'Committed' AND priority > 0";
    let priority: i64 = context.db.prepare_cached(sql)?.query_row([uuid], |row| row.get(0))?;
    let condition = Condition::equals("uuid", uuid);
    let container = object::find(context.db, &CONTAINERS, context.era(), &condition)?;
    let waits = |container: &Object| {
        let state = object::text(container, "state");
        ["Queued", "Locked", "Running"].contains(&state)
    };
    if let Some(container) = container.filter(waits)
        && integer(&container, "priority") != priority
    {
        let changes = Object::from_iter([("priority".to_owned(), priority.into())]);
        write::change(context, &CONTAINERS, &container, changes, false)?;
    }
    Ok(())
}
