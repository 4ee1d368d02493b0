//! Mending what programs can mend, and telling what that changed.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use super::{Check, Content, Skipped};

/// What a check's mending did.
#[derive(Debug)]
pub(crate) struct Mended {
    pub(crate) check: &'static Check,
    /// The files that are not as they were.
    pub(crate) changed: Vec<PathBuf>,
}

/// Mends for all of `checks`, one after another: they may change the same files.
///
/// # Errors
/// When a program cannot be started, or a file not be read.
pub(crate) fn all(checks: &[&'static Check], content: &Content) -> anyhow::Result<Vec<Mended>> {
    let mut all = Vec::new();
    let mut before = hashes(content)?;
    for check in checks {
        let Some(mend) = check.mend else { continue };
        match mend(content) {
            // That its program is missing is said by the check itself.
            Err(error) if error.is::<Skipped>() => continue,
            result => result?,
        }
        let after = hashes(content)?;
        let is_changed = |path: &&PathBuf| before.get(*path) != after.get(*path);
        let changed = after.keys().filter(is_changed).cloned().collect();
        all.push(Mended { check, changed });
        before = after;
    }
    Ok(all)
}

/// A hash of each file; of one that is gone there is none.
fn hashes(content: &Content) -> anyhow::Result<BTreeMap<PathBuf, u64>> {
    let mut hashes = BTreeMap::new();
    for path in content.files()? {
        if let Ok(bytes) = fs_err::read(content.folder().join(path)) {
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            hashes.insert(path.clone(), hasher.finish());
        }
    }
    Ok(hashes)
}
