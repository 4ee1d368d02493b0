//! The keepstores: `keep0`, `keep1` and so on, each with a volume of its own.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;

use super::{Context, Kind, Launch, Probe, Question, Real, Sockets, flag, single_port};
use crate::settings::{Era, Settings};

pub(super) const KIND: Kind = Kind {
    name: "keepstore",
    instances,
    ports: single_port,
    needs: &["api"],
    requires: None,
    embedded,
    real: Some(Real::of("keepstore", real)),
    prepare: |context, service| empty(&context.folder.volume(service)),
    reset: |context, service| empty(&context.folder.volume(service)),
};

/// The names of the keepstores.
pub(crate) fn instances(settings: &Settings) -> Vec<String> {
    (0..settings.keepstores).map(|number| format!("keep{number}")).collect()
}

/// The fixture token that may list and delete blocks.
const DATA_MANAGER: &str = "data_manager";

/// Whose token may do that in clusters of today.
const SYSTEM: &str = "system_user";

/// The real one knows one data manager.
fn real(context: &Context<'_>, service: &str, _: &Path) -> Launch {
    let manager = match context.settings.era {
        Era::Current => SYSTEM,
        Era::Y2015 => DATA_MANAGER,
    };
    managed_by(manager, launch(context, service), context)
}

fn embedded(context: &Context<'_>, service: &str) -> Launch {
    let launch = managed_by(DATA_MANAGER, launch(context, service), context);
    let launch = match context.settings.era {
        Era::Current => managed_by(SYSTEM, launch, context),
        Era::Y2015 => launch,
    };
    launch.played_by_ours("keepstore", service, context.settings.era)
}

fn launch(context: &Context<'_>, service: &str) -> Launch {
    let (folder, settings) = (context.folder, context.settings);
    let mut flags = vec![
        flag("volume", folder.volume(service).display()),
        flag("listen", context.address(service)),
    ];
    if settings.sign_locators {
        flags.extend([
            flag("permission-key-file", folder.blob_signing_key().display()),
            flag("permission-ttl", settings.blob_signature_ttl),
            flag("enforce-permissions", settings.enforce_permissions),
        ]);
    }
    Launch::new(flags, Sockets::Own, Probe::Port(service.to_owned(), Question::http()))
}

/// Lets the holder of a fixture token list and delete blocks, if the fixtures have that token.
fn managed_by(label: &'static str, mut launch: Launch, context: &Context<'_>) -> Launch {
    if let Some(token) = context.tokens.get(label) {
        let file = context.folder.keep_token(label);
        launch.arguments.push(flag("data-manager-token-file", file.display()));
        launch.files.push((file, token));
    }
    launch
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
