//! The fixtures read, and refer to no record that does not exist.

use std::path::Path;

use sdk_fixtures::Fixtures;

use crate::lint::{Check, Content};

const FOLDER: &str = "sdk-fixtures/fixtures";

pub(in crate::lint) const CHECK: Check = Check {
    name: "fixtures",
    concerns: |path| path.parent() == Some(Path::new(FOLDER)),
    needs: &[FOLDER],
    run,
    advice: "name a record that is in the fixtures, or add it",
    mend: None,
    is_extra: false,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let fixtures = Fixtures::open(content.folder().join(FOLDER));
    let unreadable: Vec<String> = fixtures
        .classes()?
        .iter()
        .filter_map(|class| fixtures.class(class).err())
        .map(|error| error.to_string())
        .collect();
    if !unreadable.is_empty() {
        return Ok(unreadable);
    }
    Ok(fixtures.dangling()?.iter().map(ToString::to_string).collect())
}
