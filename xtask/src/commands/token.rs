//! `services token`: the token of a fixture user.

use sdk_fixtures::Fixtures;

use super::folder;
use crate::cli::Token;
use crate::failure::Usage;
use crate::output::print;
use crate::stack::State;
use crate::workspace::Workspace;

/// # Errors
/// When the fixtures have no token of that label.
pub(crate) fn run(workspace: &Workspace, arguments: &Token) -> anyhow::Result<()> {
    let folder = folder(workspace, &arguments.target)?;
    let fixtures =
        State::load(&folder)?.map_or_else(Fixtures::builtin, |state| state.settings.fixtures());
    print(&format!("{}\n", of(&fixtures, &arguments.name)?))
}

/// The token of label `name`.
///
/// # Errors
/// Wrong usage, with the nearest known label.
pub(crate) fn of(fixtures: &Fixtures, name: &str) -> Result<String, Usage> {
    fixtures.auth_token(name).map_err(|error| Usage(error.to_string()))
}
