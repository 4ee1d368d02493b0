//! Reading our own YAML files, so that a mistake in one is found by whoever made it.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::failure::Usage;
use crate::nearest;

/// Reads `path` as a `T`.
///
/// # Errors
/// [`Usage`] with file, line and column, and for an unknown key the nearest known one.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<T, Usage> {
    let text = fs_err::read_to_string(path).map_err(|error| Usage(error.to_string()))?;
    // Of a key that is there twice, a map of ours would only have the last.
    serde_yaml::from_str::<serde_yaml::Value>(&text)
        .and_then(|_| serde_yaml::from_str(&text))
        .map_err(|error| Usage(explain(path, &error)))
}

/// Reads a `T` of which there is but one key, with its value as in a file.
///
/// # Errors
/// [`Usage`] with what is wrong, and for an unknown key the nearest known one.
pub(crate) fn setting<T: DeserializeOwned>(key: &str, value: &str) -> Result<T, Usage> {
    serde_yaml::from_str(&format!("{key}: {value}\n"))
        .map_err(|error| Usage(with_nearest(&placeless(&error))))
}

/// `what`, with the place in front at which the file has that key; of a key that it has twice, or
/// in the middle of a line, only with the file.
pub(crate) fn located(path: &Path, key: &str, what: &str) -> String {
    let text = fs_err::read_to_string(path).unwrap_or_default();
    let has_it = |line: &str| {
        let words = line.split(|c: char| c.is_whitespace() || matches!(c, '{' | ','));
        words.filter_map(|word| word.strip_suffix(':')).any(|word| word == key)
            || starts_with(line, key)
    };
    let mut lines = text.lines().zip(1..).filter(|(line, _)| has_it(line));
    match (lines.next(), lines.next()) {
        (Some((line, number)), None) if starts_with(line, key) => {
            format!("{}:{number}: {what}", path.display())
        }
        _ => format!("{}: {what}", path.display()),
    }
}

fn starts_with(line: &str, key: &str) -> bool {
    let forms = [format!("{key}:"), format!("\"{key}\":"), format!("'{key}':")];
    forms.iter().any(|form| line.trim_start().starts_with(form))
}

fn explain(path: &Path, error: &serde_yaml::Error) -> String {
    let Some(at) = error.location() else {
        return format!("{}: {}", path.display(), with_nearest(&error.to_string()));
    };
    // The place is said in front, where editors and terminals make a link of it.
    let what = with_nearest(&placeless(error));
    format!("{}:{}:{}: {what}", path.display(), at.line(), at.column())
}

/// The message without the place that it ends with.
fn placeless(error: &serde_yaml::Error) -> String {
    let place = error.location().map(|at| (at.line(), at.column()));
    let place = place.map(|(line, column)| format!(" at line {line} column {column}"));
    error.to_string().replace(&place.unwrap_or_default(), "")
}

/// Replaces serde's list of all expected names by the one that was probably meant.
fn with_nearest(what: &str) -> String {
    let mut parts = what.splitn(2, ", expected ");
    let (Some(unknown), Some(expected)) = (parts.next(), parts.next()) else {
        return what.to_owned();
    };
    let quoted = |text: &'_ str| -> Vec<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let known = quoted(expected);
    match quoted(unknown).last() {
        Some(wrong) if unknown.contains("unknown ") && !known.is_empty() => {
            let hint = nearest::hint(wrong, known.iter().map(String::as_str));
            format!("{}{hint}", unknown.replace("unknown field", "unknown key"))
        }
        _ => format!("{}, expected {}", unknown.replace("unit value", "null"), in_words(expected)),
    }
}

/// What serde expected, by a name that is not one of Rust's.
fn in_words(expected: &str) -> String {
    let known = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 on",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "keys with values",
        "a string" => "a text",
        _ if expected.starts_with("struct ") => "keys with values",
        other => other,
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(rename = "keepstores")]
        _keepstores: u8,
        #[serde(rename = "host")]
        _host: Option<String>,
    }

    fn mistake(text: &str) -> String {
        let error = serde_yaml::from_str::<Example>(text).unwrap_err();
        explain(Path::new("services.yml"), &error)
    }

    #[test]
    fn an_unknown_key_is_reported_with_its_place_and_the_nearest_known_one() {
        assert_eq!(
            mistake("host: a\nkepstores: 2\n"),
            "services.yml:2:1: unknown key `kepstores`; did you mean keepstores?"
        );
    }

    #[test]
    fn a_wrong_type_is_reported_with_its_place() {
        assert_eq!(
            mistake("keepstores: many\n"),
            "services.yml:1:13: keepstores: invalid type: string \"many\", expected a whole \
             number from 0 to 255"
        );
    }

    #[test]
    fn what_was_expected_is_said_without_names_of_ours() {
        for (text, wanted) in [
            ("3\n", "invalid type: integer `3`, expected keys with values"),
            ("keepstores: 2\nhost: [a]\n", "invalid type: sequence, expected a text"),
            ("keepstores:\n", "invalid type: null, expected a whole number from 0 to 255"),
            ("keepstores: 256\n", "expected a whole number from 0 to 255"),
        ] {
            let mistake = mistake(text);
            assert!(mistake.ends_with(wanted), "{mistake}");
        }
    }

    #[test]
    fn a_key_is_located_unless_there_are_two() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "a:\n  b: {c: 1}\n  d: 2\n  f: 2\ne:\n  d: 3\n  g: {f: 2}\n";
        fs_err::write(file.path(), text).unwrap();
        let place = |key| located(file.path(), key, "no").rsplit('/').next().unwrap().to_owned();
        let name = file.path().file_name().unwrap().to_string_lossy();
        assert_eq!(place("b"), format!("{name}:2: no"));
        assert_eq!(place("c"), format!("{name}: no"));
        assert_eq!(place("d"), format!("{name}: no"));
        assert_eq!(place("f"), format!("{name}: no"));
    }

    #[test]
    fn text_that_is_no_yaml_is_reported_with_its_place() {
        assert_eq!(
            mistake("host: \"open\n"),
            "services.yml:2:1: found unexpected end of stream, while scanning a quoted scalar \
             at line 1 column 7"
        );
    }
}
