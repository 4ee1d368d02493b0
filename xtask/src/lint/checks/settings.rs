//! services.yml makes sense, with each of its profiles.

use std::path::Path;

use crate::lint::{Check, Content};
use crate::settings;

const FILE: &str = "xtask/services.yml";

pub(in crate::lint) const CHECK: Check = Check {
    name: "settings",
    concerns: |path| path == Path::new(FILE),
    needs: &[FILE],
    run,
    advice: "xtask/README.md describes every setting",
    mend: None,
    is_extra: false,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let mistakes = settings::mistakes(&content.folder().join(FILE));
    Ok(mistakes.into_iter().map(|mistake| mistake.0).collect())
}
