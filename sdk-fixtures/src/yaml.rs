//! Fixture YAML as Ruby reads it: a mapping from labels to mappings from columns to values.
//!
//! Three things need care. A key that comes twice keeps its last value. `<<: *other` merges. And
//! text that looks like a number may be a token, or what only YAML 1.1 takes for one: what YAML 1.2
//! takes for a number that is no plain integer is read a second time, as the text that it is
//! ([`exact`]), and what only YAML 1.1 takes for more than text stays [`Value::Plain`].

mod exact;
mod pieces;
mod place;
mod settle;
mod tree;

use serde::de::DeserializeSeed;
use serde_yaml::Deserializer;

use crate::class::Record;
use crate::value::Value;

/// What Rails does not take for a record at the top of a file.
const NO_RECORDS: [&str; 2] = ["DEFAULTS", "_fixture"];

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Line and column, both from 1.
    pub(crate) position: Option<(usize, usize)>,
    pub(crate) message: String,
}

/// What `convert` makes of each record of a fixture file whose ERB has been rendered.
///
/// # Errors
/// When `text` is not YAML, or not a mapping of mappings.
pub(crate) fn map_records<T: Send>(
    text: &str,
    convert: impl Fn(Record) -> T + Sync,
) -> Result<Vec<T>, Wrong> {
    let converted = |document: Value| converted(document, &convert);
    let records = match pieces::read(text, |piece| document(piece).ok().map(converted)) {
        // A label may come again in another piece.
        Some(pieces) => settle::last_of_each(pieces.into_iter().flatten()),
        None => document(text).map(converted).map_err(|error| wrong(&error))?,
    };
    Ok(records.into_iter().map(|(_, record)| record).collect())
}

/// What `convert` makes of each record of `document`, with its label.
fn converted<T>(document: Value, convert: impl Fn(Record) -> T) -> Vec<(String, T)> {
    let Value::Map(entries) = document else {
        return Vec::new();
    };
    let records = entries.into_iter().filter(|(label, _)| !NO_RECORDS.contains(&label.as_str()));
    let convert = |(label, value): (String, Value)| {
        let columns = match value {
            Value::Map(columns) => columns,
            _ => Vec::new(),
        };
        (label.clone(), convert(Record { label, columns }))
    };
    records.map(convert).collect()
}

fn document(text: &str) -> serde_yaml::Result<Value> {
    let mut tree = tree::Reading::of(text).deserialize(Deserializer::from_str(text))?;
    let doubt = exact::Doubt::about(text);
    if doubt.is_in(&tree) {
        exact::Reread(&mut tree, doubt).deserialize(Deserializer::from_str(text))?;
    }
    Ok(settle::settled(tree))
}

/// Line and column, both from 1, at which the file says that this column of the record `label` is
/// `value`: in the record, or in what is merged into it.
pub(crate) fn place(text: &str, label: &str, column: &str, value: &str) -> Option<(usize, usize)> {
    let seed = place::Search::new(label, column, value);
    let found = seed.deserialize(Deserializer::from_str(text)).err()?;
    found.location().map(|at| (at.line(), at.column()))
}

