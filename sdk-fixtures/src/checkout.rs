//! Where the checkout is that we belong to.
//!
//! Where we were built is not enough: a checkout that is moved or copied with what was built in it
//! is not built again, and must not work on the one that it came from.

use std::path::{Path, PathBuf};

/// The root of the checkout: that of the package which cargo now runs, else the one that this
/// program lies in, else the one that it was built from.
pub fn root() -> PathBuf {
    let running = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let program = std::env::current_exe().ok();
    find([running, program].into_iter().flatten()).unwrap_or_else(built_from)
}

fn built_from() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// The first folder above one of `places` that is a checkout of this project.
fn find(places: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    let is_checkout = |folder: &&Path| {
        folder.join("sdk-fixtures/fixtures").is_dir() && folder.join("xtask/services.yml").is_file()
    };
    places.filter_map(|place| place.ancestors().find(is_checkout).map(Path::to_owned)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_in_a_checkout_counts() {
        let copy = tempfile::tempdir().unwrap();
        let folder = copy.path();
        fs_err::create_dir_all(folder.join("sdk-fixtures/fixtures")).unwrap();
        fs_err::create_dir_all(folder.join("xtask")).unwrap();
        fs_err::create_dir_all(folder.join("target/debug")).unwrap();
        fs_err::write(folder.join("xtask/services.yml"), "").unwrap();
        let elsewhere = PathBuf::from("/nowhere/else");
        let places = [elsewhere.clone(), folder.join("target/debug/xtask"), built_from()];
        assert_eq!(find(places.into_iter()), Some(folder.to_owned()));
        assert_eq!(find([elsewhere].into_iter()), None);
    }

    #[test]
    fn tests_run_in_the_checkout_that_they_were_built_from() {
        assert_eq!(root(), built_from());
    }
}
