//! Some of the settings, to be laid over others: a profile, or what flags say.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Era, Provider, Settings, check, checkout};
use crate::cli::Overrides;
use crate::failure::Usage;
use crate::services::extra::Extra;
use crate::services::passenger::Engine;
use crate::yaml;

/// Some of the settings: one layer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layer {
    pub(super) era: Option<Era>,
    pub(super) host: Option<IpAddr>,
    pub(super) keepstores: Option<u16>,
    pub(super) blob_signing_key: Option<String>,
    pub(super) blob_signature_ttl: Option<u64>,
    pub(super) sign_locators: Option<bool>,
    pub(super) enforce_permissions: Option<bool>,
    pub(super) start_timeout: Option<u64>,
    pub(super) stop_timeout: Option<u64>,
    #[serde(default)]
    pub(super) providers: BTreeMap<String, Provider>,
    pub(super) fixtures: Option<PathBuf>,
    pub(super) repositories: Option<PathBuf>,
    pub(super) arvados_src: Option<PathBuf>,
    pub(super) passenger_engine: Option<Engine>,
    #[serde(default)]
    pub(super) services: BTreeMap<String, Extra>,
}

impl Settings {
    /// `self` with the layer's settings in place of its own.
    pub(super) fn with(&self, layer: &Layer) -> Self {
        // Taken apart, so that a new setting cannot be forgotten here.
        let Layer {
            era,
            host,
            keepstores,
            blob_signing_key,
            blob_signature_ttl,
            sign_locators,
            enforce_permissions,
            start_timeout,
            stop_timeout,
            providers,
            fixtures,
            repositories,
            arvados_src,
            passenger_engine,
            services,
        } = layer.clone();
        let mut all_providers = self.providers.clone();
        all_providers.extend(providers);
        let mut all_services = self.services.clone();
        all_services.extend(services);
        Self {
            era: era.unwrap_or(self.era),
            host: host.unwrap_or(self.host),
            keepstores: keepstores.unwrap_or(self.keepstores),
            blob_signing_key: blob_signing_key.unwrap_or_else(|| self.blob_signing_key.clone()),
            blob_signature_ttl: blob_signature_ttl.unwrap_or(self.blob_signature_ttl),
            sign_locators: sign_locators.unwrap_or(self.sign_locators),
            enforce_permissions: enforce_permissions.unwrap_or(self.enforce_permissions),
            start_timeout: start_timeout.unwrap_or(self.start_timeout),
            stop_timeout: stop_timeout.unwrap_or(self.stop_timeout),
            providers: all_providers,
            fixtures: fixtures.or_else(|| self.fixtures.clone()),
            repositories: repositories.or_else(|| self.repositories.clone()),
            arvados_src: arvados_src.or_else(|| self.arvados_src.clone()),
            passenger_engine: passenger_engine.unwrap_or(self.passenger_engine),
            services: all_services,
        }
    }
}

impl Layer {
    /// `self` with what `top` has in place of its own.
    fn with(self, top: Self) -> Self {
        let (mut providers, mut services) = (self.providers, self.services);
        providers.extend(top.providers);
        services.extend(top.services);
        Self {
            era: top.era.or(self.era),
            host: top.host.or(self.host),
            keepstores: top.keepstores.or(self.keepstores),
            blob_signing_key: top.blob_signing_key.or(self.blob_signing_key),
            blob_signature_ttl: top.blob_signature_ttl.or(self.blob_signature_ttl),
            sign_locators: top.sign_locators.or(self.sign_locators),
            enforce_permissions: top.enforce_permissions.or(self.enforce_permissions),
            start_timeout: top.start_timeout.or(self.start_timeout),
            stop_timeout: top.stop_timeout.or(self.stop_timeout),
            providers,
            fixtures: top.fixtures.or(self.fixtures),
            repositories: top.repositories.or(self.repositories),
            arvados_src: top.arvados_src.or(self.arvados_src),
            passenger_engine: top.passenger_engine.or(self.passenger_engine),
            services,
        }
    }
}

/// The flags over the profile, with what the checkout of Arvados says between them: the one that a
/// flag names, or else the one that services.yml names, relative to `root`.
///
/// # Errors
/// Wrong usage: a flag that cannot be read, or names something unknown.
pub(super) fn over(
    profile: Layer,
    flags: &Overrides,
    checkout: Option<PathBuf>,
    root: &Path,
) -> Result<Layer, Usage> {
    let mut layer = profile;
    let named = checkout.map(|folder| root.join(folder));
    if let Some(checkout) = flags.arvados_src.clone().or(named) {
        layer = layer.with(checkout::settings(&checkout)?);
    }
    for setting in &flags.settings {
        let wrong = |what: &str| Usage(format!("--set {setting}: {what}"));
        let parts = setting.split_once('=').filter(|(_, value)| !value.is_empty());
        let (key, value) = parts.ok_or_else(|| wrong("write SETTING=VALUE"))?;
        let set: Layer = yaml::setting(key, value).map_err(|Usage(what)| wrong(&what))?;
        if let Some(checkout) = &set.arvados_src {
            layer = layer.with(checkout::settings(&root.join(checkout))?);
            continue;
        }
        layer = layer.with(set);
    }
    for choice in &flags.providers {
        let (kind, provider) = choice
            .split_once('=')
            .ok_or_else(|| Usage(format!("--provider {choice}: write SERVICE=PROVIDER")))?;
        check::kinds([&kind.to_owned()], Path::new("--provider"))?;
        let provider: Provider =
            provider.parse().map_err(|error| Usage(format!("--provider: {error}")))?;
        let here = std::env::current_dir().unwrap_or_default();
        let provider = provider.relative_to(&here);
        layer.providers.insert(kind.to_owned(), provider);
    }
    let fixtures = match &flags.fixtures {
        None => None,
        Some(folder) => Some(
            folder
                .canonicalize()
                .map_err(|error| Usage(format!("--fixtures {}: {error}", folder.display())))?,
        ),
    };
    layer.era = flags.era.or(layer.era);
    layer.host = flags.host.or(layer.host);
    layer.fixtures = fixtures.or(layer.fixtures);
    Ok(layer)
}
