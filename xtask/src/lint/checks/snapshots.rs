//! No snapshot of a test waits for somebody to decide about it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::lint::{Check, Content, never};

pub(in crate::lint) const CHECK: Check = Check {
    name: "snapshots",
    // What waits is never in a commit: git ignores it.
    concerns: never,
    needs: &[],
    run,
    advice: "look at the new snapshot; then move it over the old one, or remove it",
    mend: None,
    is_extra: false,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let is_of_a_test = |path: &&Path| path.extension().is_some_and(|it| it == "rs" || it == "snap");
    let files = content.files()?.iter().map(AsRef::as_ref).filter(is_of_a_test);
    let folders: BTreeSet<&Path> = files.filter_map(Path::parent).collect();
    let mut waiting = Vec::new();
    for folder in folders {
        for entry in fs_err::read_dir(content.folder().join(folder))? {
            let path = entry?.path();
            let name = path.to_string_lossy();
            if name.ends_with(".snap.new") || name.ends_with(".pending-snap") {
                waiting.push(format!("{name}: a test has made this, and the old one still counts"));
            }
        }
    }
    Ok(waiting)
}
