//! Cargo.lock, which cargo makes from the manifests, is what it would make of them now.

use std::path::Path;

use crate::lint::{Check, Content, tool};

pub(in crate::lint) const CHECK: Check = Check {
    name: "lock file",
    concerns: |path| path.ends_with("Cargo.toml") || path == Path::new("Cargo.lock"),
    // Every manifest, and the sources that it names.
    needs: &[""],
    run,
    advice: "cargo update --workspace",
    mend: Some(mend),
    is_extra: false,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let mut command = tool::cargo(content.folder());
    command.args(["metadata", "--locked", "--quiet", "--color", "never", "--format-version", "1"]);
    if content.is_staged() {
        // A commit does not wait for what is to be fetched.
        command.arg("--offline");
    }
    let printed = tool::run(&mut command)?;
    let said = printed.stderr.lines().filter(|line| !line.trim().is_empty());
    let said = said.map(str::to_owned).collect::<Vec<_>>().join("\n");
    let found = if printed.success { Vec::new() } else { vec![format!("Cargo.lock: {said}")] };
    Ok(found)
}

fn mend(content: &Content) -> anyhow::Result<()> {
    tool::run(tool::cargo(content.folder()).args(["update", "--workspace", "--quiet"])).map(drop)
}
