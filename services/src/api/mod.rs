//! The API server of a test cluster: what clients see of Arvados' Rails API server and of the
//! controller before it, on SQLite.
//!
//! `resources` describes every class of objects; tables, discovery document and input validation
//! follow from it. A request goes through `handler`, `route` and `caller` to `list` or `write`, within
//! one transaction of `store`.

use std::sync::Arc;

use sdk_fixtures::Fixtures;
use tokio::sync::Semaphore;

use crate::listen;
use crate::serve::{self, Port, Worker};
use crate::signature;
use crate::tls;

mod attributes;
mod audit_log;
mod authorized_key;
mod caller;
mod changed_rows;
mod collection;
mod computed_permissions;
mod condition;
mod config;
mod content_filters;
mod contents;
mod context;
mod coverage;
mod crunch1;
mod crunch2;
mod discovery;
mod discovery_cache;
mod docker_image;
mod dropped;
mod error;
mod event;
mod expression;
mod file_tree;
mod filter;
mod fixture_draft;
mod fixture_load;
#[cfg(test)]
mod fixture_mutations;
mod fixture_table;
mod fixture_value;
mod flags;
mod follower;
mod form;
mod frozen;
mod full_text;
mod group_rules;
mod handler;
mod image;
mod json_containment;
mod keep_disk;
mod like;
mod list;
#[cfg(test)]
mod list_cost;
mod listing;
#[cfg(test)]
mod load_bench;
mod logins;
mod manifest;
#[cfg(test)]
mod manifest_properties;
mod method_parameters;
mod object;
mod openid_setup;
mod operand;
mod ownership;
mod permission;
mod permission_cache;
mod present;
mod provenance;
mod readable;
mod reference;
mod relative;
mod replace_files;
mod repository;
mod request;
mod reset;
mod resource;
mod resources;
mod route;
mod rules;
mod schema;
mod seeds;
mod sharing;
mod sought;
mod special;
mod store;
mod subproperty;
mod subscription;
mod time;
mod tokens;
mod trash;
mod trash_sweep;
mod user_agreement;
mod user_merge;
mod user_rules;
mod user_setup;
mod username;
mod uuid;
mod value;
mod versions;
mod websocket;
mod write;

pub(crate) use reference::print as print_reference;

/// The largest request body: 128 MiB.
const MAX_BODY_BYTES: usize = 128 << 20;

/// Each of those who follow events and ask the database at once keeps a connection to it open.
const FOLLOWERS_AT_ONCE: usize = 4;

/// Runs the server until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let flags = flags::Flags::parse(arguments)?;
    let fixtures = match &flags.fixtures {
        Some(folder) => Fixtures::open(folder),
        None => Fixtures::builtin(),
    };
    let image = image::prepare(&fixtures, &flags.image_cache, flags.era)?;
    let ttl = flags.blob_signature_ttl;
    let key = flags.blob_signing_key_file.as_deref();
    let api = Arc::new(context::Api {
        era: flags.era,
        store: store::Store::open(&flags.database, &image)?,
        discovery: discovery_cache::DiscoveryCache::default(),
        permissions: permission_cache::PermissionCache::new(flags.era),
        followers: Semaphore::new(FOLLOWERS_AT_ONCE),
        signer: signature::optional_signer(key, ttl, flags.era)?,
        signature_ttl_seconds: ttl,
        default_replication: flags.default_replication,
    });
    let port = Port {
        listeners: listen::inherited_or_bound("api", &flags.listen)?,
        tls: Some(tls::server_config(&flags.certificate, &flags.key, &["h2", "http/1.1"])?),
        is_eager: true,
    };
    serve::until_stopped(
        Worker::Itself,
        serve::serve(port, move |request| handler::answer(Arc::clone(&api), request)),
    )
}
