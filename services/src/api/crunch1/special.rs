//! What is done to jobs and nodes beyond list, show, create, update and delete.

use hyper::Method;
use serde_json::Value;

use super::{JOBS, NODES, node, queue};
use crate::api::context::Context;
use crate::api::error::{Result, unprocessable};
use crate::api::method_parameters as parameters;
use crate::api::object::{Object, text};
use crate::api::readable;
use crate::api::resource::Eras;
use crate::api::special::{Special, on_class, special};
use crate::api::write;

/// All of them.
pub(crate) static SPECIALS: &[Special] = &[
    on_class(&JOBS, "queue", Eras::All, |context, _| queue::list(context))
        .taking(parameters::queue),
    on_class(&JOBS, "queue_size", Eras::All, |context, _| queue::size(context)),
    special(&JOBS, "cancel", Method::POST, true, |context, uuid| {
        let cancelled = Object::from_iter([("state".to_owned(), "Cancelled".into())]);
        write::set(context, &JOBS, uuid, cancelled)
    }),
    special(&JOBS, "lock", Method::POST, true, lock),
    special(&NODES, "ping", Method::POST, true, node::ping)
        .taking(parameters::ping)
        .without_token(),
];

/// Gives a job that waits to the caller, who then runs it.
fn lock(context: &Context<'_>, uuid: &str) -> Result<Value> {
    let job = readable::find(context, &JOBS, uuid, false)?;
    if text(&job, "state") != "Queued" || !text(&job, "is_locked_by_uuid").is_empty() {
        return Err(unprocessable(format!("Job {uuid} is already locked or not queued")));
    }
    let own = context.account()?.uuid.clone();
    let locked = Object::from_iter([
        ("state".to_owned(), "Running".into()),
        ("is_locked_by_uuid".to_owned(), own.into()),
    ]);
    write::set(context, &JOBS, uuid, locked)
}
