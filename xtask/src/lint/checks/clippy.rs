//! Clippy has nothing to say, nor has the compiler.

use crate::lint::{Check, Content, never, tool};

pub(in crate::lint) const CHECK: Check = Check {
    name: "clippy",
    concerns: never,
    needs: &[],
    run,
    advice: "`cargo clippy --workspace --all-targets` explains each",
    mend: Some(mend),
    is_extra: false,
};

const WHOLE: [&str; 6] = ["clippy", "--workspace", "--all-targets", "--quiet", "--color", "never"];

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    tool::find("cargo-clippy")?;
    let mut command = tool::cargo(content.folder());
    command.args(WHOLE).args(["--locked", "--message-format", "short", "--", "-D", "warnings"]);
    let printed = tool::run(&mut command)?;
    Ok(printed.faults(super::diagnostics(&printed.stderr)))
}

fn mend(content: &Content) -> anyhow::Result<()> {
    tool::find("cargo-clippy")?;
    let mut command = tool::cargo(content.folder());
    // What it cannot mend is said by the check that follows.
    tool::run(command.args(WHOLE).args(["--fix", "--allow-dirty", "--allow-staged"])).map(drop)
}
