//! One file a command.

use std::io::Write;

use crate::cli::Target;
use crate::failure::Usage;
use crate::stack::StackFolder;
use crate::workspace::Workspace;

pub(crate) mod bench;
pub(crate) mod down;
pub(crate) mod env;
pub(crate) mod list;
pub(crate) mod reset;
pub(crate) mod status;
pub(crate) mod test_all;
pub(crate) mod token;
pub(crate) mod up;

/// Progress, notes and errors, on standard error; a reader that is gone is no reason to fail.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// The result of a command, on standard output. A reader that has gone away, as `head` does, has
/// seen what it wanted.
///
/// # Errors
/// When standard output cannot be written to, as on a full disk.
fn print(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The folder of the stack that a command is about.
fn folder(workspace: &Workspace, target: &Target) -> Result<StackFolder, Usage> {
    Ok(StackFolder::new(workspace, target.stack.parse()?))
}
