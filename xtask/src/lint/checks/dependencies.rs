//! Dependencies are what deny.toml lets them be.

use crate::lint::{Check, Content, never, tool};

pub(in crate::lint) const CHECK: Check = Check {
    name: "dependencies",
    concerns: never,
    needs: &[],
    run,
    advice: "deny.toml says what a dependency may be",
    mend: None,
    is_extra: true,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let mut command = tool::command(&tool::find("cargo-deny")?, content.folder());
    // The database of advisories is fetched from elsewhere than packages are, and so is not asked.
    command.args(["--all-features", "--color", "never", "--log-level", "error"]);
    let printed = tool::run(command.args(["check", "bans", "licenses", "sources"]))?;
    Ok(printed.faults(Vec::new()))
}
