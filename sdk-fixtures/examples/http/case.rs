//! Case files: what is sent, and what is expected back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

/// A file of cases, which are run in its order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    /// Its name without `.yml`.
    #[serde(skip)]
    pub(crate) name: String,
    /// Where a request goes that does not say so itself.
    pub(crate) service: Service,
    /// What clusters it is about; on others its cases are skipped.
    #[serde(default)]
    pub(crate) era: Eras,
    /// The file is for clusters that answer this so; on others its cases are skipped.
    pub(crate) only_if: Option<Condition>,
    pub(crate) cases: Vec<Case>,
}

/// A property of the cluster, and how it shows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    /// Said of the cluster when it does not hold: "keepstores do not …".
    pub(crate) otherwise: String,
    pub(crate) request: Request,
    pub(crate) expect: Expectation,
}

/// One request and its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) service: Option<Service>,
    pub(crate) request: Request,
    pub(crate) expect: Expectation,
    /// What later cases of the file call `{{kept.NAME}}`: a JSON pointer into the body of the
    /// answer, or `body` for all of it.
    #[serde(default)]
    pub(crate) keep: BTreeMap<String, String>,
}

/// What is sent. At most one of `body`, `json`, `form` and `zeros`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(default = "get")]
    pub(crate) method: String,
    /// Sent as it stands.
    pub(crate) path: String,
    /// Added to the path; what is not text is sent as JSON.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Value>,
    /// The label of a fixture token, sent as `Authorization: Bearer`, or `OAuth2` in 2015.
    pub(crate) token: Option<String>,
    /// Sent besides those that every request has, or in place of them; null for one to leave out.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Option<String>>,
    pub(crate) body: Option<String>,
    pub(crate) json: Option<Value>,
    pub(crate) form: Option<BTreeMap<String, Value>>,
    /// A body of so many zero bytes.
    pub(crate) zeros: Option<usize>,
}

/// What the answer has to be; of what is not named, anything goes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expectation {
    pub(crate) status: u16,
    /// By name; `~` for a header that must not be there.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Option<String>>,
    /// The whole body.
    pub(crate) body: Option<String>,
    /// Part of the body: an object may have more keys than these.
    pub(crate) json: Option<Value>,
}

/// The era that a cluster serves clients of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum Era {
    #[serde(rename = "current")]
    Current,
    #[serde(rename = "2015")]
    Y2015,
}

/// Which eras a file is about.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) enum Eras {
    #[default]
    #[serde(rename = "current")]
    Current,
    #[serde(rename = "2015")]
    Y2015,
    #[serde(rename = "both")]
    Both,
}

impl Eras {
    /// Whether `era` is among them.
    pub(crate) fn has(self, era: Era) -> bool {
        match self {
            Self::Current => era == Era::Current,
            Self::Y2015 => era == Era::Y2015,
            Self::Both => true,
        }
    }
}

impl Era {
    /// The word before a token in the header `Authorization`.
    pub(crate) fn token_scheme(self) -> &'static str {
        match self {
            Self::Current => "Bearer",
            Self::Y2015 => "OAuth2",
        }
    }

    /// Its name, as `services up --era` takes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Y2015 => "2015",
        }
    }
}

/// A service, by how clients reach it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    Api,
    Keepstore,
    Keepproxy,
    KeepproxyTls,
    Git,
    GitTls,
}

fn get() -> String {
    "GET".to_owned()
}

/// The files of a folder in alphabetical order, or one file.
///
/// # Errors
/// When one cannot be read or is wrong, with the place.
pub(crate) fn load(path: &Path) -> anyhow::Result<Vec<CaseFile>> {
    if !path.is_dir() {
        return Ok(vec![load_file(path)?]);
    }
    let entries = fs_err::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs_err::DirEntry::path).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort_unstable();
    paths.iter().map(|path| load_file(path)).collect()
}

fn load_file(path: &Path) -> anyhow::Result<CaseFile> {
    let text = fs_err::read_to_string(path)?;
    let mut file = parse(&text).map_err(|wrong| anyhow::anyhow!("{}:{wrong}", path.display()))?;
    let name = path.file_stem().and_then(|stem| stem.to_str());
    file.name = name.context("the name of a case file is not text")?.to_owned();
    Ok(file)
}

/// # Errors
/// `LINE:COLUMN: what is wrong`.
fn parse(text: &str) -> Result<CaseFile, String> {
    let file: CaseFile = serde_yaml::from_str(text).map_err(|error| {
        let place = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        // The error names the place at its end, in other words.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        format!("{}:{}: {message}", place.0, place.1)
    })?;
    for case in &file.cases {
        let request = &case.request;
        let bodies = [request.body.is_some(), request.json.is_some(), request.form.is_some()];
        let bodies = bodies.into_iter().chain([request.zeros.is_some()]);
        if bodies.filter(|is_given| *is_given).count() > 1 {
            let line = text.lines().position(|line| line.contains(&case.name)).unwrap_or(0) + 1;
            return Err(format!("{line}:1: the case {:?} has more than one body", case.name));
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (text, expected) in [
            (
                "service: api\ncases:\n- name: a\n  request: {path: /}\n  expect: {stats: 200}\n",
                "5:12: cases[0].expect: unknown field `stats`",
            ),
            ("service: apy\ncases: []\n", "1:10: service: unknown variant `apy`"),
            ("service: api\nera: '1999'\ncases: []\n", "2:6: era: unknown variant `1999`"),
            (
                "service: api\ncases:\n- name: two\n  request: {path: /, body: x, zeros: 3}\n  expect: {status: 200}\n",
                "3:1: the case \"two\" has more than one body",
            ),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn the_files_of_the_suite_are_well_formed() {
        let folder = sdk_fixtures::checkout::root().join("sdk-fixtures/suites/http");
        let files = load(&folder).unwrap();
        let mut names: Vec<_> = files
            .iter()
            .flat_map(|file| file.cases.iter().map(|case| (&file.name, &case.name)))
            .collect();
        assert!(names.len() >= 100, "{} cases", names.len());
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name comes twice");
    }
}
