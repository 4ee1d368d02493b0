//! `guardian`: not for users. A command that owns a stack starts it beside itself.

use super::folder;
use crate::cli::Guardian;
use crate::owned::guardian;
use crate::workspace::Workspace;

/// # Errors
/// When the stack cannot be taken down.
pub(crate) fn run(workspace: &Workspace, arguments: &Guardian) -> anyhow::Result<()> {
    guardian::guard(&folder(workspace, &arguments.target)?, arguments.owner)
}
