//! Starting services of a stack: what is prepared before, and what is taken back if one fails.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::program::{self};
use super::start_all::{StartAll, Starting};
use super::{Cluster, disk_space, take_down};
use crate::certificate;
use crate::output::say;
use crate::plan::Planned;
use crate::ports::Held;
use crate::process::reserve::Reserve;
use crate::services::definitions;
use crate::signals::Interrupt;
use crate::stack::State;
use crate::stack::state::Service;

/// What is needed to start services.
pub(crate) struct Start<'a, 'b> {
    pub(crate) cluster: &'b mut Cluster<'a>,
    pub(crate) services_binary: PathBuf,
    /// All services that will be up then, whether they are started now or ran already.
    pub(crate) running: &'b [String],
    /// Whether they start with the data that they have, and not with that of the fixtures.
    pub(crate) keep_data: bool,
    pub(crate) interrupt: &'b Interrupt,
}

impl Start<'_, '_> {
    /// Starts `services`, waits until each answers, and registers the keep services.
    ///
    /// # Errors
    /// When one does not come up: then all that this call has started is gone again, and nothing
    /// else is touched.
    pub(crate) fn start(&mut self, services: &[Planned]) -> anyhow::Result<Vec<Starting>> {
        // Taking everything back must be possible when no descriptor is left for anything else.
        let reserve = Reserve::of_descriptors()?;
        let before = self.cluster.state.clone();
        let result = self.try_to_start(services);
        let result = result.map_err(|error| disk_space::explain(self.cluster.folder, error));
        drop(reserve);
        if result.is_err()
            && let Err(error) = self.roll_back(before, services)
        {
            // The first failure is what a person has to know of.
            say(&format!("while taking back what was started: {error:#}"));
        }
        result
    }

    fn try_to_start(&mut self, services: &[Planned]) -> anyhow::Result<Vec<Starting>> {
        let held = self.hold_ports(services)?;
        let folder = self.cluster.folder;
        let settings = &self.cluster.state.settings;
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        if needs_certificate(self.cluster, &names)? {
            let parent = self.cluster.state.parent.api.as_ref();
            let also = parent.and_then(|api| api.authority.as_deref());
            certificate::create(folder, settings.host, also)?;
        }
        fs_err::write(folder.blob_signing_key(), &settings.blob_signing_key)?;
        self.record_intent(services)?;
        let start_all = StartAll {
            cluster: self.cluster,
            services_binary: &self.services_binary,
            running: self.running,
            keep_data: self.keep_data,
            interrupt: self.interrupt,
            services,
            held: &held,
        };
        let (state, outcome) = start_all.run()?;
        self.cluster.state = state;
        outcome
    }

    /// A port keeps its number as long as the stack exists.
    fn hold_ports(&mut self, services: &[Planned]) -> anyhow::Result<BTreeMap<String, Held>> {
        let state = &mut self.cluster.state;
        let mut all = BTreeMap::new();
        for service in services {
            let held = program::hold_ports(service, state.settings.host, &state.ports)?;
            all.extend(held);
        }
        state.ports.extend(all.iter().map(|(port, held)| (port.clone(), held.number())));
        Ok(all)
    }

    /// Written before anything is spawned: whatever ends us, the next command knows what to look
    /// for.
    fn record_intent(&mut self, services: &[Planned]) -> anyhow::Result<()> {
        let state = &mut self.cluster.state;
        for planned in services {
            let service = Service::planned(planned, self.cluster.folder)?;
            match state.services.iter_mut().find(|known| known.name == service.name) {
                Some(known) => *known = service,
                None => state.services.push(service),
            }
        }
        let settings = &state.settings;
        let instances = definitions(settings).into_iter().map(|it| it.instances(settings));
        let order: Vec<String> = instances.flatten().collect();
        state.services.sort_by_key(|service| order.iter().position(|name| *name == service.name));
        state.save(self.cluster.folder)
    }

    /// Ends what this call has started, and leaves the state as it was before.
    fn roll_back(&mut self, before: State, services: &[Planned]) -> anyhow::Result<()> {
        let folder = self.cluster.folder;
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        take_down::stop_services(folder, &self.cluster.state, &names)?;
        for service in services {
            take_down::remove_number_files(folder, &service.definition, &service.name)?;
        }
        self.cluster.state = before;
        if self.cluster.state.services.is_empty() {
            folder.clear()?;
            return State::remove(folder);
        }
        self.cluster.state.save(folder)
    }
}

/// Whether starting these services takes a new certificate.
///
/// # Errors
/// When others run with one that is gone, and would not be trusted beside a new one.
pub(super) fn needs_certificate(cluster: &Cluster<'_>, names: &[&str]) -> anyhow::Result<bool> {
    let folder = cluster.folder;
    let files = [folder.authority(), folder.certificate(), folder.private_key()];
    let Some(missing) = files.iter().find(|file| !file.exists()) else { return Ok(false) };
    let others = cluster.state.services.iter();
    let others = others.filter(|service| !names.contains(&service.name.as_str()));
    let running: Vec<&str> =
        others.filter(|other| other.is_alive()).map(|other| other.name.as_str()).collect();
    anyhow::ensure!(
        running.is_empty(),
        "{} is gone, and {} still trust it: take the stack down and up for a new one",
        missing.display(),
        running.join(", ")
    );
    Ok(true)
}
