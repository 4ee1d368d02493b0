//! suites.yml is what `test-all` reads.

use std::path::Path;

use crate::lint::{Check, Content};
use crate::suites::{self, clusters};

const FILE: &str = "xtask/suites.yml";

/// What the profiles of suites are in.
const SERVICES: &str = "xtask/services.yml";

pub(in crate::lint) const CHECK: Check = Check {
    name: "suites",
    concerns: |path| [FILE, SERVICES].map(Path::new).contains(&path),
    needs: &[FILE, SERVICES],
    run,
    advice: "docs/suites.md says what a suite is",
    mend: None,
    is_extra: false,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let [suites_yml, services_yml] = [FILE, SERVICES].map(|file| content.folder().join(file));
    let clusters = |suites| clusters::wanted(&suites_yml, &suites, &services_yml).map(drop);
    let mistake = suites::load(&suites_yml).and_then(clusters).err();
    Ok(mistake.into_iter().map(|mistake| mistake.0).collect())
}
