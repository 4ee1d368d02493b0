//! The life of a stack: how it is brought up, put back to its fixtures, looked at and taken down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::thread::ScopedJoinHandle;

use crate::process::orphans;
use crate::programs;
use crate::services::{Context, Definition, Tokens};
use crate::settings::Era;
use crate::stack::state::Service;
use crate::stack::{StackFolder, State};
use crate::workspace::Workspace;

pub(crate) mod bring_up;
pub(crate) mod disk_space;
pub(crate) mod health;
pub(crate) mod log_tail;
pub(crate) mod program;
pub(crate) mod reconcile;
pub(crate) mod reset;
pub(crate) mod restart;
pub(crate) mod start;
mod start_all;
pub(crate) mod take_down;
mod wait;

/// A stack together with where it is.
pub(crate) struct Cluster<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) folder: &'a StackFolder,
    pub(crate) state: State,
    git: Option<PathBuf>,
    tokens: Tokens,
    agent: OnceLock<ureq::Agent>,
}

impl<'a> Cluster<'a> {
    pub(crate) fn new(workspace: &'a Workspace, folder: &'a StackFolder, state: State) -> Self {
        let git = programs::find("git");
        let (tokens, agent) = (Tokens::of(state.settings.fixtures()), OnceLock::new());
        Self { workspace, folder, state, git, tokens, agent }
    }

    /// The stack of that folder.
    ///
    /// # Errors
    /// When it is not up, or its state cannot be read.
    pub(crate) fn open(workspace: &'a Workspace, folder: &'a StackFolder) -> anyhow::Result<Self> {
        match State::load(folder)? {
            Some(state) => Ok(Self::new(workspace, folder, state)),
            None => Err(anyhow::Error::msg(not_up(folder))),
        }
    }

    /// What the kinds of service are told of it.
    pub(crate) fn context(&self) -> Context<'_> {
        let (ports, services) = (self.state.ports.iter(), self.state.services.iter());
        Context {
            workspace: self.workspace,
            folder: self.folder,
            settings: &self.state.settings,
            parent: &self.state.parent,
            ports: ports.map(|(name, number)| (name.clone(), number.to_string())).collect(),
            held: BTreeMap::new(),
            markers: services.map(|known| (known.name.clone(), known.marker.clone())).collect(),
            admin_token: &self.state.admin_token,
            git: self.git.clone(),
            tokens: &self.tokens,
            agent: &self.agent,
        }
    }

    /// `HOST:PORT` of the API server that it uses, if it has any.
    pub(crate) fn api_address(&self) -> Option<String> {
        let has_own =
            self.state.service(reset::API).is_some() && self.state.ports.contains_key(reset::API);
        let has_any = has_own || self.state.parent.api.is_some();
        has_any.then(|| self.context().address(reset::API))
    }

    /// What a user has to know of it: whose services it uses, and which clients it is for.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = self.state.parent.notes();
        if self.state.settings.era != Era::Current {
            notes.push(format!("the era is {}", self.state.settings.era));
        }
        notes
    }

    /// What defines one of its services.
    ///
    /// # Errors
    /// When the state names a kind that this program does not have.
    pub(crate) fn definition(&self, service: &Service) -> anyhow::Result<Definition> {
        Definition::of(&self.state.settings, &service.kind)
    }

    /// The names of a service's ports; none if the state names a kind that this program does not
    /// have.
    pub(crate) fn port_names(&self, service: &Service) -> Vec<String> {
        let definition = self.definition(service);
        definition.map_or_else(|_| Vec::new(), |definition| definition.ports(&service.name))
    }

    /// The names of its services.
    pub(crate) fn service_names(&self) -> Vec<String> {
        self.state.services.iter().map(|service| service.name.clone()).collect()
    }
}

/// What came of the thread that has worked for one service.
///
/// # Errors
/// Its own, and that it panicked.
fn joined<T>(thread: ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))
}

/// That a stack is not up, and what to do about it.
pub(crate) fn not_up(folder: &StackFolder) -> String {
    let name = folder.name();
    let orphans = orphans::of_stack(folder.path());
    if orphans.is_empty() {
        return format!(
            "stack {name} is not up: `cargo xtask services up --stack {name}` starts it"
        );
    }
    let services: Vec<&str> = orphans.iter().map(|orphan| orphan.service.as_str()).collect();
    format!(
        "stack {name} is lost: its files in {} are gone, but these still run: {}. `cargo xtask \
         services down --stack {name}` ends them, and so does `up`",
        folder.path().display(),
        services.join(", "),
    )
}
