//! What a stack will consist of: a pure function of the settings and of what is installed.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::failure::Usage;
use crate::nearest;
use crate::services::extra::Extra;
use crate::services::launch::Launch;
use crate::services::{Check, Context, Definition, Kind, any_version, definitions};
use crate::settings::{Provider, Settings};

/// A service that is to run, or that cannot.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) definition: Definition,
    /// Never `auto`.
    pub(crate) provider: Provider,
    /// Why it cannot run on this machine.
    pub(crate) unavailable: Option<String>,
}

/// Tells where a program is, if it is installed and passes the check.
///
/// # Errors
/// Says why it cannot be used.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str, Check) -> Result<PathBuf, String>;

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
    let all = definitions(settings);
    for definition in &all {
        let (provider, unavailable) = match definition {
            Definition::Kind(kind) => choose(kind, settings, lookup)?,
            Definition::Extra(_, extra) => of_programs(extra, lookup),
        };
        for name in definition.instances(settings) {
            let (provider, unavailable) = (provider.clone(), unavailable.clone());
            let definition = definition.clone();
            services.push(Planned { name, definition, provider, unavailable });
        }
    }
    let known: Vec<(String, &str)> =
        services.iter().map(|service| (service.name.clone(), service.definition.name())).collect();
    let wanted = select(&known, selection)?;
    let mut needed: Vec<String> = Vec::new();
    let named = services.iter().filter(|service| wanted.contains(&service.name));
    named.for_each(|service| add_needs(&all, &service.definition, &mut needed));
    let is_needed = |service: &Planned| needed.iter().any(|name| name == service.definition.name());
    services.retain(|service| wanted.contains(&service.name) || is_needed(service));
    services.iter().try_for_each(|service| has_program(service, lookup))?;
    Ok(services)
}

/// A program that was chosen by its path is there. What a declared service lacks is told elsewhere.
fn has_program(service: &Planned, lookup: Lookup<'_>) -> Result<(), Usage> {
    let (Definition::Kind(kind), Provider::Path(path)) = (&service.definition, &service.provider)
    else {
        return Ok(());
    };
    let path = path.display();
    let missing = |_| Usage(format!("{}: {path} is no program that can be run", kind.name));
    lookup(&path.to_string(), any_version).map(drop).map_err(missing)
}

/// The services among `known` (name and kind) that `selection` names, or all if it is empty.
///
/// # Errors
/// An unknown name, with the nearest known one.
pub(crate) fn select<K: AsRef<str>>(
    known: &[(String, K)],
    selection: &[String],
) -> Result<Vec<String>, Usage> {
    for wanted in selection {
        if !known.iter().any(|(name, kind)| name == wanted || kind.as_ref() == wanted) {
            let names = known.iter().map(|(name, _)| name.as_str());
            let hint = nearest::hint(wanted, names);
            return Err(Usage(format!("unknown service {wanted}{hint}")));
        }
    }
    let is_selected = |name: &String, kind: &str| {
        selection.is_empty() || selection.iter().any(|wanted| wanted == name || wanted == kind)
    };
    let selected = known.iter().filter(|(name, kind)| is_selected(name, kind.as_ref()));
    Ok(selected.map(|(name, _)| name.clone()).collect())
}

fn add_needs(all: &[Definition], definition: &Definition, needed: &mut Vec<String>) {
    for name in definition.needs() {
        if needed.contains(&name) {
            continue;
        }
        let found = all.iter().find(|definition| definition.name() == name);
        needed.push(name);
        if let Some(found) = found {
            add_needs(all, found, needed);
        }
    }
}

/// A declared service is played by its program, or not at all.
fn of_programs(extra: &Extra, lookup: Lookup<'_>) -> (Provider, Option<String>) {
    let found = extra.look_up(extra.program(), lookup);
    let lacks = extra.programs().find_map(|program| extra.look_up(program, lookup).err());
    (Provider::Path(found.unwrap_or_else(|_| extra.program().into())), lacks)
}

