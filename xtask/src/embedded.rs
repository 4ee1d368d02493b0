//! The binary of the embedded services.

use std::path::PathBuf;

use anyhow::Context;
use sdk_fixtures::program::Program;

use crate::output::say;
use crate::workspace::Workspace;

/// The path of the `services` binary, which is built first if it is missing or out of date.
///
/// # Errors
/// When the build fails; cargo has said why.
pub(crate) fn services_binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the folder of built programs")?;
    // Beside ourselves: wherever cargo was told to build, and in whichever profile.
    let folder = own.parent().context("a program lies in a folder")?;
    let services = Program::new(Workspace::source(), folder, "services");
    Ok(services.up_to_date(|reason| {
        say(&format!(
            "building the embedded services ({reason}); the first time takes about a minute"
        ));
    })?)
}
