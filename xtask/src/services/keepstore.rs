//! The keepstores: `keep0`, `keep1` and so on, each with a volume of its own.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;

use super::{
    Context, Kind, Launch, Probe, Question, Real, Sockets, any_version, flag, single_port,
};
use crate::settings::Settings;

pub(super) const KIND: Kind = Kind {
    name: "keepstore",
    instances,
    ports: single_port,
    needs: &["api"],
    requires: None,
    embedded,
    real: Some(Real {
        program: "keepstore",
        check: any_version,
        inherits_sockets: false,
        launch: real,
    }),
    prepare: |context, service| empty(&context.folder.volume(service)),
    reset: |context, service| empty(&context.folder.volume(service)),
};

/// The names of the keepstores.
pub(crate) fn instances(settings: &Settings) -> Vec<String> {
    (0..settings.keepstores).map(|number| format!("keep{number}")).collect()
}

fn real(context: &Context<'_>, service: &str) -> Launch {
    let (folder, settings) = (context.folder, context.settings);
    let flags = vec![
        flag("volume", folder.volume(service).display()),
        flag("listen", context.address(service)),
        flag("permission-key-file", folder.blob_signing_key().display()),
        flag("permission-ttl", settings.blob_signature_ttl),
        flag("enforce-permissions", settings.enforce_permissions),
    ];
    Launch::new(flags, Sockets::Own, Probe::Port(service.to_owned(), Question::http()))
}

fn embedded(context: &Context<'_>, service: &str) -> Launch {
    real(context, service).played_by_ours("keepstore", service, context.settings.era)
}

/// Removes all blocks; the folder itself stays, since a running keepstore knows it.
///
/// A folder is renamed first, out of the way of whoever is writing a block into it.
fn empty(volume: &Path) -> anyhow::Result<()> {
    fs_err::create_dir_all(volume)?;
    let aside = tempfile::Builder::new()
        .prefix("removed-blocks")
        .tempdir_in(volume.parent().context("a volume lies in the stack's folder")?)?;
    for entry in fs_err::read_dir(volume)? {
        let entry = entry?;
        match fs_err::rename(entry.path(), aside.path().join(entry.file_name())) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(aside.close()?)
}
