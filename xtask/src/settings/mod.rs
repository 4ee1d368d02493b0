//! What a stack is made of: services.yml, a profile in it, and flags, each laid over the one
//! before.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::Overrides;
use crate::failure::Usage;
use crate::services::extra::Extra;
use crate::services::passenger::Engine;
use crate::{nearest, yaml};

mod check;
mod checkout;
mod era;
mod layer;
mod provider;
mod settle;

pub(crate) use checkout::API_SERVER;
pub(crate) use era::Era;
use layer::Layer;
pub(crate) use provider::Provider;

/// All settings of a stack. They are part of its state, so that later commands know them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) era: Era,
    /// Address that services listen on.
    pub(crate) host: IpAddr,
    /// How many keepstores.
    pub(crate) keepstores: u16,
    /// Key that the API server and the keepstores share. It is public, as every fixture token is.
    pub(crate) blob_signing_key: String,
    /// How long a signed locator is valid, in seconds.
    pub(crate) blob_signature_ttl: u64,
    /// Whether keepstores sign the locators that they give out.
    #[serde(default = "yes")]
    pub(crate) sign_locators: bool,
    /// Whether keepstores refuse to read without a valid signature.
    pub(crate) enforce_permissions: bool,
    /// How long a service may take until it answers, in seconds.
    pub(crate) start_timeout: u64,
    /// How long a service may take to end when asked politely, in seconds.
    pub(crate) stop_timeout: u64,
    /// By kind of service; a kind that is not named is embedded.
    pub(crate) providers: BTreeMap<String, Provider>,
    /// Folder of fixture files; ours if none is given.
    pub(crate) fixtures: Option<PathBuf>,
    /// Folder of git repositories to serve as they are, in place of those of the fixtures.
    #[serde(default)]
    pub(crate) repositories: Option<PathBuf>,
    /// Checkout of Arvados, whose API server is the real one.
    #[serde(default)]
    pub(crate) arvados_src: Option<PathBuf>,
    /// With which a real API server is served.
    #[serde(default)]
    pub(crate) passenger_engine: Engine,
    /// Services beside the cluster's own, by name.
    #[serde(default)]
    pub(crate) services: BTreeMap<String, Extra>,
}

/// The default of a setting that is newer than some files.
fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServicesYml {
    defaults: Settings,
    #[serde(default)]
    profiles: BTreeMap<String, Layer>,
}

impl Settings {
    /// The provider chosen for a kind of service.
    pub(crate) fn provider(&self, kind: &str) -> Provider {
        self.providers.get(kind).cloned().unwrap_or(Provider::Embedded)
    }

    /// Whether the real program plays the API server.
    pub(crate) fn api_is_real(&self) -> bool {
        matches!(self.provider("api"), Provider::System | Provider::Path(_))
    }

    /// Whether that speaks no TLS.
    pub(crate) fn api_is_behind_a_front(&self) -> bool {
        self.api_is_real() && self.passenger_engine == Engine::Builtin
    }

    /// How many copies of a block are made: two, as Arvados does, where there are two keepstores.
    pub(crate) fn default_replication(&self) -> u16 {
        self.keepstores.min(2)
    }

    /// The fixtures that the cluster starts from.
    pub(crate) fn fixtures(&self) -> sdk_fixtures::Fixtures {
        self.fixtures
            .as_ref()
            .map_or_else(sdk_fixtures::Fixtures::builtin, sdk_fixtures::Fixtures::open)
    }
}

/// What a call of `up` asks for.
#[derive(Debug)]
pub(crate) struct Wanted {
    defaults: Settings,
    explicit: Layer,
}

