//! What the clusters of 2015 computed with: jobs and their tasks, pipelines, and compute nodes.

use crate::api::resource::{Attribute, Eras, Initial, Kind, Resource, SetBy, Shown, UniqueName};
use crate::api::resource::{array, datetime, float, integer, object, string, text};
use crate::api::resources::PLAIN;
use crate::era::Era;

const OF_2015: Resource = Resource { eras: Eras::Only(Era::Y2015), ..PLAIN };

/// One run of a script.
pub(crate) static JOBS: Resource = Resource {
    plural: "jobs",
    singular: "job",
    class: "Job",
    infix: "8i9sb",
    own: &[
        string("submit_id"),
        integer("priority").initially(Initial::Integer(0)),
        string("script"),
        object("script_parameters"),
        string("script_version"),
        datetime("cancelled_at"),
        string("cancelled_by_client_uuid"),
        string("cancelled_by_user_uuid"),
        datetime("started_at"),
        datetime("finished_at"),
        string("output"),
        Attribute::new("success", Kind::Boolean),
        Attribute::new("running", Kind::Boolean),
        string("state"),
        string("is_locked_by_uuid"),
        string("log"),
        object("runtime_constraints"),
        object("tasks_summary"),
        Attribute::new("nondeterministic", Kind::Boolean),
        string("repository"),
        string("supplied_script_version"),
        string("arvados_sdk_version").set_by(SetBy::Server),
        string("docker_image_locator").set_by(SetBy::Server),
        integer("queue_position").computed(),
        array("node_uuids").computed(),
        text("description"),
        object("components"),
    ],
    ..OF_2015
};

/// A part of a job that its script has made.
pub(crate) static JOB_TASKS: Resource = Resource {
    plural: "job_tasks",
    singular: "job_task",
    class: "JobTask",
    infix: "ot0gb",
    own: &[
        string("job_uuid"),
        string("created_by_job_task_uuid"),
        integer("sequence"),
        integer("qsequence"),
        object("parameters"),
        text("output"),
        float("progress"),
        Attribute::new("success", Kind::Boolean),
        datetime("started_at"),
        datetime("finished_at"),
    ],
    ..OF_2015
};

/// Compute nodes.
pub(crate) static NODES: Resource = Resource {
    plural: "nodes",
    singular: "node",
    class: "Node",
    infix: "7ekkf",
    own: &[
        string("hostname"),
        string("domain"),
        string("ip_address"),
        datetime("last_ping_at"),
        integer("slot_number"),
        string("status").computed(),
        string("job_uuid"),
        string("crunch_worker_state").computed(),
        object("properties"),
        datetime("first_ping_at").shown(Shown::ToAdmins),
        object("info").shown(Shown::ToAdmins),
        array("nameservers").computed().shown(Shown::ToAdmins),
    ],
    ..OF_2015
};

/// Pipelines as they are written down.
pub(crate) static PIPELINE_TEMPLATES: Resource = Resource {
    plural: "pipeline_templates",
    singular: "pipeline_template",
    class: "PipelineTemplate",
    infix: "p5p6p",
    unique_name: UniqueName::PerOwner,
    own: &[string("name"), object("components"), text("description")],
    ..OF_2015
};

/// Pipelines as they run.
pub(crate) static PIPELINE_INSTANCES: Resource = Resource {
    plural: "pipeline_instances",
    singular: "pipeline_instance",
    class: "PipelineInstance",
    infix: "d1hrv",
    own: &[
        string("pipeline_template_uuid"),
        string("name"),
        object("components"),
        object("properties"),
        string("state"),
        object("components_summary"),
        text("description"),
        datetime("started_at"),
        datetime("finished_at"),
    ],
    ..OF_2015
};
