//! `bench`: how fast a cluster is, beside what that is to be measured by.

use crate::cli::{Bench, BenchPart};
use crate::signals::Interrupt;
use crate::workspace::Workspace;

mod api;
mod ground;
mod keep;
mod life;
mod load;

/// # Errors
/// When a cluster does not come up or go down, or a request is answered wrongly.
pub(crate) fn run(workspace: &Workspace, arguments: &Bench) -> anyhow::Result<()> {
    if measures(arguments, BenchPart::Life) {
        life::run(workspace, arguments)?;
    }
    // From here on clusters are ours, and go down when we are interrupted.
    let interrupt = Interrupt::catch()?;
    if measures(arguments, BenchPart::Api) {
        api::run(workspace, arguments, &interrupt)?;
    }
    if measures(arguments, BenchPart::Keep) {
        keep::run(workspace, arguments, &interrupt)?;
    }
    Ok(())
}

/// Whether that part is asked for.
fn measures(arguments: &Bench, part: BenchPart) -> bool {
    arguments.parts.is_empty() || arguments.parts.contains(&part)
}
