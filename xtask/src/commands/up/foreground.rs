//! `up --foreground`: the cluster belongs to this command, which shows its logs and takes it down
//! when it is asked to end.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::fd::AsFd;

use crate::failure::Exit;
use crate::logs::{self, Follower, Start, Stdout};
use crate::output::{is_coloured, say};
use crate::owned::OwnedStack;
use crate::process::identity::Identity;
use crate::process::pidfd::PidFd;
use crate::signals::Interrupt;
use crate::stack::{StackFolder, StackLock, State};

/// Shows the logs until a signal arrives, and takes the stack down then; or until somebody else
/// has taken it down.
///
/// # Errors
/// [`Exit`] with 128 and the signal; else when a process cannot be ended.
pub(super) fn stay(stack: OwnedStack<'_>, interrupt: &Interrupt) -> anyhow::Result<()> {
    let folder = stack.cluster().folder.clone();
    let services = stack.cluster().service_names();
    let mut follower = Follower::open(&folder, &services, Start::Beginning, is_coloured())?;
    let mut stdout = Stdout::new(interrupt);
    let shown = show(&folder, &services, &mut follower, &mut stdout);
    // Whatever ended that, a second signal is for what follows.
    let signal = interrupt.take()?;
    if !follower.stack_is_down() {
        say(&format!("taking stack {} down", folder.name()));
    }
    stack.end()?;
    say(&format!("stack {} is down; its logs are in {}", folder.name(), folder.logs().display()));
    match signal {
        Some(signal) => {
            // What the services said at their end; a second signal, or a reader that has gone
            // away, ends even that.
            let _ = follower.finish(&mut stdout);
            Err(Exit::by_signal(signal).into())
        }
        None => logs::ended(shown.and_then(|()| follower.finish(&mut stdout))),
    }
}

/// Until the stack is down. That one of its services ends is said.
fn show(
    folder: &StackFolder,
    services: &[String],
    follower: &mut Follower,
    stdout: &mut Stdout<'_>,
) -> io::Result<()> {
    let mut running: BTreeMap<&str, PidFd> = BTreeMap::new();
    loop {
        follower.drain(&mut *stdout)?;
        if follower.stack_is_down() {
            return Ok(());
        }
        stdout.flush()?;
        // One that has ended may have been started again by another command.
        if running.len() < services.len() {
            running.extend(started(folder, services, &running)?);
        }
        let watched = running.values().map(|handle| handle as &dyn AsFd);
        let watched: Vec<&dyn AsFd> =
            [&*follower as &dyn AsFd].into_iter().chain(watched).collect();
        let ready = stdout.wait_for(&watched)?;
        let names: Vec<&str> = running.keys().copied().collect();
        for index in ready.into_iter().filter(|index| *index > 0) {
            let name = names[index - 1];
            running.remove(name);
            // Another command that works on the stack knows why.
            if StackLock::is_free(folder) {
                say(&format!("{name} has ended"));
            }
        }
    }
}

/// Services that run and are not among `running`.
fn started<'a>(
    folder: &StackFolder,
    services: &'a [String],
    running: &BTreeMap<&str, PidFd>,
) -> io::Result<Vec<(&'a str, PidFd)>> {
    let Ok(Some(state)) = State::load(folder) else { return Ok(Vec::new()) };
    let process = |name: &str| -> Option<Identity> { state.service(name)?.main_process() };
    let missing = services.iter().filter(|name| !running.contains_key(name.as_str()));
    let found = missing.filter_map(|name| Some((name.as_str(), process(name)?)));
    let opened = found.filter_map(|(name, process)| match PidFd::open(process) {
        Ok(handle) => handle.map(|handle| Ok((name, handle))),
        Err(error) => Some(Err(error)),
    });
    opened.collect()
}
