//! A checkout for a measurement alone: what its cluster leaves in the cache goes with it.

use tempfile::TempDir;

use crate::cli::Overrides;
use crate::embedded;
use crate::owned::{OwnedStack, Request};
use crate::parent::Parent;
use crate::settings::Wanted;
use crate::signals::Interrupt;
use crate::stack::{Leaves, StackFolder};
use crate::workspace::Workspace;

/// A folder with the settings of a cluster, and in the end with the cluster.
pub(super) struct Ground {
    workspace: Workspace,
    wanted: Wanted,
    parent: Parent,
    _folder: TempDir,
}

impl Ground {
    /// One with the settings of `workspace`, and `overrides` laid over them.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn like(workspace: &Workspace, overrides: &Overrides) -> anyhow::Result<Self> {
        let wanted = Wanted::load(&workspace.services_yml(), overrides)?;
        let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let (workspace, parent) = (Workspace::at(folder.path()), Parent::default());
        Ok(Self { workspace, wanted, parent, _folder: folder })
    }

    /// Brings up a cluster on it, of `services` or of all if none is named.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn bring_up<'a>(
        &'a self,
        services: &'a [String],
        interrupt: &'a Interrupt,
    ) -> anyhow::Result<OwnedStack<'a>> {
        OwnedStack::bring_up(Request {
            workspace: &self.workspace,
            folder: StackFolder::new(&self.workspace, "bench".parse()?),
            wanted: &self.wanted,
            selection: services,
            services_binary: embedded::services_binary()?,
            leaves: Leaves::Nothing,
            interrupt,
            // What is measured is a cluster of its own.
            parent: &self.parent,
            command: "cargo xtask bench",
        })
    }
}
