//! suites.yml is what `test-all` reads.

use std::path::Path;

use crate::lint::{Check, Content};
use crate::suites;

const FILE: &str = "xtask/suites.yml";

pub(in crate::lint) const CHECK: Check = Check {
    name: "suites",
    concerns: |path| path == Path::new(FILE),
    needs: &[FILE],
    run,
    advice: "the head of xtask/suites.yml says what a suite is",
    mend: None,
    is_extra: false,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let mistake = suites::load(&content.folder().join(FILE), &[]).err();
    Ok(mistake.into_iter().map(|mistake| mistake.0).collect())
}
