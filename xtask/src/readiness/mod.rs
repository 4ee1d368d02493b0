//! Waiting until a service is ready.
//!
//! A connection proves nothing on a listener that we hold ourselves: it waits in the backlog until
//! somebody accepts it. So we connect at once, ask, and wait for whichever comes first: the answer,
//! the end of the process, a signal to us, or the deadline. No try counts; what can only be tried
//! again is tried after a nap that grows from a millisecond.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::process::pidfd::PidFd;
use crate::process::poll;

mod exec;
mod log;
mod port;

pub(crate) use exec::Exec;
pub(crate) use log::Log;
pub(crate) use port::{Listener, Port};

/// Whom to wait for, and how long.
pub(crate) struct Awaited<'a> {
    /// Of the service's process.
    pub(crate) handle: &'a PidFd,
    pub(crate) asked: Asked<'a>,
    pub(crate) deadline: Instant,
    /// Readable when the waiting is to end; see [`crate::signals::Interrupt`].
    pub(crate) interrupt: Option<&'a (dyn AsFd + Sync)>,
}

/// By what a service shows that it is ready.
pub(crate) enum Asked<'a> {
    Port(Port<'a>),
    Log(Log),
    Exec(Exec),
    /// That it runs is enough.
    Alive,
}

/// Why a service is not ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotReady {
    /// The process has ended.
    #[error("it has ended")]
    Exited,
    /// A signal told us to stop waiting.
    #[error("interrupted")]
    Interrupted,
    /// The deadline has passed; with what happened last.
    #[error("no answer in time ({0})")]
    TimedOut(String),
}

/// Why one try was in vain.
enum Asking {
    /// There is no use in another one.
    Ended(NotReady),
    Failed(io::Error),
    /// It had not ended at the deadline.
    CutShort(io::Error),
}

/// The naps between two tries.
const FIRST_NAP: Duration = Duration::from_millis(1);
const LONGEST_NAP: Duration = Duration::from_millis(50);

impl Awaited<'_> {
    /// Returns as soon as the service has shown that it is ready.
    ///
    /// # Errors
    /// Says why it has not.
    pub(crate) fn until_ready(&self) -> Result<(), NotReady> {
        let mut nap = FIRST_NAP;
        let mut before = None;
        loop {
            let tried = match &self.asked {
                Asked::Port(port) => port.ask(self),
                Asked::Log(log) => log.ask(),
                Asked::Exec(exec) => exec.ask(self),
                Asked::Alive => return Ok(()),
            };
            let why = match tried {
                Ok(()) => return Ok(()),
                Err(Asking::Ended(not_ready)) => return Err(not_ready),
                Err(Asking::Failed(error)) => error.to_string(),
                Err(Asking::CutShort(error)) => {
                    return Err(NotReady::TimedOut(cut_short(&error, before.as_deref())));
                }
            };
            let wake = Instant::now() + nap;
            self.sleep_until(wake.min(self.deadline), &why)?;
            nap = (nap * 2).min(LONGEST_NAP);
            before = Some(why);
        }
    }

    fn sleep_until(&self, wake: Instant, why: &str) -> Result<(), NotReady> {
        match self.wait_for(None, wake, why) {
            Err(NotReady::TimedOut(_)) if wake < self.deadline => Ok(()),
            result => result,
        }
    }

    /// Waits until `stream` is readable; without one, until something ends the waiting.
    fn wait_for(
        &self,
        stream: Option<&dyn AsFd>,
        deadline: Instant,
        doing: &str,
    ) -> Result<(), NotReady> {
        let mut watched: Vec<&dyn AsFd> = vec![self.handle];
        watched.extend(self.interrupt.map(|interrupt| interrupt as &dyn AsFd));
        let ends = watched.len();
        watched.extend(stream);
        let ready = poll::until_readable(&watched, Some(deadline))
            .map_err(|error| NotReady::TimedOut(error.to_string()))?;
        // An answer counts even if the process has ended since; its end is noticed by the next.
        match ready.iter().max() {
            None => Err(NotReady::TimedOut(doing.to_owned())),
            Some(&index) if index >= ends => Ok(()),
            Some(0) => Err(NotReady::Exited),
            Some(_) => Err(NotReady::Interrupted),
        }
    }
}

/// A try that the deadline has ended tells little, and the one before it may tell more.
fn cut_short(error: &io::Error, before: Option<&str>) -> String {
    match before {
        None => error.to_string(),
        Some(before) => format!("{error}; before that, {before}"),
    }
}
