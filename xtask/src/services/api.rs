//! The API server: ours, or Rails under Phusion Passenger in a checkout of Arvados.

use super::{Context, Kind, Launch, Probe, Question, Real, Sockets, flag, passenger, single_port};
use crate::api_server::ApiServer;

pub(super) const KIND: Kind = Kind {
    name: "api",
    instances: |_| vec!["api".into()],
    ports: single_port,
    needs: &[],
    requires: None,
    embedded,
    real: Some(Real { launch: passenger::with_tls, ..passenger::REAL }),
    prepare,
    reset,
};

/// A real one that speaks no TLS: its clients reach it through a front.
pub(super) const BEHIND_A_FRONT: Kind = Kind {
    ports: |_| vec![passenger::PLAIN_PORT.into()],
    needs: &["api-front"],
    real: Some(Real { launch: passenger::without_tls, ..passenger::REAL }),
    ..KIND
};

fn embedded(context: &Context<'_>, service: &str) -> Launch {
    let (folder, settings) = (context.folder, context.settings);
    let arguments = vec![
        "api".into(),
        flag("listen", context.address(service)),
        flag("certificate", folder.certificate().display()),
        flag("key", folder.private_key().display()),
        flag("fixtures", settings.fixtures().dir().display()),
        flag("database", folder.database().display()),
        flag("image-cache", context.workspace.cache().display()),
        flag("era", settings.era),
        flag("blob-signing-key-file", folder.blob_signing_key().display()),
        flag("blob-signature-ttl", settings.blob_signature_ttl),
        flag("default-replication", settings.default_replication()),
    ];
    let sockets = Sockets::Named(vec![("api", service.to_owned())]);
    Launch::new(arguments, sockets, Probe::Port(service.to_owned(), Question::Https))
}

/// A database that is not there is made from the fixtures.
fn prepare(context: &Context<'_>, _: &str) -> anyhow::Result<()> {
    let database = context.folder.database();
    if let Some(folder) = database.parent() {
        if folder.exists() {
            fs_err::remove_dir_all(folder)?;
        }
        fs_err::create_dir_all(folder)?;
    }
    fs_err::create_dir_all(context.workspace.cache())?;
    Ok(())
}

fn reset(context: &Context<'_>, _: &str) -> anyhow::Result<()> {
    ApiServer::of_stack(context)?.reset_database()
}
