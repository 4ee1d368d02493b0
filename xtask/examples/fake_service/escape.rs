//! How a process is left behind.

use std::collections::VecDeque;
use std::io;
use std::process::{Child, Command};
use std::thread;

use nix::unistd::ForkResult;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use crate::lose::{self, has};

/// How many are one after the other in a chain.
const LINKS: usize = 200;

/// How many of a loop there are at the same time.
const LOOPING: usize = 8;

/// What the service does beside serving, according to its behaviour.
pub(crate) fn begin(behaviour: &str, stubborn: bool) -> io::Result<()> {
    let behaviour = behaviour.to_owned();
    if has(&behaviour, "escape") {
        start("--leave", &behaviour)?;
    }
    if has(&behaviour, "loop") {
        let behaviour = behaviour.clone();
        thread::spawn(move || start_again_and_again(&behaviour));
    }
    let at_the_end = ["late", "chain"].into_iter().find(|word| has(&behaviour, word));
    if at_the_end.is_none() && !stubborn {
        return Ok(());
    }
    let mut signals = Signals::new([SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            let started = match at_the_end {
                Some("chain") => start("--chain", &behaviour),
                Some(_) => start("--leave", &behaviour),
                None => continue,
            };
            println!("left one at the end");
            std::process::exit(i32::from(started.is_err()));
        }
    });
    Ok(())
}

/// What one of the processes does that are started here.
pub(crate) fn act(action: &str, words: &str) {
    if action == "chain" {
        fork_and_end();
    }
    if action == "leave" && has(words, "parent") {
        // This one is the parent that is lost.
        let _started = start("--stay", words);
        return;
    }
    match lose::everything(words) {
        Ok(()) => crate::sleep_for_ever(),
        // Where standard error is closed, nobody wants to know.
        Err(error) => eprintln!("fake service: {error}"),
    }
}

/// Starts this very program with another task; one that has to lose its parent has lost it when
/// this returns.
fn start(action: &str, words: &str) -> io::Result<Option<Child>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(action).arg(words);
    if has(words, "environment") {
        command.env_clear();
    }
    if action == "--leave" && has(words, "parent") {
        command.status()?;
        return Ok(None);
    }
    command.spawn().map(Some)
}

/// Goes on as the last of many processes, each a child of the one before, which has ended.
fn fork_and_end() {
    for _ in 0..LINKS {
        // SAFETY: this process has no other thread.
        match unsafe { nix::unistd::fork() } {
            Ok(ForkResult::Child) => {}
            Ok(ForkResult::Parent { .. }) | Err(_) => std::process::exit(0),
        }
    }
}

fn start_again_and_again(words: &str) {
    let mut children = VecDeque::new();
    while let Ok(child) = start("--stay", words) {
        children.extend(child);
        if children.len() > LOOPING
            && let Some(mut oldest) = children.pop_front()
        {
            let _ended = oldest.kill();
            let _waited = oldest.wait();
        }
    }
}
