//! What the settings leave open: it is decided by the programs that are installed, once for a stack.

use super::{Era, Provider, Settings, Wanted};
use crate::plan::Lookup;
use crate::services::{any_version, passenger};

/// The Go programs of Arvados, which take the flags of 2015: those of today take others.
const GO_PROGRAMS: [&str; 3] = ["keepstore", "keepproxy", "arv-git-httpd"];

/// In the configuration of an API server of that time, and not of today's.
const CONFIGURATION_OF_2015: &str = "config/application.default.yml";

impl Wanted {
    /// The settings of a stack that does not run yet, with nothing left open.
    pub(crate) fn settled(&self, lookup: Lookup<'_>) -> Settings {
        let mut settings = self.fresh();
        settle_api(&mut settings, lookup);
        let of_2015 = !programs_of_2015(&settings, lookup).is_empty();
        if self.explicit.era.is_none() && of_2015 {
            settings.era = Era::Y2015;
        }
        settings
    }
}

/// With a checkout, `auto` is the real API server where that can be started; and its engine is known.
fn settle_api(settings: &mut Settings, lookup: Lookup<'_>) {
    let program = |provider: &Provider| match provider {
        Provider::Path(path) => Some(path.clone()),
        _ => lookup(passenger::PROGRAM, any_version).ok(),
    };
    if settings.provider("api") == Provider::Auto {
        let usable = settings.arvados_src.is_some() && program(&Provider::System).is_some();
        let provider = if usable { Provider::System } else { Provider::Embedded };
        settings.providers.insert("api".into(), provider);
    }
    let is_open = settings.passenger_engine == passenger::Engine::Auto;
    if !is_open || !settings.api_is_real() || settings.arvados_src.is_none() {
        return;
    }
    if let Some(bundle) = program(&settings.provider("api")) {
        settings.passenger_engine =
            passenger::detect_engine(&bundle, &passenger::application(settings));
    }
}

/// The kinds of service that programs of 2015 play.
fn programs_of_2015(settings: &Settings, lookup: Lookup<'_>) -> Vec<&'static str> {
    let is_go = |kind: &&str| match settings.provider(kind) {
        Provider::Embedded => false,
        Provider::System | Provider::Path(_) => true,
        Provider::Auto => lookup(kind, any_version).is_ok(),
    };
    let rails = settings.api_is_real()
        && passenger::application(settings).join(CONFIGURATION_OF_2015).exists();
    GO_PROGRAMS.into_iter().filter(is_go).chain(rails.then_some("api")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::cli::Overrides;
    use crate::services::Check;

    fn settled(providers: &[&str], more: Overrides, lookup: Lookup<'_>) -> Settings {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("services.yml");
        let providers = providers.iter().map(ToString::to_string).collect();
        Wanted::load(&file, &Overrides { providers, ..more }).unwrap().settled(lookup)
    }

    fn nothing(name: &str, _: Check) -> Result<PathBuf, String> {
        Err(format!("{name} is not installed"))
    }

    fn everything(name: &str, _: Check) -> Result<PathBuf, String> {
        Ok(Path::new("/no/such").join(name))
    }

    #[test]
    fn a_stack_with_a_go_program_is_of_its_time_unless_another_is_asked_for() {
        let era = |provider: &str, lookup: Lookup<'_>| {
            settled(&[provider], Overrides::default(), lookup).era
        };
        for kind in GO_PROGRAMS {
            assert_eq!(era(&format!("{kind}=system"), &nothing), Era::Y2015);
            assert_eq!(era(&format!("{kind}=/a/path"), &nothing), Era::Y2015);
            assert_eq!(era(&format!("{kind}=embedded"), &everything), Era::Current);
            assert_eq!(era(&format!("{kind}=auto"), &everything), Era::Y2015);
            assert_eq!(era(&format!("{kind}=auto"), &nothing), Era::Current);
        }
        assert_eq!(era("nginx=system", &everything), Era::Current);
        let more = Overrides { era: Some(Era::Current), ..Overrides::default() };
        assert_eq!(settled(&["keepstore=system"], more, &everything).era, Era::Current);
    }

    #[test]
    fn the_configuration_tells_of_what_time_an_api_server_is() {
        let checkout = tempfile::tempdir().unwrap();
        let config = checkout.path().join("services/api/config");
        fs_err::create_dir_all(&config).unwrap();
        let settled = |provider: &str| {
            let arvados_src = Some(checkout.path().to_owned());
            settled(&[provider], Overrides { arvados_src, ..Overrides::default() }, &everything)
        };
        assert_eq!(settled("api=system").era, Era::Current);
        fs_err::write(config.join("application.default.yml"), "test: {}\n").unwrap();
        assert_eq!(settled("api=system").era, Era::Y2015);
        assert_eq!(settled("api=auto").provider("api"), Provider::System);
        assert_eq!(settled("api=embedded").era, Era::Current);
    }

    #[test]
    fn without_a_checkout_the_api_server_is_ours() {
        let settings = settled(&["api=auto"], Overrides::default(), &everything);
        assert_eq!(settings.provider("api"), Provider::Embedded);
    }
}
