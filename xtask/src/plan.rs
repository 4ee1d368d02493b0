//! What a stack will consist of: a pure function of the settings and of what is installed.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::failure::Usage;
use crate::nearest;
use crate::services::{Context, KINDS, Kind};
use crate::settings::{Provider, Settings};

/// A service that is to run, or that cannot.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) kind: &'static Kind,
    /// Never `auto`.
    pub(crate) provider: Provider,
    /// Why it cannot run on this machine.
    pub(crate) unavailable: Option<String>,
}

/// Tells where a program is, if it is installed.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

/// The services of a stack with `settings`: those in `selection` (services or kinds) with all
/// that they need, or all if it is empty.
///
/// # Errors
/// An unknown name, or a provider that a service cannot have.
pub(crate) fn plan(
    settings: &Settings,
    selection: &[String],
    lookup: Lookup<'_>,
) -> Result<Vec<Planned>, Usage> {
    let mut services = Vec::new();
    for &kind in KINDS {
        let (provider, unavailable) = choose(kind, &settings.provider(kind.name), lookup)?;
        for name in (kind.instances)(settings) {
            let (provider, unavailable) = (provider.clone(), unavailable.clone());
            services.push(Planned { name, kind, provider, unavailable });
        }
    }
    let known: Vec<(String, &str)> =
        services.iter().map(|service| (service.name.clone(), service.kind.name)).collect();
    let wanted = select(&known, selection)?;
    let mut kinds: Vec<&str> = Vec::new();
    let named = services.iter().filter(|service| wanted.contains(&service.name));
    named.for_each(|service| add_needs(service.kind, &mut kinds));
    services.retain(|service| wanted.contains(&service.name) || kinds.contains(&service.kind.name));
    Ok(services)
}

/// The services among `known` (name and kind) that `selection` names, or all if it is empty.
///
/// # Errors
/// An unknown name, with the nearest known one.
pub(crate) fn select(known: &[(String, &str)], selection: &[String]) -> Result<Vec<String>, Usage> {
    for wanted in selection {
        if !known.iter().any(|(name, kind)| name == wanted || kind == wanted) {
            let names = known.iter().map(|(name, _)| name.as_str());
            let hint = nearest::hint(wanted, names);
            return Err(Usage(format!("unknown service {wanted}{hint}")));
        }
    }
    let is_selected = |name: &String, kind: &str| {
        selection.is_empty() || selection.iter().any(|wanted| wanted == name || wanted == kind)
    };
    let selected = known.iter().filter(|(name, kind)| is_selected(name, kind));
    Ok(selected.map(|(name, _)| name.clone()).collect())
}

fn add_needs(kind: &'static Kind, kinds: &mut Vec<&str>) {
    for &name in kind.needs {
        if kinds.contains(&name) {
            continue;
        }
        kinds.push(name);
        if let Some(needed) = KINDS.iter().find(|kind| kind.name == name) {
            add_needs(needed, kinds);
        }
    }
}

/// Who plays a kind, and what it lacks for that.
fn choose(
    kind: &Kind,
    provider: &Provider,
    lookup: Lookup<'_>,
) -> Result<(Provider, Option<String>), Usage> {
    let missing = |program: &str| format!("{program} is not installed");
    let lacks = kind.requires.filter(|program| lookup(program).is_none()).map(missing);
    let only_embedded = || {
        let name = kind.name;
        Usage(format!("{name} has no other provider than embedded yet, not even {provider}"))
    };
    match (provider, kind.real_program) {
        (Provider::Embedded, _) | (Provider::Auto, None) => Ok((Provider::Embedded, lacks)),
        (Provider::Path(path), Some(_)) => Ok((Provider::Path(path.clone()), lacks)),
        (Provider::Auto, Some(program)) => Ok(match lookup(program) {
            Some(path) => (Provider::Path(path), lacks),
            None => (Provider::Embedded, lacks),
        }),
        (Provider::System, Some(program)) => Ok(match lookup(program) {
            Some(path) => (Provider::Path(path), lacks),
            None => (Provider::System, Some(missing(program))),
        }),
        (Provider::System | Provider::Path(_), None) => Err(only_embedded()),
    }
}

/// The plan as `--dry-run` prints it.
pub(crate) fn describe(services: &[Planned], context: &Context<'_>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for service in services {
        let launch = (service.kind.launch)(context, &service.name);
        let _ = writeln!(text, "{} ({})", service.name, service.provider);
        if let Some(reason) = &service.unavailable {
            let _ = writeln!(text, "  unavailable: {reason}");
            continue;
        }
        if !service.kind.needs.is_empty() {
            let _ = writeln!(text, "  needs  {}", service.kind.needs.join(", "));
        }
        let ports = (service.kind.ports)(&service.name);
        let _ = writeln!(text, "  ports  {}", ports.join(", "));
        let _ = writeln!(text, "  probe  {:?} on {}", launch.probe.question, launch.probe.port);
        let (program, extra) = match &service.provider {
            Provider::Path(path) => (path.display().to_string(), &[][..]),
            _ => (format!("services {}", launch.subcommand), launch.embedded_flags.as_slice()),
        };
        let _ = writeln!(text, "  runs   {program}");
        for argument in launch.flags.iter().chain(extra) {
            let _ = writeln!(text, "         {argument}");
        }
        for (name, _) in &launch.environment {
            let _ = writeln!(text, "  env    {name}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Overrides;
    use crate::settings::Wanted;

    fn settings() -> Settings {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("services.yml");
        Wanted::load(&file, &Overrides::default()).unwrap().fresh()
    }

    fn names(selection: &[&str]) -> Vec<String> {
        let selection: Vec<String> = selection.iter().map(ToString::to_string).collect();
        let services = plan(&settings(), &selection, &|name| Some(name.into())).unwrap();
        services.into_iter().map(|service| service.name).collect()
    }

    #[test]
    fn all_services_are_planned_unless_some_are_named() {
        let all = ["api", "keep0", "keep1", "keepproxy", "arv-git-httpd", "nginx"];
        assert_eq!(names(&[]), all);
    }

    #[test]
    fn a_named_service_brings_what_it_needs_and_no_more() {
        assert_eq!(names(&["api"]), ["api"]);
        assert_eq!(names(&["keep1"]), ["api", "keep1"]);
        assert_eq!(names(&["keepproxy"]), ["api", "keep0", "keep1", "keepproxy"]);
    }

    #[test]
    fn an_unknown_service_is_refused_with_the_nearest_name() {
        let error = plan(&settings(), &["keepprox".into()], &|_| None).unwrap_err();
        assert_eq!(error.0, "unknown service keepprox; did you mean keepproxy?");
    }

    #[test]
    fn what_a_service_requires_and_is_not_installed_makes_it_unavailable() {
        let services = plan(&settings(), &[], &|_| None).unwrap();
        let lacking: Vec<_> =
            services.iter().filter_map(|service| service.unavailable.as_deref()).collect();
        assert_eq!(lacking, ["git is not installed"]);
    }

    #[test]
    fn auto_is_the_real_program_only_where_it_is_installed() {
        let mut settings = settings();
        settings.providers.insert("keepproxy".into(), Provider::Auto);
        let provider = |lookup: Lookup<'_>| {
            let services = plan(&settings, &["keepproxy".into()], lookup).unwrap();
            services.last().unwrap().provider.clone()
        };
        assert_eq!(provider(&|_| None), Provider::Embedded);
        assert_eq!(provider(&|name| Some(name.into())), Provider::Path("keepproxy".into()));
    }
}
