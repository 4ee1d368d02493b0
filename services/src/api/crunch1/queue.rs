//! The jobs that wait for their turn.

use serde_json::{Value, json};

use super::JOBS;
use crate::api::condition::Condition;
use crate::api::context::Context;
use crate::api::error::Result;
use crate::api::list;
use crate::api::object::{Object, integer, text};

/// The turn of each.
const ORDER: &str = "priority DESC, created_at, id";

fn waiting() -> Condition {
    Condition::plain("state = 'Queued'")
}

/// Those that the caller can see, first things first.
///
/// # Errors
/// When a parameter is wrong.
pub(crate) fn list(context: &Context<'_>) -> Result<Value> {
    list::list_those(context, &JOBS, waiting(), Some(ORDER))
}

/// How many there are, whoever may see them.
///
/// # Errors
/// Those of the database.
pub(crate) fn size(context: &Context<'_>) -> Result<Value> {
    let sql = format!("SELECT count(*) FROM jobs WHERE {}", waiting().sql);
    let size: i64 = context.db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    Ok(json!({"queue_size": size}))
}

/// How many come before `job`; `None` if it does not wait.
///
/// # Errors
/// Those of the database.
pub(crate) fn position(context: &Context<'_>, job: &Object) -> Result<Option<i64>> {
    if text(job, "state") != "Queued" {
        return Ok(None);
    }
    let sql = format!(
        "SELECT count(*) FROM jobs, (SELECT id AS own FROM jobs WHERE uuid = ?1) WHERE {}
         AND (-coalesce(priority, 0), created_at, id) < (-?2, ?3, own)",
        waiting().sql
    );
    let parameters = (text(job, "uuid"), integer(job, "priority"), text(job, "created_at"));
    Ok(Some(context.db.prepare_cached(&sql)?.query_row(parameters, |row| row.get(0))?))
}
