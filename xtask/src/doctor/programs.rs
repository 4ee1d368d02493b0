//! Which programs there may be use for, and where each is.

use std::collections::BTreeMap;
use std::fmt;

use super::Program;
use crate::plan::Lookup;
use crate::services::{KINDS, any_version};
use crate::suites::Suite;
use crate::suites::needs::said_version;

/// What a program is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Without it nothing of ours is built.
    Everything,
    /// Whoever plays that service.
    Service(&'static str),
    /// The real program of that service.
    Real(&'static str),
    Suite(String),
    Lint,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Service(kind) => f.write_str(kind),
            Self::Real(kind) => write!(f, "{kind}=system"),
            Self::Suite(name) => write!(f, "suite {name}"),
            Self::Lint => f.write_str("lint"),
        }
    }
}

/// The linker is the one that rustc calls.
const ESSENTIAL: [&str; 2] = ["cargo", "cc"];

/// Besides `bundle`.
const FOR_PASSENGER: [&str; 3] = ["passenger", "ruby", "tar"];

const FOR_LINT: [&str; 5] = ["bash", "cargo-deny", "nginx", "shellcheck", "typos"];

/// All programs, in the order in which they are shown, with where they are.
pub(super) fn find(suites: &BTreeMap<String, Suite>, lookup: Lookup<'_>) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    for (name, purpose) in purposes(suites) {
        match programs.iter_mut().find(|known| known.name == name) {
            Some(known) => known.is_for(&purpose),
            None => {
                let mut program = look_for(&name, lookup);
                program.is_for(&purpose);
                programs.push(program);
            }
        }
    }
    programs
}

fn purposes(suites: &BTreeMap<String, Suite>) -> Vec<(String, Purpose)> {
    let essential = ESSENTIAL.map(|name| (name, Purpose::Everything));
    let required =
        KINDS.iter().filter_map(|kind| Some((kind.requires?, Purpose::Service(kind.name))));
    let real = KINDS
        .iter()
        .filter_map(|kind| Some((kind.real.as_ref()?.program, Purpose::Real(kind.name))));
    let passenger = FOR_PASSENGER.map(|name| (name, Purpose::Real("api")));
    let lint = FOR_LINT.map(|name| (name, Purpose::Lint));
    let ours = essential.into_iter().chain(required).chain(real).chain(passenger).chain(lint);
    let of_suites = suites.iter().flat_map(|(suite, declared)| {
        let names = declared.needs.program_names();
        names.map(|name| (name.to_owned(), Purpose::Suite(suite.clone())))
    });
    ours.map(|(name, purpose)| (name.to_owned(), purpose)).chain(of_suites).collect()
}

fn look_for(name: &str, lookup: Lookup<'_>) -> Program {
    let path = lookup(name, any_version).ok();
    let version = path.as_deref().and_then(|path| said_version(path, version_flag(name)));
    Program {
        name: name.to_owned(),
        purposes: Vec::new(),
        path,
        version: version.map(|version| version.to_string()),
        is_essential: false,
    }
}

/// What makes a program say its version and end. The Go programs of 2015 know no such flag, and end
/// with an error; a word without a dash would have them serve.
fn version_flag(name: &str) -> &'static str {
    match name {
        "nginx" => "-v",
        _ => "--version",
    }
}
