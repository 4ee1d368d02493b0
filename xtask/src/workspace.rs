//! Where things are: the checkout, and what we keep in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::programs;
use crate::services::Check;

/// Overrides the workspace root; a test gives each of its runs one of its own.
pub(crate) const ROOT_VARIABLE: &str = "XTASK_ROOT";

/// A checkout of this project.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    /// What has been looked up already: to check a program takes as long as to start it.
    programs: Mutex<BTreeMap<String, Result<PathBuf, String>>>,
}

impl Workspace {
    /// The checkout that this program was built from, wherever it is called.
    pub(crate) fn find() -> Self {
        Self::at(&std::env::var_os(ROOT_VARIABLE).map_or_else(Self::source, PathBuf::from))
    }

    /// The one whose root is `root`.
    pub(crate) fn at(root: &Path) -> Self {
        // A root that does not exist is reported by whoever first reads something in it.
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        Self { root, programs: Mutex::default() }
    }

    /// The workspace root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the sources of this program are, whatever the root is.
    pub(crate) fn source() -> PathBuf {
        sdk_fixtures::checkout::root()
    }

    /// A program that is installed or, if it has a slash in its name, part of the checkout. Each name
    /// has one check.
    ///
    /// # Errors
    /// Says why it cannot be used.
    pub(crate) fn look_up(&self, name: &str, check: Check) -> Result<PathBuf, String> {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let look_up = || programs::look_up(&self.root, name, check);
        programs.entry(name.to_owned()).or_insert_with(look_up).clone()
    }

    /// What `services up` starts.
    pub(crate) fn services_yml(&self) -> PathBuf {
        self.root.join("xtask/services.yml")
    }

    /// What `test-all` runs.
    pub(crate) fn suites_yml(&self) -> PathBuf {
        self.root.join("xtask/suites.yml")
    }

    /// The stacks, a folder each. Not below `target`: `cargo clean` would orphan their processes.
    pub(crate) fn stacks(&self) -> PathBuf {
        self.root.join(".services")
    }

    /// What is slow to make and is addressed by its content; no stack name starts with a dot.
    pub(crate) fn cache(&self) -> PathBuf {
        self.stacks().join(".cache")
    }
}
