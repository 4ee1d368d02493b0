//! typos finds no word that is misspelt.

use crate::lint::{Check, Content, tool};

pub(in crate::lint) const CHECK: Check = Check {
    name: "spelling",
    concerns: |_| true,
    needs: &["_typos.toml"],
    run,
    advice: "list in _typos.toml what is meant so, and run typos --write-changes",
    mend: Some(mend),
    is_extra: true,
};

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let printed = typos(content, &["--format", "brief"])?;
    let places = printed.stdout.lines().map(|line| line.replacen("error: ", "", 1));
    Ok(printed.faults(places.collect()))
}

fn mend(content: &Content) -> anyhow::Result<()> {
    // What it cannot decide is said by the check that follows.
    typos(content, &["--write-changes"]).map(drop)
}

fn typos(content: &Content, arguments: &[&str]) -> anyhow::Result<tool::Printed> {
    let mut command = tool::command(&tool::find("typos")?, content.folder());
    command.args(["--color", "never", "--force-exclude"]).args(arguments).arg("--");
    // With their folder in front: programs say where they found something by what they were given.
    tool::run(command.args(content.files()?.iter().map(|path| content.folder().join(path))))
}
