//! The git repositories of a checkout of Arvados, which its API server's tests unpack too.

use super::place::Place;

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
    crate::services::passenger::extract(&archive, &folder)
}
