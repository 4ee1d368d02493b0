//! `services status --watch`: the table again whenever something changes.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::{Found, as_json, look, not_up};
use crate::cli::ReportFormat;
use crate::lifecycle::health::Health;
use crate::output::{self, print};
use crate::process::pidfd::PidFd;
use crate::process::poll;
use crate::signals::Interrupt;
use crate::stack::StackFolder;
use crate::workspace::Workspace;

/// How long a change that is not the end of a process may go unseen.
const PERIOD: Duration = Duration::from_secs(1);

/// Shows the stack until a signal comes, the stack goes down, or nobody reads any more.
///
/// # Errors
/// [`crate::failure::Interrupted`] after a signal; [`crate::failure::CheckFailed`] once the stack is
/// not up.
pub(super) fn watch(
    workspace: &Workspace,
    folder: &StackFolder,
    format: ReportFormat,
) -> anyhow::Result<()> {
    let interrupt = Interrupt::catch()?;
    let mut shown = String::new();
    while output::has_reader() {
        let found = look(workspace, folder, Some(&interrupt))?;
        interrupt.check()?;
        let now = match (format, &found) {
            (ReportFormat::Human, None) => String::new(),
            (ReportFormat::Human, Some(found)) => found.table(),
            (ReportFormat::Json, _) => format!("{}\n", as_json(folder, found.as_ref())),
        };
        if now != shown {
            match (format, &found) {
                (ReportFormat::Human, Some(found)) => show(&(now.clone() + &found.logs()))?,
                _ => print(&now)?,
            }
            shown = now;
        }
        wait_for_change(&found.ok_or_else(|| not_up(folder))?, &interrupt)?;
    }
    Ok(())
}

/// On a terminal, over what is there. The cursor is left below, where a shell that stops us, or
/// what we say next, goes on.
fn show(text: &str) -> anyhow::Result<()> {
    if !output::is_terminal() {
        return print(text);
    }
    // To the upper left corner, each line cleared behind its end, and all that is below.
    print(&format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n")))
}

/// Returns at once when a process ends that was found running.
///
/// # Errors
/// [`crate::failure::Interrupted`] after a signal.
fn wait_for_change(found: &Found<'_>, interrupt: &Interrupt) -> anyhow::Result<()> {
    let mut handles = Vec::new();
    for (service, _) in found.services().filter(|(_, health)| *health != Health::Ended) {
        let process = service.main_process();
        // One that has ended since we looked is a change.
        let Some(handle) = process.map(PidFd::open).transpose()?.flatten() else { return Ok(()) };
        handles.push(handle);
    }
    let mut watched: Vec<&dyn AsFd> = vec![interrupt];
    watched.extend(handles.iter().map(|handle| handle as &dyn AsFd));
    poll::until_readable(&watched, Some(Instant::now() + PERIOD))?;
    Ok(interrupt.check()?)
}
