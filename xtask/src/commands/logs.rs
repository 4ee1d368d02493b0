//! `services logs`: what the services have logged, merged by time, and what they log from now on.

use std::io;

use super::folder;
use crate::cli::Logs;
use crate::logs::{self, Follower, Start, Stdout};
use crate::output::{is_coloured, say};
use crate::signals::Interrupt;
use crate::stack::StackFolder;
use crate::workspace::Workspace;

/// How many lines of the past are shown where the logs are followed.
const LINES: usize = 10;

/// # Errors
/// When the stack has no logs, a name is unknown, or a signal arrives.
pub(crate) fn run(workspace: &Workspace, arguments: &Logs) -> anyhow::Result<()> {
    let folder = folder(workspace, &arguments.target)?;
    let services = logs::select(&folder, &arguments.services, arguments.follow)?;
    if arguments.follow {
        return follow(&folder, &services, Start::Last(arguments.lines.unwrap_or(LINES)));
    }
    let start = arguments.lines.map_or(Start::Beginning, Start::Last);
    let stdout = io::stdout().lock();
    logs::ended(logs::print(&folder, &services, start, is_coloured(), stdout))
}

fn follow(folder: &StackFolder, services: &[String], start: Start) -> anyhow::Result<()> {
    let interrupt = Interrupt::catch()?;
    let follower = Follower::open(folder, services, start, is_coloured())?;
    logs::ended(until_down(folder, follower, Stdout::new(&interrupt)))
}

fn until_down(
    folder: &StackFolder,
    mut follower: Follower,
    mut stdout: Stdout<'_>,
) -> io::Result<()> {
    loop {
        follower.drain(&mut stdout)?;
        if follower.stack_is_down() {
            follower.finish(&mut stdout)?;
            say(&format!("stack {} has gone down", folder.name()));
            return Ok(());
        }
        stdout.wait_for(&[&follower])?;
    }
}
