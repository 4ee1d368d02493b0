//! What a filter may compare an attribute with.

use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::resource::Kind;
use super::time;

/// `given` as the column of a `kind` attribute is compared with it; `None` if it is of another type.
///
/// It is stricter than what an attribute may be set to: a text is compared with texts only, and a
/// date with what is one.
pub(crate) fn read(kind: Kind, given: &Value) -> Option<Sql> {
    match (kind, given) {
        (Kind::String | Kind::Text, Value::String(text)) => {
            (!text.contains('\0')).then(|| Sql::Text(text.clone()))
        }
        (Kind::Integer | Kind::Float, Value::Number(number)) => match number.as_i64() {
            Some(integer) => Some(Sql::Integer(integer)),
            None => number.as_f64().map(Sql::Real),
        },
        (Kind::Integer, Value::String(text)) => text.trim().parse().ok().map(Sql::Integer),
        (Kind::Float, Value::String(text)) => text.trim().parse().ok().map(Sql::Real),
        (Kind::Boolean, Value::Bool(value)) => Some(Sql::Integer(i64::from(*value))),
        (Kind::Boolean, Value::String(text)) => {
            boolean(text).map(|value| Sql::Integer(value.into()))
        }
        (Kind::Datetime, Value::String(text)) => time::parse(text).map(Sql::Text),
        (Kind::Array, Value::Array(_)) => Some(Sql::Text(given.to_string())),
        _ => None,
    }
}

/// The words that stand for a boolean in a filter.
fn boolean(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" => Some(true),
        "0" | "f" | "false" | "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operand_is_of_the_type_of_its_attribute() {
        for (kind, given, expected) in [
            (Kind::String, json!("a"), Some(Sql::Text("a".to_owned()))),
            (Kind::String, json!(1), None),
            (Kind::Text, json!("a\0"), None),
            (Kind::Integer, json!(1), Some(Sql::Integer(1))),
            (Kind::Integer, json!(1.5), Some(Sql::Real(1.5))),
            (Kind::Integer, json!("2"), Some(Sql::Integer(2))),
            (Kind::Integer, json!(""), None),
            (Kind::Integer, json!(true), None),
            (Kind::Boolean, json!("YES"), Some(Sql::Integer(1))),
            (Kind::Boolean, json!("n"), Some(Sql::Integer(0))),
            (Kind::Boolean, json!(1), None),
            (Kind::Datetime, json!(""), None),
            (Kind::Datetime, json!(2015), None),
            (Kind::Array, json!(["a"]), Some(Sql::Text("[\"a\"]".to_owned()))),
            (Kind::Object, json!({}), None),
        ] {
            assert_eq!(read(kind, &given), expected, "{kind:?} {given}");
        }
    }
}
