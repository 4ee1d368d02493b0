//! What coverage.yml says is what there is: of each era, and among the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::api_server::Server;
use super::discovered::Discovered;
use super::filters::OPERATORS;
use super::{NONE, error_text};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coverage {
    methods: Vec<Entry>,
    actions: BTreeMap<String, Vec<String>>,
    operators: Vec<Entry>,
    parameters: Vec<Entry>,
    lacks: Vec<Lacking>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    tests: Vec<String>,
}

#[derive(Deserialize)]
struct Lacking {
    path: String,
    era: Option<String>,
}

impl Coverage {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/coverage.yml");
        serde_yaml::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
    }
}

fn names(entries: &[Entry]) -> BTreeSet<&str> {
    entries.iter().map(|entry| entry.name.as_str()).collect()
}

#[test]
fn every_method_and_parameter_of_both_eras_has_an_entry() {
    let coverage = Coverage::read();
    let plain = names(&coverage.methods);
    let (mut actions, mut parameters) = (BTreeSet::new(), BTreeSet::new());
    for era in ["current", "2015"] {
        let discovered = Discovered::read(&Server::start(era));
        let classes = discovered.classes();
        for (plural, resource) in discovered.resources() {
            let methods = resource["methods"].as_object().unwrap();
            let special = methods.keys().filter(|name| {
                !classes.contains_key(plural.as_str()) || !plain.contains(name.as_str())
            });
            actions.extend(special.map(|name| format!("{plural}.{name}")));
            let of_list = methods.get("list").and_then(|list| list["parameters"].as_object());
            parameters.extend(of_list.into_iter().flat_map(|of| of.keys().cloned()));
        }
    }
    let known: BTreeSet<String> = coverage.actions.keys().cloned().collect();
    assert_eq!(known, actions);
    let known: BTreeSet<String> =
        names(&coverage.parameters).into_iter().map(str::to_owned).collect();
    assert_eq!(known, parameters);
}

#[test]
fn every_operator_has_an_entry_and_is_tried() {
    let coverage = Coverage::read();
    let nonsense = ["<>", "~", ""];
    let tried: BTreeSet<String> =
        OPERATORS.iter().map(|operator| operator.to_lowercase()).collect();
    let tried: BTreeSet<&str> =
        tried.iter().map(String::as_str).filter(|name| !nonsense.contains(name)).collect();
    assert_eq!(names(&coverage.operators), tried);
}

#[test]
fn every_test_that_is_named_exists() {
    let coverage = Coverage::read();
    let entries = coverage.methods.iter().chain(&coverage.operators).chain(&coverage.parameters);
    let tests = coverage.actions.values().chain(entries.map(|entry| &entry.tests)).flatten();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    for test in tests {
        let (file, name) = test.split_once(": ").unwrap();
        let source = fs_err::read_to_string(folder.join(file)).unwrap();
        assert!(source.contains(&format!("#[test]\nfn {name}() {{")), "{test}");
    }
}

#[test]
fn what_is_said_to_lack_is_not_found() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        for lacking in Coverage::read().lacks {
            if lacking.era.is_some_and(|only| only != era) {
                continue;
            }
            let (method, path) = lacking.path.split_once(' ').unwrap();
            let path = path.replace("UUID", super::FOO_FILE);
            let path = format!("/arvados/v1/{path}");
            let (status, answer): (u16, Value) = server.call("admin", method, &path, &NONE);
            assert_eq!(status, 404, "{era} {}: {answer}", lacking.path);
            assert!(error_text(&answer).starts_with("Path not found"), "{era}");
        }
    }
}
