//! The git repositories of a checkout of Arvados, which its API server's tests unpack too.

use std::time::{Duration, Instant};

use super::place::Place;
use crate::process::run::Task;

/// How long unpacking may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Unpacks them over what is there, where there is a checkout that has them. They become the user's
/// own: git refuses to read what belongs to somebody else.
///
/// # Errors
/// When they cannot be unpacked.
pub(super) fn unpack(place: &Place) -> anyhow::Result<()> {
    let Some([archive, folder]) = place.git().filter(|[archive, _]| archive.exists()) else {
        return Ok(());
    };
    fs_err::create_dir_all(&folder)?;
    let archive = archive.to_string_lossy().into_owned();
    let command = ["tar", "--extract", "--no-same-owner", "--file", &archive];
    let command = command.map(str::to_owned).to_vec();
    let task = Task { command, folder, environment: Vec::new() };
    task.start()?.finish(Instant::now() + PATIENCE)
}
