//! What the clusters of today compute with: containers, the requests for them, workflows, and the
//! credentials that a container may use.

use crate::api::resource::{Attribute, Eras, Initial, Resource, SetBy, Shown, UniqueName};
use crate::api::resource::{array, boolean, datetime, float, integer, object, string, text};
use crate::api::resources::PLAIN;
use crate::era::Era;

const OF_TODAY: Resource = Resource { eras: Eras::Only(Era::Current), ..PLAIN };
const NOTHING: Initial = Initial::Integer(0);
const DEFAULT_CLASSES: Initial = Initial::Array(&["default"]);
const SERVICE: Attribute = boolean("service", false);
const PUBLISHED_PORTS: Attribute = object("published_ports");
const SECRET_MOUNTS: Attribute = object("secret_mounts").shown(Shown::Secret);
const RUNTIME_TOKEN: Attribute = string("runtime_token").shown(Shown::Secret);

/// One run of a command, which may serve many requests.
pub(crate) static CONTAINERS: Resource = Resource {
    plural: "containers",
    singular: "container",
    class: "Container",
    infix: "dz642",
    admin_only: &[Era::Current],
    own: &[
        string("state").initially(Initial::Text("Queued")),
        datetime("started_at"),
        datetime("finished_at"),
        string("log"),
        object("environment"),
        string("cwd").initially(Initial::Text(".")),
        array("command"),
        string("output_path"),
        object("mounts"),
        object("runtime_constraints"),
        string("output"),
        string("container_image"),
        float("progress"),
        integer("priority").initially(NOTHING),
        integer("exit_code"),
        string("auth_uuid"),
        string("locked_by_uuid"),
        object("scheduling_parameters"),
        object("runtime_status"),
        text("runtime_user_uuid"),
        array("runtime_auth_scopes"),
        integer("lock_count").initially(NOTHING),
        string("gateway_address"),
        boolean("interactive_session_started", false),
        array("output_storage_classes").initially(DEFAULT_CLASSES),
        object("output_properties"),
        float("cost").initially(Initial::Float(0.0)),
        float("subrequests_cost").initially(Initial::Float(0.0)),
        array("output_glob"),
        SERVICE,
        PUBLISHED_PORTS,
        SECRET_MOUNTS,
        RUNTIME_TOKEN,
    ],
    ..OF_TODAY
};

/// What somebody wants to be run.
pub(crate) static CONTAINER_REQUESTS: Resource = Resource {
    plural: "container_requests",
    singular: "container_request",
    class: "ContainerRequest",
    infix: "xvhdp",
    own: &[
        string("name"),
        text("description"),
        object("properties"),
        string("state").initially(Initial::Text("Uncommitted")),
        string("requesting_container_uuid").set_by(SetBy::Server),
        string("container_uuid"),
        integer("container_count_max").initially(Initial::Integer(3)),
        object("mounts"),
        object("runtime_constraints"),
        string("container_image"),
        object("environment"),
        string("cwd").initially(Initial::Text(".")),
        array("command"),
        string("output_path"),
        integer("priority").initially(NOTHING),
        datetime("expires_at"),
        text("filters"),
        integer("container_count").initially(NOTHING),
        boolean("use_existing", true),
        object("scheduling_parameters"),
        string("output_uuid"),
        string("log_uuid"),
        string("output_name"),
        integer("output_ttl").initially(NOTHING),
        array("output_storage_classes").initially(DEFAULT_CLASSES),
        object("output_properties"),
        float("cumulative_cost").initially(Initial::Float(0.0)).set_by(SetBy::Server),
        array("output_glob"),
        SERVICE,
        PUBLISHED_PORTS,
        SECRET_MOUNTS,
        RUNTIME_TOKEN,
    ],
    ..OF_TODAY
};

/// Workflows as they are written down.
pub(crate) static WORKFLOWS: Resource = Resource {
    plural: "workflows",
    singular: "workflow",
    class: "Workflow",
    infix: "7fd4e",
    own: &[string("name"), text("description"), text("definition"), string("collection_uuid")],
    ..OF_TODAY
};

/// Names and passwords for services outside, whose secrets only containers read.
pub(crate) static CREDENTIALS: Resource = Resource {
    plural: "credentials",
    singular: "credential",
    class: "Credential",
    infix: "oss07",
    unique_name: UniqueName::PerOwner,
    own: &[
        string("name"),
        text("description"),
        string("credential_class"),
        array("scopes"),
        string("external_id"),
        datetime("expires_at"),
        text("secret").shown(Shown::Secret),
    ],
    ..OF_TODAY
};
