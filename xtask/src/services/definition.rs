//! One definition of a service, whether it is of a kind that we know or declared in services.yml.

use std::path::PathBuf;

use super::extra::Extra;
use super::launch::Launch;
use super::{Context, Kind, Real, kinds};
use crate::settings::{Provider, Settings};

/// What defines the services of a kind.
#[derive(Clone, Debug)]
pub(crate) enum Definition {
    /// One of ours.
    Kind(&'static Kind),
    /// Declared in services.yml, under this name.
    Extra(String, Box<Extra>),
}

/// All that a stack with these settings has, in the order in which they are shown.
pub(crate) fn definitions(settings: &Settings) -> Vec<Definition> {
    let kinds = kinds(settings).into_iter().map(Definition::Kind);
    let extras = settings.services.iter();
    kinds
        .chain(extras.map(|(name, extra)| Definition::Extra(name.clone(), Box::new(extra.clone()))))
        .collect()
}

impl Definition {
    /// The one of that name.
    ///
    /// # Errors
    /// When a state names a kind that this program does not have.
    pub(crate) fn of(settings: &Settings, name: &str) -> anyhow::Result<Self> {
        let found = definitions(settings).into_iter().find(|definition| definition.name() == name);
        found.ok_or_else(|| anyhow::anyhow!("unknown kind of service {name}"))
    }

    /// As users and services.yml call it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Kind(kind) => kind.name,
            Self::Extra(name, _) => name,
        }
    }

    /// The names of its services.
    pub(crate) fn instances(&self, settings: &Settings) -> Vec<String> {
        match self {
            Self::Kind(kind) => (kind.instances)(settings),
            Self::Extra(name, _) => vec![name.clone()],
        }
    }

    /// The names of the ports of such a service.
    pub(crate) fn ports(&self, service: &str) -> Vec<String> {
        match self {
            Self::Kind(kind) => (kind.ports)(service),
            Self::Extra(_, extra) => extra.ports.clone(),
        }
    }

    /// Without which it is of no use, or cannot start.
    pub(crate) fn needs(&self) -> Vec<String> {
        match self {
            Self::Kind(kind) => kind.needs.iter().map(ToString::to_string).collect(),
            Self::Extra(_, extra) => extra.needs.clone(),
        }
    }

    /// The real program, if that is what plays it.
    fn real(&self, provider: &Provider) -> Option<&Real> {
        match (self, provider) {
            (Self::Kind(kind), Provider::Path(_)) => kind.real.as_ref(),
            _ => None,
        }
    }

    /// Whether what it needs has to be ready before it is started. Ours find each other whenever
    /// they come; of declared programs nobody knows.
    pub(crate) fn waits_for_needs(&self, provider: &Provider) -> bool {
        match self {
            Self::Kind(_) => self.real(provider).is_some_and(|real| real.starts_last),
            Self::Extra(..) => true,
        }
    }

    /// Whether it has the data of the fixtures only after a reset, however it is started.
    pub(crate) fn keeps_its_data(&self, provider: &Provider) -> bool {
        self.real(provider).is_some_and(|real| real.keeps_its_data)
    }

    /// Whether `provider` takes its listening sockets from us.
    pub(crate) fn inherits_sockets(&self, provider: &Provider) -> bool {
        match self {
            Self::Kind(_) => self.real(provider).is_none_or(|real| real.inherits_sockets),
            Self::Extra(..) => false,
        }
    }

    /// Where it works, so that what it drops is found.
    pub(crate) fn working_folder(&self, context: &Context<'_>, provider: &Provider) -> PathBuf {
        let own = self.real(provider).and_then(|real| real.folder);
        match self {
            Self::Kind(_) => own.map_or_else(|| context.folder.path().to_owned(), |of| of(context)),
            Self::Extra(name, _) => context.folder.data(name),
        }
    }

    /// How a service is started when `provider` plays it.
    ///
    /// # Errors
    /// A mistake in services.yml.
    pub(crate) fn launch(
        &self,
        context: &Context<'_>,
        service: &str,
        provider: &Provider,
    ) -> anyhow::Result<Launch> {
        match self {
            Self::Extra(name, extra) => extra.launch(context, name),
            Self::Kind(kind) => Ok(match (provider, &kind.real) {
                (Provider::Path(program), Some(real)) => (real.launch)(context, service, program),
                _ => (kind.embedded)(context, service),
            }),
        }
    }

    /// Makes its data as in the fixtures, before it is started.
    ///
    /// # Errors
    /// When the disk does not let us.
    pub(crate) fn prepare(
        &self,
        context: &Context<'_>,
        service: &str,
        provider: &Provider,
    ) -> anyhow::Result<()> {
        let own = self.real(provider).and_then(|real| real.prepare);
        match self {
            Self::Kind(kind) => own.unwrap_or(kind.prepare)(context, service),
            Self::Extra(name, _) => Extra::prepare(context, name),
        }
    }

    /// Puts its data back to the fixtures while it runs.
    ///
    /// # Errors
    /// When it does not do it.
    pub(crate) fn reset(&self, context: &Context<'_>, service: &str) -> anyhow::Result<()> {
        match self {
            Self::Kind(kind) => (kind.reset)(context, service),
            Self::Extra(name, extra) => extra.reset(context, name),
        }
    }
}
