//! What a suite needs of the machine: programs, perhaps of a version, and a platform.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::{environment, nearest, programs};

/// The platforms that a suite can name, as Rust calls them.
const PLATFORMS: [&str; 2] = ["linux", "macos"];

/// Of one suite.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Needs {
    /// `NAME` or `NAME >= VERSION`.
    #[serde(default)]
    pub(crate) programs: Vec<String>,
    /// Services or kinds of service, with what those need; the whole cluster if it names none.
    #[serde(default)]
    pub(crate) services: Vec<String>,
    /// Any, if it names none.
    #[serde(default)]
    pub(crate) platforms: Vec<String>,
}

/// A program, and the version from which on it is right.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement<'a> {
    program: &'a str,
    version: Option<Version>,
}

/// Numbers between dots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<u64>);

impl Needs {
    /// # Errors
    /// What is wrong with how it is written.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(unknown) = self.platforms.iter().find(|it| !PLATFORMS.contains(&it.as_str())) {
            let hint = nearest::hint(unknown, PLATFORMS);
            return Err(format!("unknown platform {unknown}{hint}"));
        }
        self.programs.iter().try_for_each(|text| Requirement::parse(text).map(drop))
    }

    /// The names of the programs.
    pub(crate) fn program_names(&self) -> impl Iterator<Item = &str> {
        let requirements = self.programs.iter().filter_map(|text| Requirement::parse(text).ok());
        requirements.map(|requirement| requirement.program)
    }

    /// What of it this machine has not, in words; none if it has all.
    pub(crate) fn missing(&self) -> Vec<String> {
        let here = std::env::consts::OS;
        let platform = (!self.platforms.is_empty() && !self.platforms.iter().any(|it| it == here))
            .then(|| format!("it runs on {} only", self.platforms.join(" and ")));
        let programs = self.programs.iter().filter_map(|text| missing(text));
        platform.into_iter().chain(programs).collect()
    }
}

/// Why that program cannot be used; `None` if it can.
fn missing(text: &str) -> Option<String> {
    let Requirement { program, version } = match Requirement::parse(text) {
        Ok(requirement) => requirement,
        Err(mistake) => return Some(mistake),
    };
    let Some(path) = programs::find(program) else {
        return Some(format!("{program} is not installed"));
    };
    let wanted = version?;
    match installed_version(&path) {
        Some(installed) if installed >= wanted => None,
        Some(installed) => Some(format!("{program} is {installed}, and not {wanted} or newer")),
        None => Some(format!("{program} does not say which version it is")),
    }
}

/// What the program says of itself. Most take an option for that, and some, such as go, a command.
fn installed_version(program: &Path) -> Option<Version> {
    ["--version", "version"].into_iter().find_map(|argument| said_version(program, argument))
}

/// The version that a program says it has, when it is asked by that argument.
pub(crate) fn said_version(program: &Path, argument: &str) -> Option<Version> {
    let mut command = Command::new(program);
    environment::clean(&mut command);
    let output = command.arg(argument).stdin(Stdio::null()).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Version::find(&String::from_utf8_lossy(&text)).filter(|_| output.status.success())
}

impl<'a> Requirement<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let mistake = || format!("{text:?} is no program: write `NAME` or `NAME >= VERSION`");
        let (program, version) = match text.split_once(">=") {
            None => (text, None),
            Some((program, version)) => {
                (program, Some(Version::parse(version.trim()).ok_or_else(mistake)?))
            }
        };
        let program = program.trim();
        match program.is_empty() || program.contains(['<', '>', '=', ' ']) {
            true => Err(mistake()),
            false => Ok(Self { program, version }),
        }
    }
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        text.split('.').map(|number| number.parse().ok()).collect::<Option<_>>().map(Self)
    }

    /// The first version that is in a text: at least two numbers with a dot between them.
    fn find(text: &str) -> Option<Self> {
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let words = text.split(|c: char| !is_part(c)).map(|word| word.trim_matches('.'));
        words.filter(|word| word.contains('.')).find_map(Self::parse)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_print() {
        for (text, expected) in [
            ("Python 3.11.7", "3.11.7"),
            ("git version 2.47.3", "2.47.3"),
            ("go version go1.19.8 linux/amd64", "1.19.8"),
            ("v20.20.2", "20.20.2"),
            ("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)", "0.9.143"),
        ] {
            assert_eq!(Version::find(text).unwrap().to_string(), expected);
        }
        assert_eq!(Version::find("version 3"), None);
    }

    #[test]
    fn versions_are_compared_by_number() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("3.11") > version("3.8"));
        assert!(version("2.30.1") > version("2.30"));
        assert!(version("1.9.9") < version("2"));
    }

    #[test]
    fn what_is_not_there_or_too_old_is_said() {
        let missing = |program: &str| {
            Needs { programs: vec![program.to_owned()], ..Needs::default() }.missing()
        };
        assert_eq!(missing("cargo >= 1.0"), [""; 0]);
        assert_eq!(missing("no-such-program"), ["no-such-program is not installed"]);
        let too_old = missing("cargo >= 900.1");
        assert!(too_old[0].starts_with("cargo is 1."), "{too_old:?}");
        assert!(too_old[0].ends_with(", and not 900.1 or newer"), "{too_old:?}");
        let mac = Needs { platforms: vec!["macos".into()], ..Needs::default() };
        assert_eq!(mac.missing().is_empty(), cfg!(target_os = "macos"));
    }
}
