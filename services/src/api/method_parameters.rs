//! The parameters of each method, as the discovery document declares them: a client of Google's
//! library refuses to send any other.

use super::crunch2::CONTAINER_REQUESTS;
use super::resource::Resource;
use super::resources::{COLLECTIONS, GROUPS};
use crate::era::Era;
use crate::era::api::{
    CONTENTS_ARE_RECURSIVE, DECLARES_FEDERATION_PARAMETERS, DECLARES_OLD_VERSIONS,
    SETUP_GIVES_OPENID_AND_REPOSITORY, TAKES_REPLACEMENTS,
};

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its JSON type.
    pub(crate) kind: &'static str,
    /// Whether a call without it makes no sense.
    pub(crate) required: bool,
    /// What holds without it.
    pub(crate) default: Option<&'static str>,
    /// What it does.
    pub(crate) description: &'static str,
}

const fn optional(
    name: &'static str,
    kind: &'static str,
    default: Option<&'static str>,
    description: &'static str,
) -> Parameter {
    Parameter { name, kind, required: false, default, description }
}

/// The object that a method is on.
pub(crate) const UUID: Parameter = Parameter {
    name: "uuid",
    kind: "string",
    required: true,
    default: None,
    description: "The uuid of the object.",
};

/// What every method takes.
pub(crate) const GLOBAL: &[Parameter] = &[
    optional("alt", "string", Some("json"), "The form of the answer."),
    optional("fields", "string", None, "Which fields to include."),
    optional("key", "string", None, "Not used."),
    optional("oauth_token", "string", None, "The token of the current user."),
];

const SELECT: Parameter =
    optional("select", "array", None, "Which attributes to return; without it, the usual ones.");
const INCLUDE_TRASH: Parameter =
    optional("include_trash", "boolean", Some("false"), "Whether to see what is in the trash.");
const INCLUDE_OLD_VERSIONS: Parameter =
    optional("include_old_versions", "boolean", Some("false"), "Whether to see past versions.");
const ENSURE_UNIQUE_NAME: Parameter = optional(
    "ensure_unique_name",
    "boolean",
    Some("false"),
    "Whether to adjust the name if it is taken.",
);
const REPLACE_FILES: Parameter = optional(
    "replace_files",
    "object",
    None,
    "Paths in the new collection, and the paths of what is to be there.",
);
const REPLACE_SEGMENTS: Parameter = optional(
    "replace_segments",
    "object",
    None,
    "Parts of blocks in the collection, and those that are to be in their place.",
);
const ASYNC: Parameter = optional(
    "async",
    "boolean",
    Some("false"),
    "Whether permissions may follow later; here they never do.",
);
const CLUSTER_ID: Parameter =
    optional("cluster_id", "string", None, "The cluster that is meant; this one is the only one.");
const BYPASS_FEDERATION: Parameter =
    optional("bypass_federation", "boolean", Some("false"), "Whether to ask no other cluster.");

const LIST: &[Parameter] = &[
    optional("filters", "array", None, "Triples of attribute, operator and operand."),
    optional("where", "object", None, "Attributes and the values that they should have."),
    optional("order", "array", None, "Attributes to order by, each with asc or desc."),
    SELECT,
    optional("distinct", "boolean", Some("false"), "Whether to leave out repetitions."),
    optional("limit", "integer", Some("100"), "The most objects to return."),
    optional("offset", "integer", Some("0"), "How many objects to skip."),
    optional("count", "string", Some("exact"), "Whether to count all objects: exact or none."),
];

/// Those of `get`.
pub(crate) fn get(era: Era, resource: &Resource) -> Vec<Parameter> {
    let mut parameters = vec![UUID, SELECT];
    parameters.extend(takes_include_trash(era, resource).then_some(INCLUDE_TRASH));
    parameters
}

/// Those of `list`.
pub(crate) fn list(era: Era, resource: &Resource) -> Vec<Parameter> {
    let mut parameters = LIST.to_vec();
    if DECLARES_FEDERATION_PARAMETERS.of(era) {
        parameters.extend([CLUSTER_ID, BYPASS_FEDERATION]);
    }
    parameters.extend(takes_include_trash(era, resource).then_some(INCLUDE_TRASH));
    if resource.plural == COLLECTIONS.plural {
        parameters.extend(DECLARES_OLD_VERSIONS.of(era).then_some(INCLUDE_OLD_VERSIONS));
    }
    parameters
}

/// Those of `create`.
pub(crate) fn create(era: Era, resource: &Resource) -> Vec<Parameter> {
    let mut parameters = vec![SELECT, ENSURE_UNIQUE_NAME];
    parameters.extend(replacements(era, resource));
    parameters.extend(takes_async(era, resource).then_some(ASYNC));
    parameters.extend(DECLARES_FEDERATION_PARAMETERS.of(era).then_some(CLUSTER_ID));
    parameters
}

/// Those of `update`.
pub(crate) fn update(era: Era, resource: &Resource) -> Vec<Parameter> {
    let mut parameters = vec![UUID, SELECT];
    parameters.extend(replacements(era, resource));
    parameters.extend(takes_async(era, resource).then_some(ASYNC));
    parameters.extend(DECLARES_FEDERATION_PARAMETERS.of(era).then_some(BYPASS_FEDERATION));
    parameters
}

/// For actions without any.
pub(crate) fn none(_: Era) -> Vec<Parameter> {
    Vec::new()
}

