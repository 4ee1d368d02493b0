//! Crunch of 2015: jobs, pipelines, and the nodes that they run on.

use serde_json::{Value, json};

use super::condition::Condition;
use super::context::Context;
use super::error::Result;
use super::object::{Object, text};

pub(crate) mod job;
pub(crate) mod job_task;
pub(crate) mod node;
pub(crate) mod pipeline;
mod queue;
mod resources;
mod special;

pub(crate) use node::{job as job_of_node, listed as listed_nodes};
pub(crate) use resources::{JOB_TASKS, JOBS, NODES, PIPELINE_INSTANCES, PIPELINE_TEMPLATES};
pub(crate) use special::SPECIALS;

/// A computed attribute of a job or node.
///
/// # Errors
/// Those of the database.
pub(crate) fn computed(context: &Context<'_>, stored: &Object, name: &str) -> Result<Value> {
    Ok(match name {
        "queue_position" => json!(queue::position(context, stored)?),
        "node_uuids" => {
            let condition = Condition::equals("job_uuid", text(stored, "uuid"));
            let nodes =
                super::object::find_all(context.db, &NODES, context.era(), &condition, "id")?;
            nodes.iter().map(|node| text(node, "uuid")).collect()
        }
        _ => node::computed(stored, name),
    })
}
