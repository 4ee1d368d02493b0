//! `hooks install` and `hooks uninstall`: have git check every commit, or not any more.

use crate::cli::Hooks;
use crate::failure::Usage;
use crate::hooks;
use crate::output::say;
use crate::workspace::Workspace;

/// # Errors
/// When there is no repository, or its hook is not ours.
pub(crate) fn run(workspace: &Workspace, action: &Hooks) -> anyhow::Result<()> {
    let done = match action {
        Hooks::Install => hooks::install(workspace.root()),
        Hooks::Uninstall => hooks::uninstall(workspace.root()),
    };
    // Services have no part in it, whatever it is that fails.
    say(&done.map_err(|error| match error.is::<Usage>() {
        true => error,
        false => error.context(Usage("the hook is left as it was".into())),
    })?);
    Ok(())
}
