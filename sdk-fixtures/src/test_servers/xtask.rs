//! The command line of the checkout, as a program calls it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Error;
use crate::program::Program;
use crate::{checkout, environment};

/// The `xtask` program of this checkout.
#[derive(Clone, Debug)]
pub(super) struct Xtask {
    program: PathBuf,
    /// Of the workspace that its stacks belong to.
    root: PathBuf,
}

/// Overrides the root for us as for the program.
const ROOT_VARIABLE: &str = "XTASK_ROOT";

impl Xtask {
    /// The program, and that of the embedded services, built if they are missing or out of date.
    ///
    /// They lie in the checkout's own target folder, whoever we are: in the one of another workspace
    /// they could replace a program of its own, for many have an `xtask`.
    pub(super) fn find() -> Result<Self, Error> {
        let source = checkout::root();
        let folder = source.join("target/debug");
        let build = |name| {
            Program::new(&source, &folder, name).up_to_date(|reason| {
                eprintln!("building {name} for a test cluster ({reason}); it may take a minute");
            })
        };
        let program = build("xtask")?;
        build("services")?;
        let root = std::env::var_os(ROOT_VARIABLE).map_or(source, PathBuf::from);
        Ok(Self { program, root: std::path::absolute(root)? })
    }

    /// What it prints on standard output.
    pub(super) fn run(&self, arguments: &[impl AsRef<str>]) -> Result<String, Error> {
        let mut command = Command::new(&self.program);
        environment::clean(&mut command);
        command.env(ROOT_VARIABLE, &self.root);
        // With what it would build.
        command.envs(std::env::var_os("CARGO").map(|cargo| ("CARGO", cargo)));
        command.args(arguments.iter().map(|word| OsString::from(word.as_ref())));
        command.stdin(Stdio::null());
        let output = command
            .output()
            .map_err(|error| Error::Start { program: self.program.clone(), error })?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() {
            return Ok(text(output.stdout));
        }
        let words: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        Err(Error::Command {
            command: format!("cargo xtask {}", words.join(" ")),
            status: output.status,
            said: text(output.stderr).trim_end().to_owned(),
        })
    }

    /// The folder of all stacks.
    pub(super) fn stacks(&self) -> PathBuf {
        self.root.join(".services")
    }
}