impl Wanted {
    /// Reads services.yml and lays the profile and the flags over it.
    ///
    /// # Errors
    /// Wrong usage: an unknown key, profile, service or provider, with the nearest known name.
    pub(crate) fn load(services_yml: &Path, overrides: &Overrides) -> Result<Self, Usage> {
        let file: ServicesYml = yaml::load(services_yml)?;
        for layer in file.profiles.values() {
            check::kinds(layer.providers.keys(), services_yml)?;
        }
        check::kinds(file.defaults.providers.keys(), services_yml)?;
        let profile = match &overrides.profile {
            None => Layer::default(),
            Some(name) => file.profiles.get(name).cloned().ok_or_else(|| {
                let known = file.profiles.keys().map(String::as_str);
                Usage(format!("unknown profile {name}{}", nearest::hint(name, known)))
            })?,
        };
        // In the file, paths are relative to the workspace.
        let root = services_yml.ancestors().nth(2).unwrap_or(services_yml);
        let mut defaults = file.defaults;
        let checkout = profile.arvados_src.clone().or_else(|| defaults.arvados_src.clone());
        let mut explicit = layer::over(profile, overrides, checkout, root)?;
        check::kinds(explicit.providers.keys(), Path::new("--set"))?;
        for provider in defaults.providers.values_mut().chain(explicit.providers.values_mut()) {
            *provider = provider.clone().relative_to(root);
        }
        let folders = [
            &mut defaults.fixtures,
            &mut explicit.fixtures,
            &mut defaults.repositories,
            &mut explicit.repositories,
        ];
        for folder in folders.into_iter().flatten() {
            *folder = root.join(&*folder);
        }
        let wanted = Self { defaults, explicit };
        check::settings(&wanted.fresh()).map_err(|mistake| {
            let key = format!("{}=", mistake.key);
            let set = overrides.settings.iter().rfind(|setting| setting.starts_with(&key));
            Usage(match set {
                Some(setting) => format!("--set {setting}: {}", mistake.what),
                None => yaml::located(services_yml, &mistake.key, &mistake.what),
            })
        })?;
        Ok(wanted)
    }

    /// The settings of a stack that does not run yet.
    pub(crate) fn fresh(&self) -> Settings {
        self.defaults.with(&self.explicit)
    }

    /// The settings of a stack that runs with `running`: its own, unless something was asked for
    /// explicitly that it has not.
    ///
    /// # Errors
    /// Names each setting that contradicts.
    pub(crate) fn for_running(&self, running: &Settings) -> Result<Settings, Usage> {
        let mut explicit = self.explicit.clone();
        // What was left open is decided.
        explicit.providers.retain(|kind, provider| kind != "api" || *provider != Provider::Auto);
        explicit.passenger_engine = explicit.passenger_engine.filter(|it| *it != Engine::Auto);
        let wanted = running.with(&explicit);
        if wanted == *running {
            return Ok(wanted);
        }
        let as_map = |settings: &Settings| serde_json::to_value(settings).unwrap_or_default();
        let (wanted, running) = (as_map(&wanted), as_map(running));
        let differences: Vec<String> = running
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, value)| wanted.get(key) != Some(value))
            .map(|(key, value)| format!("{key} is {value}, not {}", wanted[key]))
            .collect();
        Err(Usage(format!(
            "the stack is up with other settings: {}. Take it down first, or name another one \
             with --stack",
            differences.join("; ")
        )))
    }
}

/// Every service that services.yml declares, in whatever profile.
///
/// # Errors
/// When the file has a mistake.
pub(crate) fn declared(services_yml: &Path) -> Result<Vec<Extra>, Usage> {
    let file: ServicesYml = yaml::load(services_yml)?;
    let layers = file.profiles.into_values().map(|layer| layer.services);
    Ok(layers.chain([file.defaults.services]).flat_map(BTreeMap::into_values).collect())
}

