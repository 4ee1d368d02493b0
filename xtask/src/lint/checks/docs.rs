//! The documentation builds without a warning, that of private items too.

use crate::lint::{Check, Content, never, tool};

pub(in crate::lint) const CHECK: Check = Check {
    name: "docs",
    concerns: never,
    needs: &[],
    run,
    advice: "`cargo doc --workspace --no-deps --document-private-items` explains each",
    mend: None,
    is_extra: false,
};

const FLAGS: &str = "RUSTDOCFLAGS";

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let mut command = tool::cargo(content.folder());
    command.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
    command.args(["--quiet", "--color", "never", "--message-format", "short"]);
    let flags = std::env::var(FLAGS).unwrap_or_default();
    let printed = tool::run(command.env(FLAGS, format!("{flags} -D warnings")))?;
    Ok(printed.faults(super::diagnostics(&printed.stderr)))
}
