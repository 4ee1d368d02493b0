//! Waiting for one service that was just started, also for one that puts itself into the
//! background.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use super::{Cluster, health, log_tail};
use crate::process::identity::Identity;
use crate::process::marker::HELPER_VARIABLE;
use crate::process::pidfd::PidFd;
use crate::process::spawn::Started;
use crate::process::{members, table};
use crate::readiness::{Awaited, NotReady};
use crate::signals::Interrupt;
use crate::stack::state::Service;

/// How many lines of a failing service's log are shown.
const LOG_LINES: usize = 20;

/// A service that was started.
pub(super) struct Wait {
    pub(super) service: Service,
    pub(super) started: Started,
    /// How long its log was before, in bytes.
    pub(super) logged: u64,
}

impl Wait {
    /// Returns once it is ready, with the process that is the service if that is not the one that
    /// we started.
    ///
    /// # Errors
    /// When it ends, the deadline passes or a signal arrives: with the end of its log.
    pub(super) fn until_ready(
        mut self,
        cluster: &Cluster<'_>,
        interrupt: &Interrupt,
        tls: &Arc<ClientConfig>,
    ) -> anyhow::Result<Option<Identity>> {
        let seconds = cluster.state.settings.start_timeout;
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let name = self.service.name.clone();
        let log = || log_tail::tail(&cluster.folder.log(&name), LOG_LINES);
        let mut handle = PidFd::open_pid(self.started.identity.pid)?;
        loop {
            let asked = health::asked(cluster, &self.service, Arc::clone(tls), self.logged)?;
            let interrupted = Some(interrupt as &(dyn AsFd + Sync));
            let awaited = Awaited { handle: &handle, asked, deadline, interrupt: interrupted };
            match awaited.until_ready() {
                Ok(()) => return self.daemon(cluster),
                Err(NotReady::Interrupted) => {
                    interrupt.check()?;
                    anyhow::bail!("{name}: the waiting was ended")
                }
                Err(NotReady::TimedOut(last)) => {
                    anyhow::bail!("{name} was not ready within {seconds} s ({last}); {}", log())
                }
                Err(NotReady::Exited) => {}
            }
            // A program that puts itself into the background ends with success, and goes on.
            let status = self.started.child.wait()?;
            if status.success()
                && let Err(wrong) = health::endpoint(cluster, &self.service, self.logged)?
            {
                anyhow::bail!("{name} has not started as it should: {wrong}; {}", log())
            }
            let goes_on = first_member(cluster, &self.service)?.filter(|_| status.success());
            let goes_on = goes_on.map(PidFd::open).transpose()?.flatten();
            let Some(goes_on) = goes_on else {
                anyhow::bail!("{name} has ended ({status}) before it was ready; {}", log())
            };
            handle = goes_on;
        }
    }

    /// The process that is the service now, if that is not the one that we started. On its way to
    /// the background, both may be there: then it is the one that listens.
    fn daemon(&self, cluster: &Cluster<'_>) -> anyhow::Result<Option<Identity>> {
        let leader = self.started.identity;
        let listener = health::listener(cluster, &self.service);
        let ports = own_ports(cluster, &self.service)?;
        let listening = ports.into_iter().find_map(|port| listener.on(port));
        if let Some(process) = listening {
            return Ok((process != leader).then_some(process));
        }
        match leader.is_alive() {
            true => Ok(None),
            false => first_member(cluster, &self.service),
        }
    }
}

/// The ports on which the program listens itself.
fn own_ports(cluster: &Cluster<'_>, service: &Service) -> anyhow::Result<Vec<u16>> {
    let definition = cluster.definition(service)?;
    if definition.inherits_sockets(&service.provider) {
        return Ok(Vec::new());
    }
    let names = definition.ports(&service.name);
    Ok(names.iter().filter_map(|name| cluster.state.ports.get(name).copied()).collect())
}

/// The oldest process of a service, save those that only ask it something.
fn first_member(cluster: &Cluster<'_>, service: &Service) -> anyhow::Result<Option<Identity>> {
    let home = cluster.folder.path();
    let members = members::find(&[service.signs(cluster.folder)], home, cluster.state.origin.since);
    let is_helper = |member: &Identity| table::variable(member.pid, HELPER_VARIABLE).is_some();
    let members = members.concat().into_iter().filter(|member| !is_helper(member));
    Ok(members.min_by_key(|member| (member.start_time, member.pid)))
}
