//! One file a command.

use crate::cli::Target;
use crate::failure::Usage;
use crate::stack::StackFolder;
use crate::workspace::Workspace;

pub(crate) mod bench;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod env;
pub(crate) mod exec;
pub(crate) mod guardian;
pub(crate) mod hooks;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod reset;
pub(crate) mod restart;
pub(crate) mod run_test_server;
pub(crate) mod status;
pub(crate) mod test_all;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod upstream;

/// The folder of the stack that a command is about.
fn folder(workspace: &Workspace, target: &Target) -> Result<StackFolder, Usage> {
    Ok(StackFolder::new(workspace, target.stack.parse()?))
}
