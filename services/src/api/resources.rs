//! The table of all resources that the server has.
//!
//! Names, types and defaults are those of the API servers of 2015 and of Arvados 3.2.

use super::crunch1::{JOB_TASKS, JOBS, NODES, PIPELINE_INSTANCES, PIPELINE_TEMPLATES};
use super::crunch2::{CONTAINER_REQUESTS, CONTAINERS, CREDENTIALS, WORKFLOWS};
use super::dropped::{API_CLIENTS, HUMANS, KEEP_DISKS, SPECIMENS, TRAITS};
use super::resource::{Attribute, Eras, Initial, Kind, Resource, SetBy, Shown, UniqueName};
use super::resource::{array, boolean, datetime, integer, object, string, text};
use super::user_agreement::USER_AGREEMENTS;
use crate::era::Era;

/// The resources of `era`.
pub(crate) fn all(era: Era) -> impl Iterator<Item = &'static Resource> {
    RESOURCES.iter().copied().filter(move |resource| resource.eras.has(era))
}

/// Those of them that have a table.
pub(crate) fn with_table(era: Era) -> impl Iterator<Item = &'static Resource> {
    all(era).filter(|resource| resource.has_table)
}

/// The resource whose path is `plural`.
pub(crate) fn by_plural(era: Era, plural: &str) -> Option<&'static Resource> {
    all(era).find(|resource| resource.plural == plural)
}

/// The resource whose uuids have `infix`.
pub(crate) fn by_infix(era: Era, infix: &str) -> Option<&'static Resource> {
    with_table(era).find(|resource| resource.infix == infix)
}

/// The resource whose objects are of `kind`, such as `arvados#group`.
pub(crate) fn by_kind(era: Era, kind: &str) -> Option<&'static Resource> {
    all(era).find(|resource| resource.object_kind() == kind)
}

/// All resources of all eras.
pub(crate) const RESOURCES: &[&Resource] = &[
    &API_CLIENT_AUTHORIZATIONS,
    &API_CLIENTS,
    &AUTHORIZED_KEYS,
    &COLLECTIONS,
    &CONTAINER_REQUESTS,
    &CONTAINERS,
    &CREDENTIALS,
    &GROUPS,
    &HUMANS,
    &JOB_TASKS,
    &JOBS,
    &KEEP_DISKS,
    &KEEP_SERVICES,
    &LINKS,
    &LOGS,
    &NODES,
    &PIPELINE_INSTANCES,
    &PIPELINE_TEMPLATES,
    &REPOSITORIES,
    &SPECIMENS,
    &TRAITS,
    &USER_AGREEMENTS,
    &USERS,
    &VIRTUAL_MACHINES,
    &WORKFLOWS,
];

/// What most resources are like.
pub(crate) const PLAIN: Resource = Resource {
    plural: "",
    singular: "",
    class: "",
    infix: "",
    eras: Eras::All,
    has_table: true,
    public: false,
    admin_only: &[],
    unique_name: UniqueName::No,
    own: &[],
};

/// What its owner notes about an object.
pub(crate) const PROPERTIES: Attribute = object("properties");
const CAN_WRITE: Attribute =
    Attribute::new("can_write", Kind::Boolean).computed().only(Era::Current);
const CAN_MANAGE: Attribute =
    Attribute::new("can_manage", Kind::Boolean).computed().only(Era::Current);
const WRITABLE_BY: Attribute = array("writable_by").computed().only(Era::Y2015);

/// Tokens. Their owner is their user; in 2015 a token is its own uuid.
pub(crate) static API_CLIENT_AUTHORIZATIONS: Resource = Resource {
    plural: "api_client_authorizations",
    singular: "api_client_authorization",
    class: "ApiClientAuthorization",
    infix: "gj3su",
    own: &[
        integer("user_id").set_by(SetBy::Server).shown(Shown::Never),
        integer("api_client_id").set_by(SetBy::Server).shown(Shown::Never),
        string("api_token").set_by(SetBy::Server),
        string("created_by_ip_address"),
        string("default_owner_uuid"),
        datetime("expires_at"),
        datetime("last_used_at"),
        string("last_used_by_ip_address"),
        array("scopes").initially(Initial::Array(&["all"])),
    ],
    ..PLAIN
};

/// Public keys with which users log in.
pub(crate) static AUTHORIZED_KEYS: Resource = Resource {
    plural: "authorized_keys",
    singular: "authorized_key",
    class: "AuthorizedKey",
    infix: "fngyi",
    own: &[
        string("name"),
        string("key_type"),
        string("authorized_user_uuid"),
        text("public_key"),
        datetime("expires_at"),
    ],
    ..PLAIN
};

/// Collections of files, as manifests of Keep blocks.
pub(crate) static COLLECTIONS: Resource = Resource {
    plural: "collections",
    singular: "collection",
    class: "Collection",
    infix: "4zz18",
    unique_name: UniqueName::PerOwner,
    own: &[
        string("name"),
        text("description"),
        PROPERTIES,
        string("portable_data_hash"),
        text("manifest_text").shown(Shown::NotInLists),
        text("unsigned_manifest_text").computed().shown(Shown::WhenSelected).only(Era::Current),
        integer("replication_desired"),
        integer("replication_confirmed"),
        datetime("replication_confirmed_at"),
        array("storage_classes_desired").initially(Initial::Array(&["default"])).only(Era::Current),
        array("storage_classes_confirmed").only(Era::Current),
        datetime("storage_classes_confirmed_at").only(Era::Current),
        datetime("expires_at").shown(Shown::Never).only(Era::Y2015),
        datetime("delete_at").only(Era::Current),
        datetime("trash_at").only(Era::Current),
        boolean("is_trashed", false).only(Era::Current),
        integer("version").initially(Initial::Integer(1)).set_by(SetBy::Server).only(Era::Current),
        string("current_version_uuid").set_by(SetBy::Server).only(Era::Current),
        boolean("preserve_version", false).only(Era::Current),
        integer("file_count")
            .initially(Initial::Integer(0))
            .set_by(SetBy::Server)
            .only(Era::Current),
        integer("file_size_total")
            .initially(Initial::Integer(0))
            .set_by(SetBy::Server)
            .only(Era::Current),
    ],
    ..PLAIN
};

