//! What a fixture's values are in a column: YAML leaves open what a scalar without quotes is.

use sdk_fixtures::{Value as Fixture, timestamp};
use serde_json::{Map, Value};

use super::relative;
use super::resource::Kind;
use super::time;
use super::value;

/// `given` as a column of `kind` has it; a time that is so long ago is a [`relative::template`].
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn accept(kind: Kind, given: &Fixture) -> Result<Value, String> {
    if let Fixture::Ago(ago) = given {
        return match kind {
            Kind::Datetime | Kind::String | Kind::Text => Ok(relative::template(*ago).into()),
            _ => Err("a time is not for this column".to_owned()),
        };
    }
    let value = match kind {
        Kind::Datetime => given.as_text().and_then(timestamp).map(Value::String),
        Kind::Boolean => boolean(given),
        Kind::Integer | Kind::Float => Some(json(&given.in_yaml_1_1())),
        // As written, whatever it looks like.
        Kind::String | Kind::Text => given.as_text().map(Value::from),
        Kind::Object | Kind::Array => Some(json(&given.in_yaml_1_1())),
    };
    let value = value.unwrap_or_else(|| json(given));
    value::accept(kind, &value).map_err(|what| format!("{value} {what}"))
}

/// Rails has more words for booleans than YAML.
fn boolean(given: &Fixture) -> Option<Value> {
    let is_one_of = |words: &[&str]| {
        given.as_text().is_some_and(|text| words.iter().any(|it| it.eq_ignore_ascii_case(text)))
    };
    if is_one_of(&["yes", "y", "on", "true", "t"]) {
        Some(Value::Bool(true))
    } else if is_one_of(&["no", "n", "off", "false", "f"]) {
        Some(Value::Bool(false))
    } else {
        Some(json(&given.in_yaml_1_1()))
    }
}

fn json(given: &Fixture) -> Value {
    match given {
        Fixture::Null => Value::Null,
        Fixture::Bool(value) => (*value).into(),
        Fixture::Integer(value) => (*value).into(),
        Fixture::Float(value) => (*value).into(),
        Fixture::Text(text) => text.as_str().into(),
        // A time, in the form in which clients see all times; a date stays as it is.
        Fixture::Plain(text) => {
            let moment = timestamp(text).and_then(|moment| time::parse(&moment));
            moment.map_or_else(|| text.as_str().into(), Value::String)
        }
        Fixture::Ago(ago) => relative::template(*ago).into(),
        Fixture::List(items) => items.iter().map(json).collect(),
        Fixture::Map(entries) => entries
            .iter()
            .map(|(name, value)| (name.clone(), json(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(text: &str) -> Fixture {
        Fixture::Plain(text.to_owned())
    }

    #[test]
    fn the_column_decides_what_a_scalar_without_quotes_is() {
        for (kind, text, expected) in [
            (Kind::Boolean, "yes", json!(true)),
            (Kind::Boolean, "Off", json!(false)),
            (Kind::String, "yes", json!("yes")),
            (Kind::Integer, "010", json!(8)),
            (Kind::String, "010", json!("010")),
            (Kind::Integer, "1:30", json!(5400)),
            (Kind::Integer, "1_000", json!(1000)),
            (Kind::Datetime, "2014-02-03", json!("2014-02-03T00:00:00.000000000Z")),
            (Kind::Datetime, "2014-2-3 4:05:06", json!("2014-02-03T04:05:06.000000000Z")),
            (Kind::Datetime, "2014-02-03 04:05:06 -2", json!("2014-02-03T06:05:06.000000000Z")),
            (Kind::Text, "2014-02-03 04:05:06", json!("2014-02-03 04:05:06")),
        ] {
            assert_eq!(accept(kind, &plain(text)), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_stands_in_quotes_is_no_other_notation_of_a_number() {
        let quoted = Fixture::Text("010".to_owned());
        assert_eq!(accept(Kind::Integer, &quoted), Ok(json!(10)));
        assert_eq!(accept(Kind::Array, &Fixture::List(vec![quoted])), Ok(json!(["010"])));
    }

    #[test]
    fn within_serialized_columns_scalars_are_those_of_yaml_1_1() {
        let entries = ["no", "010", "2014-02-03 04:05:06", "2014-02-03"];
        let entries = entries.map(|text| (text.to_owned(), plain(text)));
        let expected = json!({
            "no": false,
            "010": 8,
            "2014-02-03 04:05:06": "2014-02-03T04:05:06.000000000Z",
            "2014-02-03": "2014-02-03",
        });
        assert_eq!(accept(Kind::Object, &Fixture::Map(entries.to_vec())), Ok(expected));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_told() {
        for (kind, given, expected) in [
            (Kind::Integer, plain("yes"), "true is not a number"),
            (Kind::Boolean, plain("7"), "7 is not a boolean"),
            (Kind::Datetime, Fixture::Bool(true), "true is not a date and time"),
            (Kind::Object, Fixture::List(Vec::new()), "[] must be a Hash"),
            (Kind::Integer, Fixture::Ago(Default::default()), "a time is not for this column"),
        ] {
            assert_eq!(accept(kind, &given), Err(expected.to_owned()));
        }
    }
}