/// Those of `contents` of groups.
pub(crate) fn contents(era: Era) -> Vec<Parameter> {
    let mut parameters = list(era, &GROUPS);
    parameters.push(optional("uuid", "string", Some(""), "The project or user that holds them."));
    parameters.extend(DECLARES_OLD_VERSIONS.of(era).then_some(INCLUDE_OLD_VERSIONS));
    if CONTENTS_ARE_RECURSIVE.of(era) {
        parameters.extend([
            optional("recursive", "boolean", Some("false"), "Whether to look into subprojects."),
            optional(
                "exclude_home_project",
                "boolean",
                Some("false"),
                "Whether to leave out what lies in the caller's home project.",
            ),
            optional(
                "include",
                "array",
                None,
                "What else to return: owner_uuid, container_uuid, collection_uuid.",
            ),
        ]);
    }
    parameters
}

/// Those of `shared` of groups.
pub(crate) fn shared(era: Era) -> Vec<Parameter> {
    let mut parameters = list(era, &GROUPS);
    parameters.push(optional("include", "string", None, "What else to return: owner_uuid."));
    parameters
}

/// Those of `create_system_auth` of tokens.
pub(crate) fn system_auth(_: Era) -> Vec<Parameter> {
    vec![optional("scopes", "array", Some("[\"all\"]"), "What the token is good for.")]
}

/// Those of the list of computed permissions, which is not counted and has no pages.
pub(crate) fn computed_permissions() -> Vec<Parameter> {
    LIST.iter().copied().filter(|parameter| parameter.name != "offset").collect()
}

/// Those of `setup` of users.
pub(crate) fn user_setup(era: Era) -> Vec<Parameter> {
    let mut parameters = vec![
        optional("uuid", "string", None, "The user to set up; without it, a new one."),
        optional("user", "object", None, "The attributes of a new user."),
        optional("repo_name", "string", None, "A repository of the user, in 2015."),
        optional("vm_uuid", "string", None, "The virtual machine that the user may log in to."),
        optional("send_notification_email", "boolean", Some("false"), "Not looked at."),
    ];
    parameters.extend(SETUP_GIVES_OPENID_AND_REPOSITORY.of(era).then_some(optional(
        "openid_prefix",
        "string",
        None,
        "What the user's identity URL starts with; a new user needs it.",
    )));
    parameters
}

/// Those of `ping` of disks.
pub(crate) fn disk_ping(_: Era) -> Vec<Parameter> {
    let mut secret = optional("ping_secret", "string", None, "The secret of the disk.");
    secret.required = true;
    vec![
        secret,
        optional("uuid", "string", None, "The disk; without it, an admin makes a new one."),
        optional("node_uuid", "string", None, "Not looked at."),
        optional("filesystem_uuid", "string", None, "The file system of a new disk."),
        optional("service_host", "string", None, "Not looked at."),
        optional("service_port", "string", None, "Not looked at."),
        optional("service_ssl_flag", "string", None, "Not looked at."),
        optional("bytes_total", "integer", None, "How many bytes it can hold."),
        optional("bytes_free", "integer", None, "How many of them are free."),
        optional("is_readable", "boolean", None, "Whether it can be read."),
        optional("is_writable", "boolean", None, "Whether it can be written."),
        optional("last_read_at", "datetime", None, "When it was read last."),
        optional("last_write_at", "datetime", None, "When it was written last."),
    ]
}

/// Those of `merge` of users.
pub(crate) fn user_merge(_: Era) -> Vec<Parameter> {
    let owner = optional("new_owner_uuid", "string", None, "Who is to own what the user owned.");
    vec![
        Parameter { required: true, ..owner },
        optional("new_user_token", "string", None, "A token of the user that remains."),
        optional("old_user_uuid", "string", None, "The user to be merged, for admins."),
        optional("new_user_uuid", "string", None, "The user that remains, for admins."),
        optional(
            "redirect_to_new_user",
            "boolean",
            Some("false"),
            "Whether tokens, keys and permissions go to the user that remains.",
        ),
    ]
}

/// Those by which a collection is made of parts.
fn replacements(era: Era, resource: &Resource) -> impl Iterator<Item = Parameter> {
    let takes = TAKES_REPLACEMENTS.of(era) && resource.plural == COLLECTIONS.plural;
    [REPLACE_FILES, REPLACE_SEGMENTS].into_iter().filter(move |_| takes)
}

/// Whether a client may do without waiting for what a change means to permissions.
fn takes_async(era: Era, resource: &Resource) -> bool {
    resource.plural == GROUPS.plural && can_be_trashed(era, resource)
}

/// Those of `queue` of jobs.
pub(crate) fn queue(_: Era) -> Vec<Parameter> {
    LIST.to_vec()
}

/// Those of `sign` of user agreements.
pub(crate) fn sign(_: Era) -> Vec<Parameter> {
    let mut agreement = optional("uuid", "string", None, "What is signed.");
    agreement.required = true;
    vec![agreement]
}

/// Those of `ping` of nodes.
pub(crate) fn ping(_: Era) -> Vec<Parameter> {
    let mut secret = optional("ping_secret", "string", None, "The secret of the node.");
    secret.required = true;
    vec![
        secret,
        optional("local_ipv4", "string", None, "The address of the node."),
        optional("instance_id", "string", None, "What the cloud calls the node."),
        optional("total_cpu_cores", "integer", None, "How many cores it has."),
        optional("total_ram_mb", "integer", None, "How much memory it has."),
        optional("total_scratch_mb", "integer", None, "How much room it has for files."),
    ]
}

/// Whether the trash may hold objects of `resource`, be it with a project around them.
fn takes_include_trash(era: Era, resource: &Resource) -> bool {
    can_be_trashed(era, resource) || resource.plural == CONTAINER_REQUESTS.plural
}

fn can_be_trashed(era: Era, resource: &Resource) -> bool {
    resource.column(era, "is_trashed").is_some()
}