/// Every mistake that `up` could meet in the file: in the defaults, and in each profile over them.
pub(crate) fn mistakes(services_yml: &Path) -> Vec<Usage> {
    let file: ServicesYml = match yaml::load(services_yml) {
        Ok(file) => file,
        Err(mistake) => return vec![mistake],
    };
    // What is wrong without a profile is so with each.
    if let Err(mistake) = Wanted::load(services_yml, &Overrides::default()) {
        return vec![mistake];
    }
    let of_profile = |name: String| {
        let overrides = Overrides { profile: Some(name.clone()), ..Overrides::default() };
        let mistake = Wanted::load(services_yml, &overrides).err()?;
        Some(Usage(format!("{mistake}, in profile {name}")))
    };
    file.profiles.into_keys().filter_map(of_profile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("services.yml");
        fs_err::write(&path, text).unwrap();
        (folder, path)
    }

    const OURS: &str = include_str!("../../services.yml");

    #[test]
    fn flags_take_precedence_over_the_profile_and_the_profile_over_the_file() {
        let (_folder, path) = file(&format!("{OURS}\n  odd: {{keepstores: 7, era: current}}\n"));
        let overrides = Overrides {
            profile: Some("odd".into()),
            era: Some(Era::Y2015),
            providers: vec!["keepstore=/bin/true".into()],
            ..Overrides::default()
        };
        let settings = Wanted::load(&path, &overrides).unwrap().fresh();
        assert_eq!((settings.keepstores, settings.era), (7, Era::Y2015));
        assert_eq!(settings.provider("keepstore"), Provider::Path("/bin/true".into()));
        assert_eq!(settings.provider("api"), Provider::Embedded);
    }

    #[test]
    fn a_running_stack_keeps_its_settings_unless_others_are_asked_for() {
        let (_folder, path) = file(OURS);
        let plain = Wanted::load(&path, &Overrides::default()).unwrap();
        let running = Settings { keepstores: 5, ..plain.fresh() };
        assert_eq!(plain.for_running(&running).unwrap(), running);
        let overrides = Overrides { era: Some(Era::Y2015), ..Overrides::default() };
        let other = Wanted::load(&path, &overrides).unwrap().for_running(&running).unwrap_err();
        assert!(other.0.contains("era is \"current\", not \"2015\""), "{other}");
    }

    #[test]
    fn unknown_names_are_reported_with_the_nearest_one() {
        let (_folder, path) = file(OURS);
        let wrong = |overrides: &Overrides| Wanted::load(&path, overrides).unwrap_err().0;
        let profile = Overrides { profile: Some("enforced".into()), ..Overrides::default() };
        assert_eq!(wrong(&profile), "unknown profile enforced; did you mean enforce?");
        let kind = Overrides { providers: vec!["kepstore=system".into()], ..Overrides::default() };
        assert_eq!(wrong(&kind), "--provider: unknown service kepstore; did you mean keepstore?");
        let provider = Overrides { providers: vec!["nginx=maybe".into()], ..Overrides::default() };
        assert!(wrong(&provider).contains("\"maybe\" is no provider"));
    }

    #[test]
    fn any_setting_can_be_set_as_in_the_file() {
        let (_folder, path) = file(OURS);
        let load = |settings: &[&str]| {
            let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
            let profile = Some("many".into());
            Wanted::load(&path, &Overrides { profile, settings, ..Overrides::default() })
        };
        let set = ["era=2015", "keepstores=3", "blob_signing_key=a=b", "fixtures=mine"];
        let set = [&set[..], &["providers={keepstore: system}"]].concat();
        let settings = load(&set).unwrap().fresh();
        assert_eq!((settings.era, settings.keepstores), (Era::Y2015, 3));
        assert_eq!(settings.blob_signing_key, "a=b");
        let root = path.ancestors().nth(2).unwrap();
        assert_eq!(settings.fixtures, Some(root.join("mine")));
        assert_eq!(settings.provider("keepstore"), Provider::System);
        assert_eq!(settings.provider("nginx"), Provider::Auto);
        for (settings, wanted) in [
            (
                &["kepstores=3"],
                "--set kepstores=3: unknown key `kepstores`; did you mean keepstores?",
            ),
            (&["keepstores="], "--set keepstores=: write SETTING=VALUE"),
            (&["keepstores"], "--set keepstores: write SETTING=VALUE"),
            (
                &["keepstores=x"],
                "--set keepstores=x: keepstores: invalid type: string \"x\", expected a whole number from 0 to 65535",
            ),
            (&["keepstores=0"], "--set keepstores=0: keepstores: a cluster needs at least one"),
            (
                &["providers={kepstore: auto}"],
                "--set: unknown service kepstore; did you mean keepstore?",
            ),
        ] {
            assert_eq!(load(settings).unwrap_err().0, wanted);
        }
        let both = load(&["sign_locators=false", "enforce_permissions=true"]).unwrap_err().0;
        assert!(both.ends_with("sign_locators: without signatures none can be enforced"), "{both}");
    }

    #[test]
    fn every_setting_and_every_key_of_a_service_is_in_the_reference() {
        let redis = "redis: {command: [x]}";
        let (_folder, path) =
            file(&OURS.replace("services: {}", &format!("services: {{{redis}}}")));
        let settings = Wanted::load(&path, &Overrides::default()).unwrap().fresh();
        let settings = serde_json::to_value(settings).unwrap();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        let reference = include_str!("../../README.md");
        for key in [keys(&settings), keys(&settings["services"]["redis"])].concat() {
            assert!(reference.contains(&format!("\n| `{key}` |")), "{key}");
        }
    }

    #[test]
    fn a_mistake_in_a_profile_that_nobody_asked_for_is_found() {
        let (_folder, path) = file(&OURS.replace("keepstores: 5", "keepstores: 0"));
        assert!(Wanted::load(&path, &Overrides::default()).is_ok());
        let mistakes = mistakes(&path);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].0.ends_with("needs at least one, in profile many"), "{mistakes:?}");
    }

    #[test]
    fn a_cluster_without_keepstores_is_refused() {
        let (_folder, path) = file(&OURS.replace("keepstores: 2", "keepstores: 0"));
        assert!(Wanted::load(&path, &Overrides::default()).is_err());
    }
}