fn wrong(error: &serde_yaml::Error) -> Wrong {
    let position = error.location().map(|at| (at.line(), at.column()));
    let text = error.to_string();
    let message = match position {
        Some((line, column)) => text.replace(&format!(" at line {line} column {column}"), ""),
        None => text,
    };
    Wrong { position, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Result<Vec<Record>, Wrong> {
        map_records(text, |record| record)
    }

    fn columns(text: &str) -> Vec<(String, Value)> {
        let mut records = records(text).unwrap();
        assert_eq!(records.len(), 1, "{records:?}");
        records.remove(0).columns
    }

    fn only_value(text: &str) -> Value {
        columns(&format!("label:\n  column: {text}\n")).remove(0).1
    }

    fn entry(key: &str, number: i64) -> (String, Value) {
        (key.to_owned(), Value::Integer(number))
    }

    fn plain(text: &str) -> Value {
        Value::Plain(text.to_owned())
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn scalars_stay_what_yaml_says() {
        for (source, expected) in [
            ("true", Value::Bool(true)),
            ("~", Value::Null),
            ("", Value::Null),
            ("25107", Value::Integer(25107)),
            ("-3", Value::Integer(-3)),
            ("9223372036854775807", Value::Integer(i64::MAX)),
            ("1.5", Value::Float(1.5)),
            ("'1.5'", text("1.5")),
            ("\"true\"", text("true")),
            ("yes", plain("yes")),
            ("'yes'", text("yes")),
            ("!!str yes", text("yes")),
            (
                "[é, on, 'on', \"on\"]",
                Value::List(vec![text("é"), plain("on"), text("on"), text("on")]),
            ),
            ("|-\n    yes", text("yes")),
            ("2038-01-01 00:00:00", plain("2038-01-01 00:00:00")),
            ("12:30:45", plain("12:30:45")),
            ("0o17", text("0o17")),
            ("0123", plain("0123")),
            ("1_000", plain("1_000")),
            (":waz", plain(":waz")),
            ("':waz'", text(":waz")),
            ("\n    :a: 1\n    ':b': 2", Value::Map(vec![entry("a", 1), entry(":b", 2)])),
        ] {
            assert_eq!(only_value(source), expected, "{source}");
        }
    }

    #[test]
    fn tokens_that_look_like_numbers_keep_their_text() {
        let digits = "1".repeat(50);
        for source in ["1e5", "9223372036854775808", &digits] {
            assert_eq!(only_value(source), text(source));
        }
        let nested = only_value(&format!("{{a: [1, 1e5, 2.5], b: {digits}}}"));
        let list = vec![Value::Integer(1), text("1e5"), Value::Float(2.5)];
        let expected = [("a".to_owned(), Value::List(list)), ("b".to_owned(), text(&digits))];
        assert_eq!(nested, Value::Map(expected.to_vec()));
    }

    /// So many records that they are read in pieces.
    fn many_records() -> String {
        let record = |number| format!("r{number}:\n  number: {number}\n  text: 'é: {number}'\n");
        (0..30_000).map(record).collect()
    }

    #[test]
    fn many_records_are_read_like_few() {
        let source = many_records() + "r7:\n  number: 1e5\n";
        let read = records(&source).unwrap();
        assert_eq!(read.len(), 30_000);
        for (number, record) in read.iter().enumerate().filter(|(number, _)| *number != 7) {
            assert_eq!(record.label, format!("r{number}"));
            let words = text(&format!("é: {number}"));
            let number = Value::Integer(number as i64);
            let expected = [("number".to_owned(), number), ("text".to_owned(), words)];
            assert_eq!(record.columns, expected);
        }
        let last = [("number".to_owned(), text("1e5"))];
        assert_eq!(read[7].columns, last, "the last of a name wins");
    }

    #[test]
    fn what_is_wrong_in_many_records_has_its_place() {
        let wrong = records(&(many_records() + "wrong:\n  - 1\n")).unwrap_err();
        assert_eq!(wrong.position, Some((90_002, 3)));
        let alias = many_records() + "first: &a {x: 1}\n" + &many_records() + "again:\n *a\n";
        assert_eq!(records(&alias).unwrap().len(), 30_002);
    }

    #[test]
    fn keys_are_the_text_that_is_written() {
        let keys: Vec<String> = columns("1e5:\n  true: 1\n  0x1f: 2\n  ~: 3\n")
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(keys, ["true", "0x1f", "~"]);
    }

    #[test]
    fn a_key_that_comes_twice_keeps_its_last_value() {
        let twice = columns("x: {a: 0}\nx: {a: 1.5, b: 2, a: {c: 1e5, c: 4}}\n");
        let inner = Value::Map(vec![("c".to_owned(), Value::Integer(4))]);
        let expected = [("a".to_owned(), inner), ("b".to_owned(), Value::Integer(2))];
        assert_eq!(twice, expected);
    }

    #[test]
    fn defaults_are_merged_and_no_record() {
        let merged = columns(
            "DEFAULTS: &defaults\n  a: 1\n  b: 2\n_fixture:\n  model_class: User\n\
             x:\n  <<: *defaults\n  b: 3\n",
        );
        let expected = [("a", 1), ("b", 3)];
        assert_eq!(merged, expected.map(|(key, n)| (key.to_owned(), Value::Integer(n))));
    }

    #[test]
    fn a_file_of_comments_has_no_records() {
        for source in ["", "# nothing\n", "---\n", "--- {}\n"] {
            assert_eq!(records(source), Ok(Vec::new()), "{source:?}");
        }
    }

    #[test]
    fn what_is_no_fixture_is_refused_with_its_place() {
        for (source, position, part) in [
            ("a: {}\nb:\n  c: [1\n", (4, 1), "did not find"),
            ("a: {}\nb: text\n", (2, 4), "expected the columns of a record"),
            ("a: {}\nb:\n", (2, 3), "expected the columns of a record"),
            ("- a\n", (1, 1), "expected a mapping from labels to records"),
            ("a:\n  b: !ruby/object:User {}\n", (2, 6), "expected a value without a tag"),
            ("a:\n  b: *nowhere\n", (2, 6), "unknown anchor"),
        ] {
            let wrong = records(source).unwrap_err();
            assert_eq!(wrong.position, Some(position), "{source:?}: {wrong:?}");
            assert!(wrong.message.contains(part), "{source:?}: {wrong:?}");
        }
    }

    #[test]
    fn a_value_is_found_where_it_is_written() {
        let text = "DEFAULTS:\n  x: &x\n    user: gone\n    owner: 1e5\n\
                    a:\n  <<: [*x]\n  group: gone\nb: {<<: *x, user: there, user: again}\n";
        let place = |label, column, value| place(text, label, column, value);
        assert_eq!(place("a", "group", "gone"), Some((7, 10)));
        assert_eq!(place("a", "user", "gone"), Some((3, 11)));
        assert_eq!(place("a", "owner", "1e5"), Some((4, 12)));
        assert_eq!(place("b", "user", "again"), Some((8, 32)));
        for (label, column, value) in
            [("c", "user", "gone"), ("a", "x", "gone"), ("a", "user", "b")]
        {
            assert_eq!(place(label, column, value), None, "{label} {column} {value}");
        }
    }

    #[test]
    fn nesting_has_a_limit_and_not_the_stack() {
        let nested = |depth: usize| {
            let source = format!("a: {{b: {}{}}}\n", "[".repeat(depth), "]".repeat(depth));
            records(&source)
        };
        assert!(nested(100).is_ok());
        assert!(nested(200).is_err());
    }
}
