//! The logs of a stack: the lines of its services, merged by time, once or as they are written.

use std::io::{self, Write};
use std::path::Path;

use crate::stack::StackFolder;

mod file;
mod folder;
mod follow;
mod label;
mod local_offset;
mod merge;
mod selection;
mod stdout;
pub(crate) mod tail;
mod time;
mod watch;

use file::LogFile;
use folder::LogFolder;
pub(crate) use follow::Follower;
use merge::{Log, Merged};
pub(crate) use selection::select;
pub(crate) use stdout::{Stdout, ended};

/// Where one begins to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the first line of each log.
    Beginning,
    /// With the last lines of all logs together, so many of them.
    Last(usize),
}

/// Prints what the logs of `services` hold now.
///
/// # Errors
/// When the stack has no logs, they cannot be read, or `output` cannot be written to.
pub(crate) fn print(
    stack: &StackFolder,
    services: &[String],
    start: Start,
    coloured: bool,
    output: impl Write,
) -> io::Result<()> {
    open(stack, services, start, coloured, false)?.print(output, true)
}

fn open(
    stack: &StackFolder,
    services: &[String],
    start: Start,
    coloured: bool,
    followed: bool,
) -> io::Result<Merged> {
    let mut logs = Vec::new();
    for (service, label) in services.iter().zip(label::labels(services, coloured)) {
        for name in file_names(stack, service) {
            logs.push(Log { label: label.clone(), file: LogFile::new(name) });
        }
    }
    Merged::open(LogFolder::open(stack.logs())?, logs, start, followed)
}

/// The names of a service's log files, whether they exist or not.
fn file_names(stack: &StackFolder, service: &str) -> Vec<String> {
    let own = stack.log(service);
    let requests = (service == "nginx").then(|| stack.access_log());
    let name = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    [Some(own), requests].iter().flatten().filter_map(|path| name(path)).collect()
}
