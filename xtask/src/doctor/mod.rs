//! What this machine has of all that a cluster, its suites and its checks are made with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::failure::Usage;
use crate::plan::{self, Lookup};
use crate::settings::{Era, Settings};
use crate::suites::Suite;

mod programs;
mod report;

use programs::Purpose;

/// All that was found.
#[derive(Debug)]
pub(crate) struct Findings {
    era: Era,
    programs: Vec<Program>,
    services: Vec<Service>,
    /// Suites that would be skipped, and why.
    skipped_suites: Vec<(String, String)>,
}

/// A program that something is made with.
#[derive(Debug)]
struct Program {
    name: String,
    /// For what, in words.
    purposes: Vec<String>,
    path: Option<PathBuf>,
    /// As it says itself, if it does.
    version: Option<String>,
    /// Whether nothing at all runs without it.
    is_essential: bool,
}

/// A service of the cluster that is asked for.
#[derive(Debug)]
struct Service {
    name: String,
    provider: String,
    /// Why it cannot run here.
    lacks: Option<String>,
}

impl Findings {
    /// Looks for everything, and starts nothing but programs that say their version.
    ///
    /// # Errors
    /// Wrong usage: a provider that a service cannot have.
    pub(crate) fn make(
        settings: &Settings,
        suites: &BTreeMap<String, Suite>,
        lookup: Lookup<'_>,
    ) -> Result<Self, Usage> {
        let services = plan::plan(settings, &[], lookup)?.into_iter().map(|planned| Service {
            name: planned.name,
            provider: planned.provider.to_string(),
            lacks: planned.unavailable,
        });
        let missing = suites.iter().map(|(name, suite)| (name, suite.needs.missing()));
        let skipped = missing.filter(|(_, missing)| !missing.is_empty());
        let skipped = skipped.map(|(name, missing)| (name.clone(), missing.join(" and ")));
        Ok(Self {
            era: settings.era,
            programs: programs::find(suites, lookup),
            services: services.collect(),
            skipped_suites: skipped.collect(),
        })
    }

    /// Why the cluster that is asked for could not come up as a whole; empty if it could.
    pub(crate) fn missing(&self) -> Vec<String> {
        let programs = self.programs.iter().filter(|it| it.is_essential && it.path.is_none());
        let programs = programs.map(|program| format!("{} is not installed", program.name));
        let lacks = |service: &Service| {
            let lacks = service.lacks.as_ref()?;
            Some(format!("{} cannot run here: {lacks}", service.name))
        };
        programs.chain(self.services.iter().filter_map(lacks)).collect()
    }
}

impl Program {
    fn is_for(&mut self, purpose: &Purpose) {
        let words = purpose.to_string();
        if !self.purposes.contains(&words) {
            self.purposes.push(words);
        }
        self.is_essential |= *purpose == Purpose::Everything;
    }
}
