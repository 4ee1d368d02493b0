//! Whether the clusters that suites ask for can be had: their profiles, and the services in those.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{DEFAULT_PROFILE, Suite};
use crate::cli::Overrides;
use crate::failure::Usage;
use crate::settings::Wanted;
use crate::{plan, yaml};

/// The settings of every profile that a suite names, so that a mistake is found before any runs.
///
/// # Errors
/// Wrong usage: an unknown profile or service, with its place in `suites_yml`; or whatever is wrong
/// with `services_yml`.
pub(crate) fn wanted(
    suites_yml: &Path,
    suites: &BTreeMap<String, Suite>,
    services_yml: &Path,
) -> Result<BTreeMap<String, Wanted>, Usage> {
    let mut all = BTreeMap::new();
    all.insert(DEFAULT_PROFILE.to_owned(), load(DEFAULT_PROFILE, services_yml)?);
    for (name, suite) in suites {
        let mistake = |error: Usage| {
            Usage(yaml::located(suites_yml, name, &format!("suite {name}: {error}")))
        };
        for profile in suite.profiles() {
            if !all.contains_key(profile) {
                let wanted = load(profile, services_yml).map_err(mistake)?;
                all.insert(profile.to_owned(), wanted);
            }
            let settings = all[profile].fresh();
            plan::plan(&settings, &suite.needs.services, &|_, _| Ok(PathBuf::new()))
                .map_err(mistake)?;
        }
    }
    Ok(all)
}

fn load(profile: &str, services_yml: &Path) -> Result<Wanted, Usage> {
    let profile = Some(profile.to_owned()).filter(|name| name != DEFAULT_PROFILE);
    Wanted::load(services_yml, &Overrides { profile, ..Overrides::default() })
}
