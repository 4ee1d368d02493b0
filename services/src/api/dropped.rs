//! What Arvados has dropped with release 3, besides jobs and pipelines. Clients of the years before
//! know it, and those of today never ask for it: so it is there in both eras, save API clients.

use super::resource::{Attribute, Eras, Kind, Resource, SetBy, Shown};
use super::resource::{boolean, datetime, integer, string};
use super::resources::{PLAIN, PROPERTIES};
use crate::era::Era;

/// Programs with which users log in, and whether these may manage tokens.
pub(crate) static API_CLIENTS: Resource = Resource {
    plural: "api_clients",
    singular: "api_client",
    class: "ApiClient",
    infix: "ozdt8",
    eras: Eras::Only(Era::Y2015),
    own: &[
        string("name"),
        string("url_prefix"),
        boolean("is_trusted", false).set_by(SetBy::Admins),
    ],
    ..PLAIN
};

/// People whom data are about.
pub(crate) static HUMANS: Resource = Resource {
    plural: "humans",
    singular: "human",
    class: "Human",
    infix: "7a9it",
    own: &[PROPERTIES],
    ..PLAIN
};

/// Disks of a keepstore, which the script that started test clusters registers.
pub(crate) static KEEP_DISKS: Resource = Resource {
    plural: "keep_disks",
    singular: "keep_disk",
    class: "KeepDisk",
    infix: "penuu",
    public: true,
    admin_only: &[Era::Current, Era::Y2015],
    own: &[
        string("node_uuid"),
        string("filesystem_uuid"),
        integer("bytes_total"),
        integer("bytes_free"),
        boolean("is_readable", true),
        boolean("is_writable", true),
        datetime("last_read_at"),
        datetime("last_write_at"),
        datetime("last_ping_at"),
        string("service_host").computed(),
        integer("service_port").computed(),
        Attribute::new("service_ssl_flag", Kind::Boolean).computed(),
        string("keep_service_uuid"),
        string("ping_secret").set_by(SetBy::Server).shown(Shown::ToAdmins),
    ],
    ..PLAIN
};

/// Samples that data were taken from.
pub(crate) static SPECIMENS: Resource = Resource {
    plural: "specimens",
    singular: "specimen",
    class: "Specimen",
    infix: "j58dm",
    own: &[string("material"), PROPERTIES],
    ..PLAIN
};

/// What humans and specimens have in common.
pub(crate) static TRAITS: Resource = Resource {
    plural: "traits",
    singular: "trait",
    class: "Trait",
    infix: "q1cn2",
    own: &[string("name"), PROPERTIES],
    ..PLAIN
};
