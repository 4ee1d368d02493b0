//! Values between JSON and SQL, by the type of their attribute.

use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::Value;

use super::resource::{Attribute, Initial, Kind};
use super::time;

/// What a client sent as `given`, as the column of a `kind` attribute holds it.
///
/// # Errors
/// Says, to follow the attribute's name, what is wrong with it.
pub(crate) fn accept(kind: Kind, given: &Value) -> Result<Value, String> {
    if given.is_null() {
        return Ok(Value::Null);
    }
    match kind {
        Kind::String | Kind::Text => accept_text(given),
        Kind::Integer => match given {
            Value::Number(number) if number.is_i64() => Ok(given.clone()),
            Value::String(text) if text.is_empty() => Ok(Value::Null),
            Value::String(text) => {
                text.parse::<i64>().map(Value::from).map_err(|_| "is not a number".to_owned())
            }
            _ => Err("is not a number".to_owned()),
        },
        Kind::Float => float(given).ok_or_else(|| "is not a number".to_owned()),
        Kind::Boolean => {
            boolean(given).map(Value::Bool).ok_or_else(|| "is not a boolean".to_owned())
        }
        Kind::Datetime => match given {
            Value::String(text) if text.is_empty() => Ok(Value::Null),
            Value::String(text) => time::parse(text)
                .map(Value::String)
                .ok_or_else(|| "is not a date and time".to_owned()),
            _ => Err("is not a date and time".to_owned()),
        },
        Kind::Object => json(given, Value::is_object).ok_or_else(|| "must be a Hash".to_owned()),
        Kind::Array => json(given, Value::is_array).ok_or_else(|| "must be an Array".to_owned()),
    }
}

fn float(given: &Value) -> Option<Value> {
    match given {
        Value::Number(number) => number.as_f64().map(Value::from),
        Value::String(text) if text.is_empty() => Some(Value::Null),
        Value::String(text) => {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
        }
        _ => None,
    }
}

fn accept_text(given: &Value) -> Result<Value, String> {
    match given {
        Value::String(text) if text.contains('\0') => Err("contains a null character".to_owned()),
        Value::String(_) => Ok(given.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(Value::String(given.to_string())),
        _ => Err("is not a string".to_owned()),
    }
}

/// A JSON value, or the JSON text of one, of the right type.
fn json(given: &Value, right: fn(&Value) -> bool) -> Option<Value> {
    let parsed = match given {
        Value::String(text) => serde_json::from_str(text).ok()?,
        _ => given.clone(),
    };
    (right(&parsed) || parsed.is_null()).then_some(parsed)
}

/// The forms in which clients send booleans.
pub(crate) fn boolean(given: &Value) -> Option<bool> {
    match given {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.as_str() {
            "true" | "1" | "t" | "yes" => Some(true),
            "false" | "0" | "f" | "no" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The value of a new object's attribute when its creator gives none.
pub(crate) fn initial(attribute: &Attribute) -> Value {
    match attribute.initial {
        Initial::Null => Value::Null,
        Initial::Bool(value) => Value::Bool(value),
        Initial::Integer(value) => Value::from(value),
        Initial::Float(value) => Value::from(value),
        Initial::Text(text) => Value::from(text),
        Initial::EmptyObject => Value::Object(serde_json::Map::new()),
        Initial::Array(texts) => Value::from(texts),
    }
}

/// An accepted `value`, where null stands for an object or array with nothing in it: clients read
/// these without asking whether they are there. An attribute that starts with something has rules of
/// its own for null.
pub(crate) fn empty_for_null(attribute: &Attribute, value: Value) -> Value {
    let starts_empty = matches!(attribute.initial, Initial::EmptyObject | Initial::Array([]));
    match value {
        Value::Null if starts_empty => initial(attribute),
        value => value,
    }
}

/// An accepted value for its column.
pub(crate) fn to_sql(kind: Kind, value: &Value) -> Sql {
    match (kind, value) {
        (_, Value::Null) => Sql::Null,
        (Kind::Object | Kind::Array, value) => Sql::Text(value.to_string()),
        (_, Value::Bool(value)) => Sql::Integer(i64::from(*value)),
        (_, Value::String(text)) => Sql::Text(text.clone()),
        (_, Value::Number(number)) => match number.as_i64() {
            Some(integer) => Sql::Integer(integer),
            None => number.as_f64().map_or(Sql::Null, Sql::Real),
        },
        (_, value) => Sql::Text(value.to_string()),
    }
}

/// The same, of a value that nobody else needs.
pub(crate) fn into_sql(kind: Kind, value: Value) -> Sql {
    match (kind, value) {
        (Kind::Object | Kind::Array, value) => to_sql(kind, &value),
        (_, Value::String(text)) => Sql::Text(text),
        (_, value) => to_sql(kind, &value),
    }
}

/// A column's value as clients see it.
pub(crate) fn from_sql(kind: Kind, value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        ValueRef::Integer(integer) if kind == Kind::Boolean => Value::Bool(integer != 0),
        ValueRef::Integer(integer) => Value::from(integer),
        ValueRef::Real(real) => Value::from(real),
        ValueRef::Text(bytes) => match kind {
            Kind::Object | Kind::Array => serde_json::from_slice(bytes).unwrap_or(Value::Null),
            _ => Value::from(String::from_utf8_lossy(bytes)),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_attributes_come_as_values_or_as_their_text() {
        let expected = json!({"a": 1});
        assert_eq!(accept(Kind::Object, &expected).unwrap(), expected);
        assert_eq!(accept(Kind::Object, &json!("{\"a\":1}")).unwrap(), expected);
        assert!(accept(Kind::Object, &json!([1])).is_err());
        assert!(accept(Kind::Object, &json!("nonsense")).is_err());
        assert!(accept(Kind::Array, &json!({})).is_err());
    }

    #[test]
    fn booleans_and_numbers_come_as_text_too() {
        assert_eq!(accept(Kind::Boolean, &json!("1")).unwrap(), json!(true));
        assert_eq!(accept(Kind::Boolean, &json!("false")).unwrap(), json!(false));
        assert!(accept(Kind::Boolean, &json!("maybe")).is_err());
        assert_eq!(accept(Kind::Integer, &json!("25107")).unwrap(), json!(25107));
        assert!(accept(Kind::Integer, &json!("many")).is_err());
        assert!(accept(Kind::Integer, &json!([])).is_err());
        assert_eq!(accept(Kind::Float, &json!(1)).unwrap(), json!(1.0));
        assert_eq!(accept(Kind::Float, &json!("0.5")).unwrap(), json!(0.5));
        assert!(accept(Kind::Float, &json!("inf")).is_err());
    }

    #[test]
    fn what_goes_into_a_column_comes_out_again() {
        for (kind, value) in [
            (Kind::String, json!("x")),
            (Kind::Boolean, json!(true)),
            (Kind::Integer, json!(7)),
            (Kind::Float, json!(0.5)),
            (Kind::Object, json!({"a": [null, {"b": "ü"}]})),
            (Kind::Array, json!([])),
            (Kind::Text, Value::Null),
        ] {
            let sql = to_sql(kind, &value);
            assert_eq!(from_sql(kind, ValueRef::from(&sql)), value);
        }
    }
}