/// Projects and roles.
pub(crate) static GROUPS: Resource = Resource {
    plural: "groups",
    singular: "group",
    class: "Group",
    infix: "j7d0g",
    unique_name: UniqueName::PerOwner,
    own: &[
        string("name"),
        string("group_class"),
        text("description"),
        WRITABLE_BY,
        datetime("delete_at").only(Era::Current),
        datetime("trash_at").only(Era::Current),
        boolean("is_trashed", false).only(Era::Current),
        PROPERTIES.only(Era::Current),
        string("frozen_by_uuid").only(Era::Current),
        CAN_WRITE,
        CAN_MANAGE,
    ],
    ..PLAIN
};

/// Where clients find Keep.
pub(crate) static KEEP_SERVICES: Resource = Resource {
    plural: "keep_services",
    singular: "keep_service",
    class: "KeepService",
    infix: "bi6l4",
    public: true,
    admin_only: &[Era::Current],
    own: &[
        string("service_host"),
        integer("service_port"),
        boolean("service_ssl_flag", false),
        string("service_type"),
        boolean("read_only", false),
    ],
    ..PLAIN
};

/// Permissions, tags and other relations between objects.
pub(crate) static LINKS: Resource = Resource {
    plural: "links",
    singular: "link",
    class: "Link",
    infix: "o0j2j",
    own: &[
        string("tail_uuid"),
        string("link_class"),
        string("name"),
        string("head_uuid"),
        string("head_kind").computed(),
        string("tail_kind").computed(),
        PROPERTIES,
    ],
    ..PLAIN
};

/// What happened to all other objects.
pub(crate) static LOGS: Resource = Resource {
    plural: "logs",
    singular: "log",
    class: "Log",
    infix: "57u5n",
    own: &[
        integer("id").set_by(SetBy::Server),
        string("object_uuid"),
        string("object_owner_uuid"),
        string("object_kind").computed(),
        datetime("event_at"),
        string("event_type"),
        text("summary"),
        PROPERTIES,
    ],
    ..PLAIN
};

/// Git repositories.
pub(crate) static REPOSITORIES: Resource = Resource {
    plural: "repositories",
    singular: "repository",
    class: "Repository",
    infix: "s0uqq",
    unique_name: UniqueName::Everywhere,
    own: &[
        string("name"),
        string("fetch_url").computed(),
        string("push_url").computed(),
        array("clone_urls").computed(),
    ],
    ..PLAIN
};

/// People and programs that log in.
pub(crate) static USERS: Resource = Resource {
    plural: "users",
    singular: "user",
    class: "User",
    infix: "tpzed",
    own: &[
        string("email").set_by(SetBy::Admins),
        string("username").set_by(SetBy::Admins),
        string("full_name").computed(),
        string("first_name"),
        string("last_name"),
        string("identity_url").set_by(SetBy::Admins),
        string("redirect_to_user_uuid")
            .set_by(SetBy::Server)
            .shown(Shown::Never)
            .only(Era::Current),
        boolean("is_active", false).set_by(SetBy::Admins),
        boolean("is_admin", false).set_by(SetBy::Admins),
        Attribute::new("is_invited", Kind::Boolean).computed(),
        object("prefs"),
        WRITABLE_BY,
        CAN_WRITE,
        CAN_MANAGE,
    ],
    ..PLAIN
};

/// Machines that users log in to.
pub(crate) static VIRTUAL_MACHINES: Resource = Resource {
    plural: "virtual_machines",
    singular: "virtual_machine",
    class: "VirtualMachine",
    infix: "2x53u",
    admin_only: &[Era::Current, Era::Y2015],
    own: &[string("hostname")],
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_infix_is_the_end_of_the_class_names_hash_in_base_36() {
        use md5::{Digest, Md5};
        for resource in RESOURCES {
            let mut hash = u128::from_be_bytes(Md5::digest(resource.class).into());
            let mut end = Vec::new();
            for _ in 0..5 {
                let digit = u32::try_from(hash % 36).unwrap();
                end.push(char::from_digit(digit, 36).unwrap());
                hash /= 36;
            }
            let end: String = end.into_iter().rev().collect();
            assert_eq!(end, resource.infix, "{}", resource.class);
        }
    }

    #[test]
    fn no_resource_has_two_attributes_of_one_name() {
        for era in [Era::Current, Era::Y2015] {
            for resource in all(era) {
                let names: Vec<_> = resource.attributes(era).map(|a| a.name).collect();
                let distinct: HashSet<_> = names.iter().collect();
                assert_eq!(distinct.len(), names.len(), "{}", resource.plural);
            }
        }
    }

    #[test]
    fn kinds_are_the_class_name_with_a_small_first_letter() {
        let tokens = by_kind(Era::Current, "arvados#apiClientAuthorization").unwrap();
        assert_eq!(tokens.plural, "api_client_authorizations");
    }
}
