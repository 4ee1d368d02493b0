//! The description of all resources as a page for people: `services api-reference > docs/api.md`.

use std::fmt::Write as _;
use std::io::Write as _;

use super::coverage::Coverage;
use super::resource::{Attribute, COMMON, Eras, Initial, Kind, Resource, SetBy, Shown, UniqueName};
use super::resources;
use super::special;
use crate::era::Era;
use crate::era::api::NAME;

const START: &str = "\
# The resources of the embedded API server

This page is made from the description that the server itself works by, `services/src/api`:

    cargo run -q -p services -- api-reference > docs/api.md

A path begins with `/arvados/v1/`. Each resource has the methods `get`, `list`, `create`, `update`
and `delete`, unless it says otherwise, and those actions that its section names, with their tests.
What is in italics is not for every answer or not for every era.
";

/// Prints the page.
///
/// # Errors
/// When there are arguments, or nobody reads what is printed.
pub(crate) fn print(arguments: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(arguments.is_empty(), "api-reference takes no arguments");
    std::io::stdout().write_all(page(&Coverage::read()?).as_bytes())?;
    Ok(())
}

fn page(coverage: &Coverage) -> String {
    let is_described = |name: &str| {
        special::all()
            .any(|special| format!("{}.{}", special.resource.plural, special.name) == name)
    };
    let common = coverage.sections(is_described);
    let mut page = format!("{START}\n{common}\n## What every object has\n\n{}", table(COMMON));
    for resource in resources::RESOURCES {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n{}", section(resource, coverage));
    }
    page
}

fn section(resource: &Resource, coverage: &Coverage) -> String {
    let Resource { plural, class, infix, .. } = resource;
    let mut facts = vec![format!("`{class}`, with uuids like `zzzzz-{infix}-…`.")];
    facts.extend(only(resource.eras).map(|era| format!("Only in the era {era}.")));
    facts.extend(resource.public.then(|| "Everybody reads all of them.".to_owned()));
    match resource.admin_only {
        [] => {}
        [era] if only(resource.eras).is_none() => {
            facts.push(format!("In the era {} only admins write them.", name(*era)));
        }
        _ => facts.push("Only admins write them.".to_owned()),
    }
    facts.extend(match resource.unique_name {
        UniqueName::No => None,
        UniqueName::PerOwner => Some("Those of one owner differ in their names.".to_owned()),
        UniqueName::Everywhere => Some("All differ in their names.".to_owned()),
    });
    if !resource.has_table {
        facts.push(
            "They are collections in another light, and cannot be written by this name.".to_owned(),
        );
    }
    let mut section = format!("## {plural}\n\n{}\n", facts.join(" "));
    let actions = special::all().filter(|special| special.resource.plural == *plural);
    let actions: Vec<String> = actions
        .map(|action| {
            let on = if action.member { "/UUID" } else { "" };
            let era = match only(resource.eras) {
                None => only(action.eras).map(|era| format!(" *({era})*")).unwrap_or_default(),
                Some(_) => String::new(),
            };
            let tests = coverage.of_action(plural, action.name);
            format!("- `{} {plural}{on}/{}`{era}: {tests}\n", action.method, action.name)
        })
        .collect();
    if !actions.is_empty() {
        let _ = write!(section, "\n{}", actions.concat());
    }
    let _ = write!(section, "\n{}", table(resource.own));
    section
}

fn table(attributes: &[Attribute]) -> String {
    let mut table =
        "| attribute | type | at first | set by | |\n|---|---|---|---|---|\n".to_owned();
    for attribute in attributes.iter().filter(|attribute| attribute.shown != Shown::Never) {
        let set_by = match attribute.set_by {
            SetBy::Writers => "whoever writes it",
            SetBy::Admins => "admins",
            SetBy::Server => "the server",
        };
        let initial = match attribute.stored {
            true => initial(attribute.initial),
            false => "computed".to_owned(),
        };
        let shown = match attribute.shown {
            Shown::Always | Shown::Never => None,
            Shown::NotInLists => Some("in lists when selected"),
            Shown::WhenSelected => Some("when selected"),
            Shown::ToAdmins => Some("for admins"),
            Shown::Secret => Some("never shown"),
        };
        let notes: Vec<_> = only(attribute.eras).into_iter().chain(shown).collect();
        let notes =
            if notes.is_empty() { String::new() } else { format!("*{}*", notes.join(", ")) };
        let (name, kind) = (attribute.name, kind(attribute.kind));
        let _ = writeln!(table, "| `{name}` | {kind} | {initial} | {set_by} | {notes} |");
    }
    table
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Float => "float",
        Kind::Boolean => "boolean",
        Kind::Datetime => "datetime",
        Kind::Object => "object",
        Kind::Array => "array",
    }
}

fn initial(initial: Initial) -> String {
    match initial {
        Initial::Null => String::new(),
        Initial::Bool(value) => format!("`{value}`"),
        Initial::Integer(value) => format!("`{value}`"),
        Initial::Float(value) => format!("`{value:?}`"),
        Initial::Text(value) => format!("`{value:?}`"),
        Initial::EmptyObject => "`{}`".to_owned(),
        Initial::Array(values) => format!("`{values:?}`"),
    }
}

fn only(eras: Eras) -> Option<&'static str> {
    match eras {
        Eras::All => None,
        Eras::Only(era) => Some(name(era)),
    }
}

fn name(era: Era) -> &'static str {
    NAME.of(era)
}
