//! Where a collection comes from, and what was made of it: a walk over what has run and over links
//! of class `provenance`.
//!
//! Jobs and containers know collections by their content, container requests by uuid. The answer is
//! an object with what was found on the way, by uuid, or by portable data hash for collections.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::condition::Condition;
use super::context::Context;
use super::crunch1::JOBS;
use super::crunch2::{CONTAINER_REQUESTS, CONTAINERS};
use super::error::Result;
use super::object::{self, Object, text};
use super::present;
use super::readable;
use super::resource::{Kind, Resource};
use super::resources::{self, COLLECTIONS, LINKS};
use super::uuid;
use super::versions;
use crate::era::api::PROVENANCE_HAS_UUIDS;
use crate::locator::{EMPTY_HASH, Locator};

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// To what it was made from.
    Up,
    /// To what was made of it.
    Down,
}

/// A class of what runs: from everything that a record of it names, it makes `products`.
struct Run {
    resource: &'static Resource,
    /// The attributes with its output and its log.
    products: [&'static str; 2],
}

/// All of them; those that the era lacks have no table.
const RUNS: &[Run] = &[
    Run { resource: &JOBS, products: ["output", "log"] },
    Run { resource: &CONTAINERS, products: ["output", "log"] },
    Run { resource: &CONTAINER_REQUESTS, products: ["output_uuid", "log_uuid"] },
];

/// Answers with what the collection `id`, a uuid or portable data hash, was made from.
///
/// # Errors
/// When the caller cannot see it.
pub(crate) fn provenance(context: &Context<'_>, id: &str) -> Result<Value> {
    walk(context, id, Direction::Up)
}

/// Answers with what was made of the collection `id`, a uuid or portable data hash.
///
/// # Errors
/// When the caller cannot see it.
pub(crate) fn used_by(context: &Context<'_>, id: &str) -> Result<Value> {
    walk(context, id, Direction::Down)
}

fn walk(context: &Context<'_>, id: &str, direction: Direction) -> Result<Value> {
    let found = super::collection::find(context, id)?;
    let start = [text(&found, "portable_data_hash"), id].map(str::to_owned);
    let mut walk = Walk { context, direction, met: HashSet::new(), shown: Map::new() };
    let mut left = Vec::from(start);
    while let Some(id) = left.pop() {
        let id = content(&id).unwrap_or(id);
        if !id.is_empty() && walk.met.insert(id.clone()) {
            left.extend(walk.visit(&id)?);
        }
    }
    Ok(Value::Object(walk.shown))
}

/// The portable data hash in `text`, without hints.
fn content(text: &str) -> Option<String> {
    let locator = Locator::parse(text)?;
    Some(format!("{}+{}", locator.hash, locator.size?))
}

struct Walk<'a> {
    context: &'a Context<'a>,
    direction: Direction,
    met: HashSet<String>,
    shown: Map<String, Value>,
}

