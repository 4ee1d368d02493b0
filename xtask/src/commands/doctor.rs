//! `doctor`: which programs are found where, and what cannot run without those that are missing.

use crate::cli::{Doctor, ReportFormat};
use crate::doctor::Findings;
use crate::failure::CheckFailed;
use crate::output::print;
use crate::settings::Wanted;
use crate::suites;
use crate::workspace::Workspace;

/// # Errors
/// [`CheckFailed`] when a service could not run; wrong usage as for `up`.
pub(crate) fn run(workspace: &Workspace, arguments: &Doctor) -> anyhow::Result<()> {
    let wanted = Wanted::load(&workspace.services_yml(), &arguments.overrides)?;
    let lookup = |name: &str, check| workspace.look_up(name, check);
    let suites = suites::load(&workspace.suites_yml())?;
    let findings = Findings::make(&wanted.settled(&lookup), &suites, &lookup)?;
    print(&match arguments.format {
        ReportFormat::Human => findings.as_table(),
        ReportFormat::Json => format!("{:#}\n", findings.as_json()),
    })?;
    match findings.missing().as_slice() {
        [] => Ok(()),
        missing => Err(CheckFailed(missing.join("; ")).into()),
    }
}
