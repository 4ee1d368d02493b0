//! Filters that look into JSON attributes: `properties.key`, `exists` and `contains`.

use std::slice;

use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use super::condition::Condition;
use super::error::Result;
use super::operand::{invalid_operand, invalid_operator};
use super::resource::{Attribute, Kind};

/// The object has the key `operand`.
///
/// # Errors
/// When the attribute is not an object, or the operand not a text.
pub(crate) fn exists(attribute: &Attribute, operand: &Value) -> Result<Condition> {
    match (attribute.kind, operand) {
        (Kind::Object, Value::String(key)) => Ok(has_key(attribute.name, key)),
        _ => Err(invalid_operand("exists", operand, attribute.name)),
    }
}

/// The array holds the text `operand`, or all texts of it.
///
/// # Errors
/// When the attribute is not an array, or the operand neither a text nor an array of texts.
pub(crate) fn contains(attribute: &Attribute, operand: &Value) -> Result<Condition> {
    let wrong = || invalid_operand("contains", operand, attribute.name);
    if attribute.kind != Kind::Array {
        return Err(wrong());
    }
    let wanted = match operand {
        Value::Array(texts) => texts.iter().collect(),
        text => vec![text],
    };
    let column = attribute.name;
    let conditions: Option<Vec<_>> = wanted
        .into_iter()
        .map(|text| {
            let text = Sql::Text(text.as_str()?.to_owned());
            let sql = format!("EXISTS (SELECT 1 FROM json_each({column}) WHERE value = ?)");
            Some(Condition::new(sql, [text]))
        })
        .collect();
    Ok(Condition::all(conditions.ok_or_else(wrong)?))
}

/// The value at `key` in the object compares to `operand`.
///
/// # Errors
/// When the attribute is not an object, the operator unknown or the operand of the wrong type.
pub(crate) fn compare(
    attribute: &Attribute,
    key: &str,
    operator: &str,
    operand: &Value,
) -> Result<Condition> {
    // A key that is not plain is written as `<key>`.
    let key = key.strip_prefix('<').and_then(|key| key.strip_suffix('>')).unwrap_or(key);
    let column = attribute.name;
    let wrong = || invalid_operand(operator, operand, column);
    if attribute.kind != Kind::Object {
        return Err(wrong());
    }
    match operator {
        "=" => Ok(has(column, key, slice::from_ref(operand))),
        "!=" => Ok(has(column, key, slice::from_ref(operand)).negated()),
        "<" | "<=" | ">" | ">=" => {
            let (types, operand) = scalar(operand).ok_or_else(wrong)?;
            let test = format!("type IN ({types}) AND value {operator} ?");
            Ok(at_key(column, key, &test, Some(operand)))
        }
        "like" | "ilike" => {
            let pattern = Sql::Text(operand.as_str().ok_or_else(wrong)?.to_owned());
            let test = format!("type = 'text' AND pg_{operator}(value, ?)");
            Ok(at_key(column, key, &test, Some(pattern)))
        }
        "in" | "not in" => {
            let values = operand.as_array().ok_or_else(wrong)?;
            let among = has(column, key, values);
            match (operator, values.is_empty()) {
                ("in", _) => Ok(among),
                // As with attributes, nothing that is there is outside of nothing.
                (_, true) => Ok(at_key(column, key, "type != 'null'", None).negated()),
                (_, false) => Ok(among.negated()),
            }
        }
        "exists" => match operand {
            Value::Bool(true) => Ok(has_key(column, key)),
            Value::Bool(false) => Ok(has_key(column, key).negated()),
            _ => Err(wrong()),
        },
        "contains" => Ok(has(column, key, &[operand.clone(), json!([operand])])),
        _ => Err(invalid_operator(operator, column)),
    }
}

/// The value at `key` is one of `parts`, or an object or array with all that one of them has.
///
/// What is nested too deep to be stored is in nothing.
fn has(column: &str, key: &str, parts: &[Value]) -> Condition {
    let parts: Vec<_> = parts.iter().map(|part| json!({ key: part })).collect();
    let parts = Sql::Text(json!(parts).to_string());
    Condition::new(format!("json_contains_any({column}, ?)"), [parts])
}

fn has_key(column: &str, key: &str) -> Condition {
    at_key(column, key, "TRUE", None)
}

/// There is such a key, and `test` holds for its row of `json_each`.
fn at_key(column: &str, key: &str, test: &str, operand: Option<Sql>) -> Condition {
    let sql =
        format!("EXISTS (SELECT 1 FROM json_each({column}) AS property WHERE key = ? AND {test})");
    let key = Sql::Text(key.to_owned());
    Condition::new(sql, [key].into_iter().chain(operand))
}

/// SQLite's names for the JSON types that compare with `operand`, and `operand` itself.
fn scalar(operand: &Value) -> Option<(&'static str, Sql)> {
    match operand {
        Value::String(text) => Some(("'text'", Sql::Text(text.clone()))),
        Value::Number(number) => {
            let number = match number.as_i64() {
                Some(integer) => Sql::Integer(integer),
                None => Sql::Real(number.as_f64()?),
            };
            Some(("'integer', 'real'", number))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, params_from_iter};

    use super::*;
    use crate::api::{json_containment, like};

    const PROPERTIES: Attribute = Attribute::new("properties", Kind::Object);

    fn holds(properties: &Value, key: &str, operator: &str, operand: &Value) -> bool {
        let db = Connection::open_in_memory().unwrap();
        like::install(&db).unwrap();
        json_containment::install(&db).unwrap();
        db.execute_batch("CREATE TABLE t (properties TEXT)").unwrap();
        db.execute("INSERT INTO t VALUES (?)", [properties.to_string()]).unwrap();
        let condition = compare(&PROPERTIES, key, operator, operand).unwrap();
        let sql = format!("SELECT count(*) FROM t WHERE {}", condition.sql);
        let parameters = params_from_iter(condition.parameters);
        db.query_row(&sql, parameters, |row| row.get(0)).unwrap()
    }

    #[test]
    fn values_compare_with_their_type() {
        let properties = json!({"a": "1", "n": 1, "t": true, "nothing": null, "l": ["x", "y"]});
        for (key, operator, operand, expected) in [
            ("a", "=", json!("1"), true),
            ("a", "=", json!(1), false),
            ("n", "=", json!(1), true),
            ("n", "<", json!(1.5), true),
            ("n", "=", json!(true), false),
            ("t", "=", json!(true), true),
            ("nothing", "=", Value::Null, true),
            ("missing", "=", Value::Null, false),
            ("missing", "!=", json!("x"), true),
            ("a", "!=", json!("1"), false),
            ("a", "like", json!("_"), true),
            ("a", "in", json!(["0", "1"]), true),
            ("a", "not in", json!([]), false),
            ("missing", "not in", json!([]), true),
            ("l", "=", json!(["y"]), true),
            ("l", "=", json!("y"), false),
            ("t", "contains", json!(true), true),
            ("a", "exists", json!(true), true),
            ("missing", "exists", json!(false), true),
            ("<a>", "=", json!("1"), true),
            ("l", "contains", json!("y"), true),
            ("l", "contains", json!("z"), false),
            ("a", "contains", json!("1"), true),
        ] {
            let held = holds(&properties, key, operator, &operand);
            assert_eq!(held, expected, "{key} {operator} {operand}");
        }
    }

    #[test]
    fn a_key_with_quotes_is_only_a_key() {
        let properties = json!({"it's \"quoted\"": 1});
        assert!(holds(&properties, "it's \"quoted\"", "=", &json!(1)));
    }
}