/// Who plays a kind, and what it lacks for that.
fn choose(
    kind: &Kind,
    settings: &Settings,
    lookup: Lookup<'_>,
) -> Result<(Provider, Option<String>), Usage> {
    let (provider, has_checkout) = (&settings.provider(kind.name), settings.arvados_src.is_some());
    let lacks = kind.requires.and_then(|program| lookup(program, any_version).err());
    let is_real = !matches!(provider, Provider::Embedded | Provider::Auto);
    if kind.name == "api" && is_real && !has_checkout {
        return Err(Usage(
            "api: the real API server is in a checkout of Arvados: name that with --arvados-src DIR"
                .into(),
        ));
    }
    let only_embedded = || {
        let name = kind.name;
        Usage(format!("{name} has no other provider than embedded yet, not even {provider}"))
    };
    match (provider, &kind.real) {
        (Provider::Embedded, _) | (Provider::Auto, None) => Ok((Provider::Embedded, lacks)),
        (Provider::Path(path), Some(_)) => Ok((Provider::Path(path.clone()), lacks)),
        (Provider::Auto, Some(real)) => Ok(match lookup(real.program, real.check) {
            Ok(path) => (Provider::Path(path), lacks),
            Err(_) => (Provider::Embedded, lacks),
        }),
        (Provider::System, Some(real)) => Ok(match lookup(real.program, real.check) {
            Ok(path) => (Provider::Path(path), lacks),
            Err(why) => (Provider::System, Some(why)),
        }),
        (Provider::System | Provider::Path(_), None) => Err(only_embedded()),
    }
}

/// The plan as `--dry-run` prints it.
///
/// # Errors
/// A mistake in services.yml.
pub(crate) fn describe(services: &[Planned], context: &Context<'_>) -> anyhow::Result<String> {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for service in services {
        let _ = writeln!(text, "{} ({})", service.name, service.provider);
        if let Some(reason) = &service.unavailable {
            let _ = writeln!(text, "  unavailable: {reason}");
            continue;
        }
        let needs = service.definition.needs();
        if !needs.is_empty() {
            let _ = writeln!(text, "  needs  {}", needs.join(", "));
        }
        let ports = service.definition.ports(&service.name);
        if !ports.is_empty() {
            let _ = writeln!(text, "  ports  {}", ports.join(", "));
        }
        let launch = service.definition.launch(context, &service.name, &service.provider)?;
        describe_launch(&mut text, service, &launch);
    }
    Ok(text)
}

fn describe_launch(text: &mut String, service: &Planned, launch: &Launch) {
    let _ = writeln!(text, "  probe  {}", launch.probe);
    if let Some(task) = &launch.stop.command {
        let _ = writeln!(text, "  stop   {}", task.command.join(" "));
    }
    let program = match &service.provider {
        Provider::Path(path) => path.display().to_string(),
        _ => "services".into(),
    };
    let _ = writeln!(text, "  runs   {program}");
    for argument in &launch.arguments {
        let _ = writeln!(text, "         {argument}");
    }
    for (path, _) in &launch.files {
        let _ = writeln!(text, "  file   {}", path.display());
    }
    for (name, _) in &launch.environment {
        let _ = writeln!(text, "  env    {name}");
    }
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

    fn everything(name: &str, _: Check) -> Result<PathBuf, String> {
        Ok(name.into())
    }

    fn nothing(name: &str, _: Check) -> Result<PathBuf, String> {
        Err(format!("{name} is not installed"))
    }

    fn names(selection: &[&str]) -> Vec<String> {
        let selection: Vec<String> = selection.iter().map(ToString::to_string).collect();
        let services = plan(&settings(), &selection, &everything).unwrap();
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
        let error = plan(&settings(), &["keepprox".into()], &nothing).unwrap_err();
        assert_eq!(error.0, "unknown service keepprox; did you mean keepproxy?");
    }

    #[test]
    fn what_a_service_requires_and_is_not_installed_makes_it_unavailable() {
        let services = plan(&settings(), &[], &nothing).unwrap();
        let lacking: Vec<_> =
            services.iter().filter_map(|service| service.unavailable.as_deref()).collect();
        assert_eq!(lacking, ["git is not installed"]);
    }

    #[test]
    fn a_program_that_is_chosen_by_its_path_has_to_be_there_if_it_is_needed() {
        let mut settings = settings();
        settings.providers.insert("keepstore".into(), Provider::Path("/no/such".into()));
        let error = plan(&settings, &["keepproxy".into()], &nothing).unwrap_err();
        assert_eq!(error.0, "keepstore: /no/such is no program that can be run");
        assert!(plan(&settings, &["api".into()], &nothing).is_ok());
    }

    #[test]
    fn auto_is_the_real_program_only_where_it_is_installed() {
        let mut settings = settings();
        settings.providers.insert("keepproxy".into(), Provider::Auto);
        let provider = |lookup: Lookup<'_>| {
            let services = plan(&settings, &["keepproxy".into()], lookup).unwrap();
            services.last().unwrap().provider.clone()
        };
        assert_eq!(provider(&nothing), Provider::Embedded);
        assert_eq!(provider(&everything), Provider::Path("keepproxy".into()));
    }
}
