//! What a set of settings must be like to make a cluster of.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use super::Settings;
use crate::failure::Usage;
use crate::nearest;
use crate::services::{Definition, KINDS, definitions};
use crate::stack::state;

/// Names that a service cannot have: files of the stack's folder are called so.
const RESERVED: [&str; 6] =
    ["api-front", "command", "guardian", "nginx_access", "stack", state::GUEST];

/// Every name in `names` is that of a kind of service.
///
/// # Errors
/// Names the first that is not, with the nearest known one.
pub(super) fn kinds<'a>(
    names: impl IntoIterator<Item = &'a String>,
    place: &Path,
) -> Result<(), Usage> {
    let known = || KINDS.iter().map(|kind| kind.name);
    match names.into_iter().find(|name| !known().any(|known| known == name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let hint = nearest::hint(name, known());
            Err(Usage(format!("{}: unknown service {name}{hint}", place.display())))
        }
    }
}

/// What makes no sense.
pub(super) struct Mistake {
    /// The setting, or the name of the service, that is wrong.
    pub(super) key: String,
    /// Why, in words.
    pub(super) what: String,
}

impl Mistake {
    fn of_service(name: &str, what: impl Display) -> Self {
        Self { key: name.to_owned(), what: format!("service {name}: {what}") }
    }
}

/// The settings make sense as a whole.
///
/// # Errors
/// The first thing that does not.
pub(super) fn settings(settings: &Settings) -> Result<(), Mistake> {
    if settings.keepstores == 0 {
        let what = "keepstores: a cluster needs at least one".into();
        return Err(Mistake { key: "keepstores".into(), what });
    }
    if settings.enforce_permissions && !settings.sign_locators {
        let what = "sign_locators: without signatures none can be enforced".into();
        return Err(Mistake { key: "sign_locators".into(), what });
    }
    let all = definitions(settings);
    for (name, extra) in &settings.services {
        let of = |what: String| Mistake::of_service(name, what);
        name_is_free(settings, name).map_err(of)?;
        extra.check().map_err(of)?;
        needs_can_be_met(&all, &mut vec![name]).map_err(of)?;
    }
    ports_differ(settings, &all)
}

fn name_is_free(settings: &Settings, name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        return Err("a name is of small letters, digits, '-' and '_', with a letter first".into());
    }
    let ours = KINDS.iter().any(|kind| {
        kind.name == name || (kind.instances)(settings).iter().any(|instance| instance == name)
    });
    if ours || RESERVED.contains(&name) {
        return Err("that name is taken".into());
    }
    Ok(())
}

fn ports_differ(settings: &Settings, all: &[Definition]) -> Result<(), Mistake> {
    let mut ports = BTreeSet::new();
    for definition in all {
        for service in definition.instances(settings) {
            for port in definition.ports(&service) {
                if !ports.insert(port.clone()) {
                    let what = format!("another one has a port {port} too");
                    return Err(Mistake::of_service(&service, what));
                }
            }
        }
    }
    Ok(())
}

/// `path` leads from a service to the one that is looked at.
fn needs_can_be_met<'a>(all: &'a [Definition], path: &mut Vec<&'a str>) -> Result<(), String> {
    let &[.., name] = path.as_slice() else { return Ok(()) };
    let known = || all.iter().map(Definition::name);
    let Some(definition) = all.iter().find(|definition| definition.name() == name) else {
        let hint = nearest::hint(name, known());
        return Err(format!("unknown need {name}{hint}"));
    };
    let Definition::Extra(_, extra) = definition else { return Ok(()) };
    for need in &extra.needs {
        if path.contains(&need.as_str()) {
            return Err(format!("it needs itself: {} -> {need}", path.join(" -> ")));
        }
        path.push(need);
        needs_can_be_met(all, path)?;
        path.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, Wanted};

    fn mistake(services: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("services.yml");
        let ours = include_str!("../../services.yml");
        let text = ours.replace("services: {}", &format!("services: {services}"));
        fs_err::write(&path, text).unwrap();
        let error = Wanted::load(&path, &Overrides::default()).unwrap_err().0;
        // The declaration is in one line with others, so its own place is not told.
        error.replace(&format!("{}: ", path.display()), "")
    }

    #[test]
    fn a_service_that_cannot_be_is_refused_with_the_reason() {
        for (services, wanted) in [
            ("{keep0: {command: [x]}}", "service keep0: that name is taken"),
            ("{stack: {command: [x]}}", "service stack: that name is taken"),
            ("{guardian: {command: [x]}}", "service guardian: that name is taken"),
            ("{nginx_access: {command: [x]}}", "service nginx_access: that name is taken"),
            ("{../x: {command: [x]}}", "service ../x: a name is of small letters"),
            ("{x: {command: []}}", "service x: a command of it is empty"),
            ("{x: {command: [x], ports: [api]}}", "service x: another one has a port api too"),
            ("{x: {command: [x], needs: [ap]}}", "service x: unknown need ap; did you mean api?"),
            (
                "{x: {command: [x], needs: [y]}, y: {command: [y], needs: [x]}}",
                "service x: it needs itself: x -> y -> x",
            ),
        ] {
            let mistake = mistake(services);
            assert!(mistake.starts_with(wanted), "{mistake}");
        }
    }
}
