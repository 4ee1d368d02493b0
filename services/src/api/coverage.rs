//! Which tests hold this server to what, as the page about the resources tells it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context;
use serde::Deserialize;

/// The data, which lie where the tests are.
const DATA: &str = include_str!("../../tests/api/coverage.yml");

/// What is tested, and what is not there.
#[derive(Deserialize)]
pub(super) struct Coverage {
    methods: Vec<Entry>,
    /// By `RESOURCE.METHOD`.
    actions: BTreeMap<String, Vec<String>>,
    operators: Vec<Entry>,
    parameters: Vec<Entry>,
    lacks: Vec<Lacking>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    era: Option<String>,
    #[serde(default)]
    does: String,
    /// `FILE: TEST`.
    #[serde(default)]
    tests: Vec<String>,
}

#[derive(Deserialize)]
struct Lacking {
    path: String,
    era: Option<String>,
}

impl Coverage {
    /// Reads the data.
    ///
    /// # Errors
    /// When they have another form.
    pub(super) fn read() -> anyhow::Result<Self> {
        serde_yaml::from_str(DATA).context("services/tests/api/coverage.yml")
    }

    /// The tests of the action `name` of a resource; nothing if there are none.
    pub(super) fn of_action(&self, plural: &str, name: &str) -> String {
        let tests = self.actions.get(&format!("{plural}.{name}"));
        tests.map(|tests| links(tests)).unwrap_or_default()
    }

    /// The sections about what is not of one class: plain methods, lists, and the rest.
    ///
    /// `is_described` tells which `RESOURCE.METHOD` have a place elsewhere on the page.
    pub(super) fn sections(&self, is_described: impl Fn(&str) -> bool) -> String {
        let mut page = "## Methods of every resource\n\n| method | tests |\n|---|---|\n".to_owned();
        for Entry { name, tests, .. } in &self.methods {
            // Writing to a String cannot fail.
            let _ = writeln!(page, "| `{name}` | {} |", links(tests));
        }
        page.push_str("\n## Filters\n\n");
        let _ = writeln!(page, "All are tried on every attribute: {}.\n", links(self.of_lists()));
        page.push_str("| operator | holds if the attribute | |\n|---|---|---|\n");
        for Entry { name, era, does, tests } in &self.operators {
            let notes = [era_note(era.as_deref()), links(tests)].join(" ");
            let _ = writeln!(page, "| `{name}` | {does} | {} |", notes.trim());
        }
        page.push_str(FORMS);
        page.push_str("\n## Parameters of lists\n\n| parameter | tests |\n|---|---|\n");
        for Entry { name, tests, .. } in &self.parameters {
            let _ = writeln!(page, "| `{name}` | {} |", links(tests));
        }
        page.push_str("\n## Besides the resources\n\n| method | tests |\n|---|---|\n");
        for (name, tests) in self.actions.iter().filter(|(name, _)| !is_described(name)) {
            let _ = writeln!(page, "| `{name}` | {} |", links(tests));
        }
        page.push_str(
            "\n## What is lacking\n\nThe real server has these, and this one answers 404:\n\n",
        );
        for Lacking { path, era } in &self.lacks {
            let line = format!("- `{path}` {}", era_note(era.as_deref()));
            let _ = writeln!(page, "{}", line.trim_end());
        }
        page
    }

    /// The tests of `list`.
    fn of_lists(&self) -> &[String] {
        let list = self.methods.iter().find(|method| method.name == "list");
        list.map_or(&[], |list| &list.tests)
    }
}

/// What a filter may be on.
const FORMS: &str = "
A filter is on an attribute, on one of several (an array of them), or on `any` text. Of the era
current are also `properties.key` and `properties.<key>`, and `[\"(attribute < attribute)\", \"=\",
true]` for two numbers. The filters of one request have at most 2,000 operands; an array is one.
";

fn era_note(era: Option<&str>) -> String {
    era.map(|era| format!("*({era})*")).unwrap_or_default()
}

/// Links to tests, by their names.
fn links(tests: &[String]) -> String {
    let link = |test: &String| match test.split_once(": ") {
        Some((file, name)) => format!("[{name}](../services/tests/api/{file})"),
        None => test.clone(),
    };
    tests.iter().map(link).collect::<Vec<_>>().join(", ")
}
