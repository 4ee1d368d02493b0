//! stack.json: what a stack is made of, for the commands that come after this one.
//!
//! There is no daemon that knows: each command reads this file and verifies it. It is written
//! before a process is spawned, so that whatever ends us, the next command knows what to look for.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{Origin, StackFolder};
use crate::parent::Parent;
use crate::plan::Planned;
use crate::process::identity::Identity;
use crate::process::marker::Marker;
use crate::process::members::Signs;
use crate::process::stop::Target;
use crate::services::launch::Stop;
use crate::settings::{Provider, Settings};

/// Of the file's format. It rises when an older program could not make sense of a newer file.
const VERSION: u32 = 3;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct State {
    version: u32,
    #[serde(flatten)]
    pub(crate) origin: Origin,
    pub(crate) settings: Settings,
    /// Whose services it uses in place of its own.
    #[serde(default)]
    pub(crate) parent: Parent,
    /// The fixture token of label `admin`, with which we do our own part. It is public.
    pub(crate) admin_token: String,
    /// In the order in which they are shown.
    pub(crate) services: Vec<Service>,
    /// By the port's name.
    pub(crate) ports: BTreeMap<String, u16>,
    /// The command that it is up for, while that runs.
    #[serde(default)]
    pub(crate) guest: Option<Guest>,
}

/// The name of what is no service, where services have theirs.
pub(crate) const GUEST: &str = "suite";

/// The file name of its lock.
pub(crate) const GUEST_LOCK: &str = "suite.lock";

/// A command for which a stack is up, and which goes down with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Guest {
    /// In the environment of its processes and nowhere else.
    pub(crate) marker: String,
    /// Not known while it is being started.
    pub(crate) process: Option<Identity>,
}

/// One service of the stack.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// The name of its kind.
    pub(crate) kind: String,
    /// Who plays it: never `auto`.
    pub(crate) provider: Provider,
    /// In the environment of its processes and nowhere else.
    pub(crate) marker: String,
    /// Not known while it is being started, or after we were killed in the middle of that.
    pub(crate) process: Option<Identity>,
    /// The one that went on when that had ended, or that listens in its place.
    #[serde(default)]
    pub(crate) daemon: Option<Identity>,
    /// How it is asked to end.
    #[serde(default)]
    pub(crate) stop: Stop,
}

/// There is a state, and this program cannot read it.
#[derive(Debug, thiserror::Error)]
#[error("{what}{advice}")]
pub(crate) struct Unreadable {
    pub(crate) what: String,
    /// What to do about it, for all but the command that does it.
    advice: String,
}

/// Just enough to tell whether we can read the rest.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl State {
    /// A stack with nothing in it yet.
    pub(crate) fn new(settings: Settings, admin_token: String, origin: Origin) -> Self {
        let (parent, services, ports, guest) = Default::default();
        Self { version: VERSION, origin, settings, parent, admin_token, services, ports, guest }
    }

    /// Reads the state of a stack; `None` if it has none, because it is down.
    ///
    /// # Errors
    /// When the file is corrupt, or written by a newer version of this program.
    pub(crate) fn load(folder: &StackFolder) -> anyhow::Result<Option<Self>> {
        let path = folder.state();
        let advice =
            format!("`cargo xtask services down --stack {}` clears it away", folder.name());
        let unreadable = |what: &str, advice: String| Unreadable {
            what: format!("{} {what}", path.display()),
            advice,
        };
        let corrupt = || unreadable("is corrupt", format!("; {advice}"));
        let text = match fs_err::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                return Err(error).with_context(corrupt);
            }
            text => text?,
        };
        let Versioned { version } = serde_json::from_slice(&text).with_context(corrupt)?;
        if version > VERSION {
            let what = format!("has version {version}, and this program knows {VERSION}");
            let newer = format!(": use the newer one that started the stack, or {advice}");
            anyhow::bail!(unreadable(&what, newer));
        }
        Ok(Some(serde_json::from_slice(&text).with_context(corrupt)?))
    }

    /// Writes the state so that a reader sees the old or the new one, and nobody else sees any.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save(&self, folder: &StackFolder) -> anyhow::Result<()> {
        let path = folder.state();
        let cannot = || format!("cannot write {}", path.display());
        let mut file = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o600))
            .tempfile_in(folder.path())
            .with_context(cannot)?;
        file.write_all(&serde_json::to_vec_pretty(self)?).with_context(cannot)?;
        file.persist(&path).with_context(cannot)?;
        Ok(())
    }

    /// Forgets the state: the stack is down.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(crate) fn remove(folder: &StackFolder) -> anyhow::Result<()> {
        match fs_err::remove_file(folder.state()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The service of that name.
    pub(crate) fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }
}

impl Guest {
    /// By what all its processes are found.
    pub(crate) fn signs(&self, folder: &StackFolder) -> Signs {
        Signs {
            leader: self.process,
            daemon: None,
            known: Vec::new(),
            marker: Some(self.marker.clone()),
            lock: Some(folder.service_lock(GUEST)),
        }
    }

    /// What is to be ended when the stack is taken down.
    pub(crate) fn target(&self, folder: &StackFolder) -> Target {
        Target { service: GUEST.to_owned(), signs: self.signs(folder), stop: Stop::default() }
    }
}

impl Service {
    /// One that is about to be started.
    ///
    /// # Errors
    /// When the kernel has no random numbers.
    pub(crate) fn planned(planned: &Planned, folder: &StackFolder) -> anyhow::Result<Self> {
        Ok(Self {
            name: planned.name.clone(),
            kind: planned.definition.name().to_owned(),
            provider: planned.provider.clone(),
            marker: Marker::random(folder, &planned.name)?.to_string(),
            process: None,
            daemon: None,
            stop: Stop::default(),
        })
    }

    /// The process that is the service: the one that we started, or the daemon that it became.
    pub(crate) fn main_process(&self) -> Option<Identity> {
        let alive = [self.process, self.daemon].into_iter().flatten().find(Identity::is_alive);
        alive.or(self.process)
    }

    /// Whether it still runs, in this boot of the machine.
    pub(crate) fn is_alive(&self) -> bool {
        self.main_process().is_some_and(|process| process.is_alive())
    }

    /// By what all its processes are found.
    pub(crate) fn signs(&self, folder: &StackFolder) -> Signs {
        Signs {
            leader: self.process,
            daemon: self.daemon,
            known: Vec::new(),
            marker: Some(self.marker.clone()),
            lock: Some(folder.service_lock(&self.name)),
        }
    }

    /// What is to be ended when it is taken down.
    pub(crate) fn target(&self, folder: &StackFolder) -> Target {
        Target { service: self.name.clone(), signs: self.signs(folder), stop: self.stop.clone() }
    }
}
