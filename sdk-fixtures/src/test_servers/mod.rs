//! A cluster for test code, which is there as long as a value lives.
//!
//! It is the Rust counterpart of `TestCaseWithServers` in Arvados' Python suites: it starts a cluster
//! with the services that are asked for, knows the environment in which clients find them, and
//! takes it down when it is dropped, when its test panics, and when the process is killed.
//!
//! ```no_run
//! use sdk_fixtures::TestServers;
//!
//! # fn main() -> Result<(), sdk_fixtures::test_servers::Error> {
//! let mut servers = TestServers::builder().keep().proxy().start()?;
//! servers.authorize_with("active")?;
//! let output = servers.command("arv-put").arg("--no-cache").arg("some-file").output();
//! # Ok(())
//! # }
//! ```
//!
//! Every value has a cluster of its own, whatever cluster its test may itself run on
//! (`ARVADOS_TEST_API_HOST`, `XTASK_STACK`): tests do not disturb each other. So tests may run as
//! threads of one process, as under `cargo test`, or as processes, as under nextest; a cluster takes
//! some ten milliseconds and is the more worth sharing the more tests a value serves.

mod builder;
mod error;
mod xtask;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use builder::Builder;
pub use error::Error;
use xtask::Xtask;

use crate::environment;

/// A cluster that is up, and goes down when this is dropped.
#[derive(Debug)]
pub struct TestServers {
    xtask: Xtask,
    stack: String,
    set: BTreeMap<String, String>,
    unset: BTreeSet<String>,
    is_up: bool,
}

/// What `services up --format json` prints.
#[derive(serde::Deserialize)]
struct Exported {
    set: BTreeMap<String, String>,
    unset: BTreeSet<String>,
}

impl TestServers {
    /// Chooses what is started; an API server always is.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The variables in which a client finds the cluster, by name.
    pub fn env(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A command that is a client of this cluster and of nothing else: it has [`Self::env`], and
    /// of our own environment neither what leads to another cluster or repository, nor what cargo
    /// has set for us.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        environment::clean(&mut command);
        for name in &self.unset {
            command.env_remove(name);
        }
        command.envs(self.env());
        command
    }

    /// From now on clients have the token that the fixtures have under `label`, such as `"active"`;
    /// at first it is `"admin"`.
    ///
    /// # Errors
    /// When there is no such label; the message has the nearest one.
    pub fn authorize_with(&mut self, label: &str) -> Result<(), Error> {
        let token = self.xtask.run(&["services", "token", label, "--stack", &self.stack])?;
        self.set.insert("ARVADOS_API_TOKEN".into(), token.trim_end().into());
        Ok(())
    }

    /// Puts the cluster back to its fixtures: database, blocks and repositories, and what clients have
    /// cached of it. The token stays as [`Self::authorize_with`] has chosen it.
    ///
    /// # Errors
    /// When a service has ended or does not reset.
    pub fn reset(&self) -> Result<(), Error> {
        self.xtask.run(&["services", "reset", "--stack", &self.stack])?;
        for folder in
            ["KEEP_LOCAL_STORE", "XDG_CACHE_HOME"].iter().filter_map(|name| self.get(name))
        {
            fs_err::remove_dir_all(folder)?;
            fs_err::create_dir(folder)?;
        }
        Ok(())
    }

    /// Gives clients a folder of their own, which goes with the stack's, also when we are killed.
    fn add_folder(&mut self, variable: &str, name: &str) -> Result<(), Error> {
        let folder = self.folder().join(name);
        fs_err::create_dir(&folder)?;
        self.set.insert(variable.into(), folder.display().to_string());
        Ok(())
    }

    /// What all services have logged, merged by time.
    ///
    /// # Errors
    /// When the logs cannot be read.
    pub fn logs(&self) -> Result<String, Error> {
        self.xtask.run(&["services", "logs", "--stack", &self.stack])
    }

    /// Takes the cluster down. Dropping does so too, but can only print that it failed.
    ///
    /// # Errors
    /// When a process cannot be ended, or a file not removed.
    pub fn stop(mut self) -> Result<(), Error> {
        self.take_down()
    }

    fn take_down(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.is_up) {
            return Ok(());
        }
        self.xtask.run(&["services", "down", "--stack", &self.stack]).map(drop)
    }

    /// The name of the stack, for commands of `cargo xtask services`.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The folder in which the stack is kept.
    pub fn folder(&self) -> PathBuf {
        self.xtask.stacks().join(&self.stack)
    }

    /// `HOST:PORT` of the API server.
    pub fn api_host(&self) -> &str {
        self.get("ARVADOS_API_HOST").unwrap_or_default()
    }

    /// The token of clients.
    pub fn api_token(&self) -> &str {
        self.get("ARVADOS_API_TOKEN").unwrap_or_default()
    }

    /// The certificate of the authority to trust, for clients that verify TLS.
    pub fn ca_cert(&self) -> &Path {
        Path::new(self.get("ARVADOS_TEST_CA_CERT").unwrap_or_default())
    }

    /// Where the keepproxy is, if there is one.
    pub fn keepproxy_url(&self) -> Option<&str> {
        self.get("ARVADOS_TEST_KEEPPROXY_URL")
    }

    /// Where the keepproxy is behind the TLS front, if there are both.
    pub fn keepproxy_ssl_url(&self) -> Option<&str> {
        self.get("ARVADOS_TEST_KEEPPROXY_SSL_URL")
    }

    /// Where the git repositories are, if they are served.
    pub fn git_url(&self) -> Option<&str> {
        self.get("ARVADOS_TEST_GIT_URL")
    }

    /// Where the git repositories are behind the TLS front, if there are both.
    pub fn git_ssl_url(&self) -> Option<&str> {
        self.get("ARVADOS_TEST_GIT_SSL_URL")
    }

    /// The number of a port, by its name: `"api"`, `"keep0"`, `"keep1"`, `"keepproxy"`, ….
    ///
    /// # Errors
    /// When no service of this cluster has such a port.
    pub fn port(&self, name: &str) -> Result<u16, Error> {
        let path = self.folder().join(format!("{name}.port"));
        let number = fs_err::read_to_string(&path)?;
        number
            .trim_end()
            .parse()
            .map_err(|_| Error::Unreadable { what: path.display().to_string(), content: number })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.set.get(name).map(String::as_str)
    }
}

impl Drop for TestServers {
    fn drop(&mut self) {
        if let Err(error) = self.take_down() {
            // Its guardian tries again when this process ends.
            eprintln!("stack {}: {error}", self.stack);
        }
    }
}