impl Walk<'_> {
    /// Shows what `id` stands for, and says where to go on from there.
    fn visit(&mut self, id: &str) -> Result<Vec<String>> {
        let mut next = self.linked(id)?;
        if content(id).is_some() {
            self.show_content(id)?;
            let everywhere = self.direction == Direction::Down && id.starts_with(EMPTY_HASH);
            if !everywhere {
                next.extend(self.runs_with(id)?);
            }
            return Ok(next);
        }
        let resource = uuid::infix(id).and_then(|infix| resources::by_infix(self.era(), infix));
        let Some(resource) = resource else {
            return Ok(next);
        };
        let Some(object) = self.readable(resource, &Condition::equals("uuid", id))?.pop() else {
            return Ok(next);
        };
        if resource.plural == COLLECTIONS.plural {
            if PROVENANCE_HAS_UUIDS.of(self.era()) {
                self.show(resource, &object)?;
            }
            next.push(text(&object, "portable_data_hash").to_owned());
            next.extend(self.runs_with(id)?);
            return Ok(next);
        }
        self.show(resource, &object)?;
        if let Some(run) = RUNS.iter().find(|run| run.resource.plural == resource.plural) {
            next.extend(match self.direction {
                Direction::Up => named_in(&object, &run.products),
                Direction::Down => vec![text(&object, run.products[0]).to_owned()],
            });
        }
        Ok(next)
    }

    /// The other ends of the links at `id`.
    fn linked(&mut self, id: &str) -> Result<Vec<String>> {
        let (here, there) = match self.direction {
            Direction::Up => ("head_uuid", "tail_uuid"),
            Direction::Down => ("tail_uuid", "head_uuid"),
        };
        let at = Condition::all([
            Condition::plain("link_class = 'provenance'"),
            Condition::equals(here, id),
        ]);
        let links = self.readable(&LINKS, &at)?;
        for link in &links {
            self.show(&LINKS, link)?;
        }
        Ok(links.iter().map(|link| text(link, there).to_owned()).collect())
    }

    /// What has made the collection `id`, or was given it.
    fn runs_with(&self, id: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for run in RUNS.iter().filter(|run| run.resource.eras.has(self.era())) {
            let made = run.products.map(|product| Condition::equals(product, id));
            let made = Condition::any(made);
            let wanted = match self.direction {
                Direction::Up => made,
                Direction::Down => Condition::all([made.negated(), self.names(run, id)]),
            };
            let runs = self.readable(run.resource, &wanted)?;
            found.extend(runs.iter().map(|run| text(run, "uuid").to_owned()));
        }
        Ok(found)
    }

    /// The condition that a record of `run` names the collection `id` anywhere.
    fn names(&self, run: &Run, id: &str) -> Condition {
        let texts = run.resource.columns(self.era()).filter(|column| {
            let text = [Kind::String, Kind::Text, Kind::Object, Kind::Array].contains(&column.kind);
            text && !column.is_hidden()
        });
        let names = texts.map(|column| {
            Condition::new(format!("instr({}, ?) > 0", column.name), [id.to_owned().into()])
        });
        Condition::any(names)
    }

    /// Shows the collection with this content; of several, how many there are.
    fn show_content(&mut self, hash: &str) -> Result<()> {
        let same = Condition::equals("portable_data_hash", hash);
        let same = self.readable(&COLLECTIONS, &same)?;
        let shown = match same.as_slice() {
            [] => return Ok(()),
            [one] => present::one(self.context, &COLLECTIONS, one, None)?,
            several => {
                let mut names = several.iter().map(|one| text(one, "name"));
                let name = match names.find(|name| !name.is_empty()) {
                    Some(name) => format!("{name} + {} more", several.len() - 1),
                    None => hash.to_owned(),
                };
                json!({"portable_data_hash": hash, "name": name})
            }
        };
        self.shown.insert(hash.to_owned(), shown);
        Ok(())
    }

    fn show(&mut self, resource: &Resource, object: &Object) -> Result<()> {
        let shown = present::one(self.context, resource, object, None)?;
        self.shown.insert(text(object, "uuid").to_owned(), shown);
        Ok(())
    }

    fn readable(&self, resource: &Resource, those: &Condition) -> Result<Vec<Object>> {
        let readable = readable::condition(self.context, resource, false);
        let current = versions::current(self.era(), resource);
        let those = Condition::all([those.clone(), readable, current]);
        Ok(object::all(self.context.db, resource, self.era(), &those)?)
    }

    fn era(&self) -> crate::era::Era {
        self.context.era()
    }
}

/// All collections that a record names, but for its `products`.
fn named_in(object: &Object, products: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    for (_, value) in object.iter().filter(|(name, _)| !products.contains(&name.as_str())) {
        collect_names(value, &mut names);
    }
    names
}

fn collect_names(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => names.extend(collections_in(text)),
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Object(entries) => entries.values().for_each(|item| collect_names(item, names)),
        _ => {}
    }
}

/// The collections that `text` names, as whole words between anything that no name contains.
fn collections_in(text: &str) -> impl Iterator<Item = String> {
    let apart = |c: char| !(c.is_ascii_alphanumeric() || ['+', '-', '@'].contains(&c));
    text.split(apart).filter_map(|word| {
        let is_uuid = uuid::infix(word) == Some(COLLECTIONS.infix);
        content(word).or_else(|| is_uuid.then(|| word.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_found_wherever_a_record_names_them() {
        let hash = "1f4b0bc7583c2a7f9102c395f4ffc5e3+45";
        let uuid = "zzzzz-4zz18-znfnqtbbv4spc3w";
        let record = json!({
            "output": hash,
            "script_parameters": {"input": format!("{hash}+Aabc@123/foo"), "n": 3},
            "command": ["cat", format!("keep:{uuid}/bar")],
            "uuid": "zzzzz-8i9sb-000000000000000",
        });
        let record = record.as_object().unwrap();
        let mut found = named_in(record, &["output", "log"]);
        found.sort();
        assert_eq!(found, [hash, uuid]);
        assert!(named_in(record, &["script_parameters", "output", "command"]).is_empty());
    }
}
