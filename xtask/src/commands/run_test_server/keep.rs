//! The keepstores, each with a volume of its own, and what the API server knows of them.

use anyhow::Context as _;

use super::environment;
use super::place;
use super::session::Session;
use crate::api_server::ApiServer;
use crate::cli::KeepOptions;
use crate::lifecycle::{Cluster, disk_space};
use crate::output::say;
use crate::registration;
use crate::services;

/// Starts them in place of those that run, and makes the API server know them and no others.
///
/// # Errors
/// When the API server cannot be reached, or a keepstore does not come up: then none runs, and none
/// is registered.
pub(super) fn start(session: &Session<'_>, options: &KeepOptions) -> anyhow::Result<()> {
    let token = environment::token()?;
    stop(session)?;
    let mut cluster = session.cluster()?;
    environment::use_named_api(&mut cluster)?;
    let settings = &mut cluster.state.settings;
    settings.keepstores = options.num_keep_servers;
    settings.enforce_permissions = options.keep_enforce_permissions;
    settings.sign_locators = options.keep_enforce_permissions || options.keep_blob_signing;
    let api = ApiServer::with_token(&cluster.context(), &token)?;
    registration::forget_all(&api).with_context(environment::is_of_no_use)?;
    let names = services::keepstores(&cluster.state.settings);
    session.start(&mut cluster, &names)?;
    disk_space::warning(cluster.folder).iter().for_each(|warning| say(warning));
    let usable = show_volumes(session, &cluster, &names)
        .and_then(|()| registration::add(&api, &cluster.context(), &names));
    usable.inspect_err(|_| session.take_back(&names))
}

/// Ends them, and removes their blocks.
///
/// # Errors
/// When one cannot be ended, or a file not be removed.
pub(super) fn stop(session: &Session<'_>) -> anyhow::Result<()> {
    let names = session.keepstores()?;
    let place = &session.place;
    session.stop(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
    for name in &names {
        remove_volume(&session.folder().volume(name))?;
    }
    let files = names.iter().map(|name| place.volume_file(name));
    place::remove(files.chain([place.signing_key()]))
}

fn show_volumes(
    session: &Session<'_>,
    cluster: &Cluster<'_>,
    names: &[String],
) -> anyhow::Result<()> {
    let (place, settings) = (&session.place, &cluster.state.settings);
    for name in names {
        let volume = cluster.folder.volume(name);
        place::write(&place.volume_file(name), &volume.to_string_lossy(), 0o644)?;
    }
    if settings.sign_locators {
        place::write(&place.signing_key(), &settings.blob_signing_key, 0o600)?;
    }
    Ok(())
}

fn remove_volume(volume: &std::path::Path) -> anyhow::Result<()> {
    match fs_err::remove_dir_all(volume) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
