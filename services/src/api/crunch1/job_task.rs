//! The order of the tasks of jobs, and the end of those that a failed task has made.

use serde_json::Value;

use super::JOB_TASKS;
use crate::api::condition::Condition;
use crate::api::context::Context;
use crate::api::error::{Result, unprocessable};
use crate::api::object::{self, Object, text};

/// Numbers a task that has no number.
///
/// # Errors
/// When there is no higher number.
pub(crate) fn before_create(context: &Context<'_>, task: &mut Object) -> Result<()> {
    if task.get("qsequence").is_none_or(Value::is_null) {
        let sql = "SELECT coalesce(max(qsequence), 0) FROM job_tasks";
        let last: i64 = context.db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        let next = last.checked_add(1);
        let next =
            next.ok_or_else(|| unprocessable("Qsequence has no number left behind the last"))?;
        task.insert("qsequence".to_owned(), next.into());
    }
    Ok(())
}

/// What a task has made goes when it fails.
///
/// # Errors
/// Those of the database.
pub(crate) fn after_save(context: &Context<'_>, new: &Object, old: Option<&Object>) -> Result<()> {
    let failed = |task: &Object| task.get("success") == Some(&Value::Bool(false));
    if failed(new) && old.is_some_and(|old| !failed(old)) {
        let made = Condition::equals("created_by_job_task_uuid", text(new, "uuid"));
        object::delete(context.db, &JOB_TASKS, &made)?;
    }
    Ok(())
}
