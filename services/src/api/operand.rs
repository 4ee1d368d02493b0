//! What a filter may compare an attribute with, and how it is told what it may not.

use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::error::{ApiError, unprocessable};
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

/// The refusal of an operand: clients look for "operand type" where a text would do.
pub(crate) fn invalid_operand(operator: &str, operand: &Value, attribute: &str) -> ApiError {
    let invalid = match operand {
        Value::String(_) if !operator.ends_with("in") => format!("operand {operand}"),
        _ => format!("operand type '{}'", ruby_class(operand)),
    };
    unprocessable(format!("Invalid {invalid} for '{operator}' operator in filter on {attribute}"))
}

/// What the real server, which is in Ruby, calls values like this.
fn ruby_class(value: &Value) -> &'static str {
    match value {
        Value::Null => "NilClass",
        Value::Bool(true) => "TrueClass",
        Value::Bool(false) => "FalseClass",
        Value::Number(number) if number.is_f64() => "Float",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Hash",
    }
}

/// The refusal of an operator.
pub(crate) fn invalid_operator(operator: &str, attribute: &str) -> ApiError {
    unprocessable(format!("Invalid operator '{operator}' in filter on {attribute}"))
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

    #[test]
    fn a_refusal_tells_a_wrong_type_from_a_wrong_text() {
        let refused =
            |operator, operand: &Value| invalid_operand(operator, operand, "uuid").to_string();
        let end = "operator in filter on uuid";
        for (operator, operand, expected) in [
            ("=", json!({}), "operand type 'Hash' for '='"),
            ("<", json!(null), "operand type 'NilClass' for '<'"),
            ("=", json!(1), "operand type 'Integer' for '='"),
            ("in", json!("x"), "operand type 'String' for 'in'"),
            ("not in", json!(true), "operand type 'TrueClass' for 'not in'"),
            (">", json!("x"), "operand \"x\" for '>'"),
        ] {
            assert_eq!(refused(operator, &operand), format!("Invalid {expected} {end}"));
        }
    }
}
