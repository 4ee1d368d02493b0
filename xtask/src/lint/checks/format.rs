//! Rust is formatted as rustfmt has it, and parses.

use std::path::Path;

use anyhow::Result;

use crate::lint::{Check, Content, run, tool};

pub(in crate::lint) const CHECK: Check = Check {
    name: "format",
    concerns: is_rust,
    needs: &["rustfmt.toml"],
    run: check,
    advice: "cargo fmt",
    mend: Some(mend),
    is_extra: false,
};

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn check(content: &Content) -> Result<Vec<String>> {
    if content.is_staged() {
        return staged(content);
    }
    let mut command = tool::cargo(content.folder());
    let printed = tool::run(command.args(["fmt", "--all", "--check", "--", "--color", "never"]))?;
    Ok(printed.faults(faults(&printed)))
}

/// One file at a time, as its input: rustfmt would follow `mod` into files that are not staged.
fn staged(content: &Content) -> Result<Vec<String>> {
    let rustfmt = tool::find("rustfmt")?;
    let files: Vec<_> = content.files()?.iter().filter(|path| is_rust(path)).collect();
    let mut results = Vec::new();
    run::side_by_side(&files, |path| one(&rustfmt, content, path), |one| results.push(one));
    Ok(results.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

fn one(rustfmt: &Path, content: &Content, path: &Path) -> Result<Vec<String>> {
    let mut command = tool::command(rustfmt, content.folder());
    command.args(["--check", "--color", "never"]);
    let printed = tool::run_on(&mut command, &content.folder().join(path))?;
    let name = path.to_string_lossy();
    let found: Vec<String> =
        faults(&printed).iter().map(|fault| fault.replace("<stdin>", &name)).collect();
    if found.is_empty() {
        let said = printed.faults(found);
        return Ok(said.iter().map(|said| format!("{name}: {said}")).collect());
    }
    Ok(found)
}

fn mend(content: &Content) -> Result<()> {
    // What does not parse is said by the check that follows.
    tool::run(tool::cargo(content.folder()).args(["fmt", "--all"])).map(drop)
}

/// What rustfmt has found, each with its place.
fn faults(printed: &tool::Printed) -> Vec<String> {
    let mut faults = unformatted(&printed.stdout);
    faults.extend(unparsable(&printed.stderr));
    faults
}

/// Of the differences that it prints, the first line each that is not as it should be.
fn unformatted(stdout: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut lines = stdout.lines().peekable();
    while let Some(line) = lines.next() {
        let place = line.strip_prefix("Diff in ").and_then(|place| place.strip_suffix(':'));
        let Some((path, Ok(first))) = place
            .and_then(|it| it.rsplit_once(':'))
            .map(|(path, line)| (path, line.parse::<usize>()))
        else {
            continue;
        };
        // It begins with lines that are only there to be found by.
        let mut number = first;
        while lines.next_if(|line| line.starts_with(' ')).is_some() {
            number += 1;
        }
        faults.push(format!("{path}:{number}: not formatted"));
    }
    faults
}

/// `error: WHAT`, and in one of the next lines `--> PATH:LINE:COLUMN`.
fn unparsable(stderr: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut what = None;
    for line in stderr.lines() {
        if let Some(message) = line.strip_prefix("error: ") {
            what = Some(message);
        } else if let Some(place) = line.trim_start().strip_prefix("--> ")
            && let Some(what) = what.take()
        {
            faults.push(format!("{place}: {what}"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_the_first_line_that_differs() {
        let stdout = "Diff in /a b/x.rs:10:\n fn a() {}\n \n-fn  b() {}\n+fn b() {}\n \n\
                      Diff in <stdin>:1:\n-fn  c() {}\n+fn c() {}\n";
        assert_eq!(
            unformatted(stdout),
            ["/a b/x.rs:12: not formatted", "<stdin>:1: not formatted"]
        );
    }

    #[test]
    fn what_does_not_parse_is_told_with_its_place() {
        let stderr = "error: this file contains an unclosed delimiter\n --> <stdin>:1:12\n  |\n\
                      1 | fn main( {\n  |        - -^\n\nerror: could not format\n";
        assert_eq!(unparsable(stderr), ["<stdin>:1:12: this file contains an unclosed delimiter"]);
    }
}
