//! Every shell script parses, in the shell that it is for.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::lint::{Check, Content, tool};

pub(in crate::lint) const CHECK: Check = Check {
    name: "shell",
    concerns: may_be_script,
    needs: &[],
    run,
    advice: "correct the script",
    mend: None,
    is_extra: false,
};

/// Shells whose `-n` reads a script without running it.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ksh", "zsh"];

/// Whether only its first line tells if it is a script.
pub(super) fn may_be_script(path: &Path) -> bool {
    let others = ["md", "py", "rs", "snap", "toml", "yml"];
    let extension = path.extension().and_then(OsStr::to_str);
    !extension.is_some_and(|extension| others.contains(&extension))
}

/// All scripts, each with its shell.
pub(super) fn scripts(content: &Content) -> anyhow::Result<Vec<(PathBuf, &'static str)>> {
    let mut scripts = Vec::new();
    for path in content.files()?.iter().filter(|path| may_be_script(path)) {
        let path = content.folder().join(path);
        let mut start = Vec::new();
        fs_err::File::open(&path)?.take(128).read_to_end(&mut start)?;
        let first_line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if let Some(shell) = shell_of(&path, &String::from_utf8_lossy(first_line)) {
            scripts.push((path, shell));
        }
    }
    Ok(scripts)
}

/// The shell that a script is for: as its first line has it, or by its name.
fn shell_of(path: &Path, first_line: &str) -> Option<&'static str> {
    let Some(interpreter) = first_line.strip_prefix("#!") else {
        return path.extension().is_some_and(|extension| extension == "sh").then_some("sh");
    };
    // `/usr/bin/env -S bash -e` is as `/bin/bash -e`.
    let words = interpreter.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let name = words.into_iter().find(|word| *word != "env" && !word.starts_with('-'))?;
    SHELLS.into_iter().find(|shell| *shell == name)
}

fn run(content: &Content) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (path, shell) in scripts(content)? {
        let shell = tool::find(shell)?;
        let mut command = tool::command(&shell, content.folder());
        // In the words that we know.
        command.env_remove("LC_ALL").env_remove("LANGUAGE").env("LC_MESSAGES", "C");
        let printed = tool::run(command.arg("-n").arg(&path))?;
        let name = path.to_string_lossy();
        let found = printed.stderr.lines().filter_map(|line| fault(&name, line)).collect();
        faults.extend(printed.faults(found));
    }
    Ok(faults)
}

/// `NAME: line 5: …` and `NAME: 5: …`, as bash and dash have it, with the number in its place.
fn fault(name: &str, line: &str) -> Option<String> {
    let rest = line.strip_prefix(name)?.strip_prefix(':')?.trim_start();
    let (number, what) = rest.strip_prefix("line ").unwrap_or(rest).split_once(':')?;
    let number: u32 = number.parse().ok()?;
    Some(format!("{name}:{number}: {}", what.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_or_the_name_says_which_shell_it_is() {
        let shell = |path: &str, line: &str| shell_of(Path::new(path), line);
        assert_eq!(shell("run", "#!/usr/bin/env bash"), Some("bash"));
        assert_eq!(shell("run", "#! /bin/sh -e"), Some("sh"));
        assert_eq!(shell("run", "#!/usr/bin/env -S zsh -f"), Some("zsh"));
        assert_eq!(shell("a.sh", "# no line of that kind"), Some("sh"));
        assert_eq!(shell("a.sh", "#!/bin/bash"), Some("bash"));
        assert_eq!(shell("a.sh", "#!/usr/bin/python3"), None);
        assert_eq!(shell("run", "set -e"), None);
        assert_eq!(shell("run", "#!"), None);
    }

    #[test]
    fn a_fault_has_its_line_behind_the_name() {
        assert_eq!(
            fault("/a b/x", "/a b/x: line 2: syntax error: unexpected end of file").unwrap(),
            "/a b/x:2: syntax error: unexpected end of file"
        );
        assert_eq!(
            fault("x", "x: 3: Syntax error: \")\" unexpected").unwrap(),
            "x:3: Syntax error: \")\" unexpected"
        );
        assert_eq!(fault("x", "y: 3: of another"), None);
    }
}
