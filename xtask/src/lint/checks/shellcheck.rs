//! What shellcheck has to say of the scripts that it knows.

use super::shell::{may_be_script, scripts};
use crate::lint::{Check, Content, tool};

pub(in crate::lint) const CHECK: Check = Check {
    name: "shellcheck",
    concerns: may_be_script,
    needs: &[".shellcheckrc"],
    run,
    advice: "correct the script; `# shellcheck disable=SC…` above a line lets it be",
    mend: None,
    is_extra: true,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let shellcheck = tool::find("shellcheck")?;
    let known = scripts(content)?.into_iter().filter(|(_, shell)| *shell != "zsh");
    let paths: Vec<_> = known.map(|(path, _)| path).collect();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = tool::command(&shellcheck, content.folder());
    // It reads scripts in the language of the user, and ends at a letter that this does not have.
    command.env("LC_ALL", "C.UTF-8");
    let printed = tool::run(command.args(["--format=gcc", "--"]).args(paths))?;
    Ok(printed.faults(printed.stdout.lines().map(str::to_owned).collect()))
}
