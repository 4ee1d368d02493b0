//! `guardian`: not for users. A command that owns a stack starts it beside itself.

use super::folder;
use crate::cli::Guardian;
use crate::owned::guardian;
use crate::stack::Leaves;
use crate::workspace::Workspace;

/// # Errors
/// When the stack cannot be taken down.
pub(crate) fn run(workspace: &Workspace, arguments: &Guardian) -> anyhow::Result<()> {
    let leaves = if arguments.leave_logs { Leaves::Logs } else { Leaves::Nothing };
    guardian::guard(&folder(workspace, &arguments.target)?, leaves)
}
