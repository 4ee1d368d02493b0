//! PostgreSQL's `@>` for JSON, which SQLite lacks.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use serde_json::Value;

/// Gives a connection the function `json_contains_any(whole, parts)`, where `parts` is an array.
///
/// # Errors
/// Those of the database.
pub(crate) fn install(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("json_contains_any", 2, flags, |context| {
        // They are the same for all rows, and read once.
        let parts = context.get_or_create_aux(1, |parts| {
            let parts = parts.as_str().ok().and_then(|text| serde_json::from_str(text).ok());
            Ok::<Vec<Value>, std::convert::Infallible>(parts.unwrap_or_default())
        })?;
        let whole: Option<String> = context.get(0)?;
        let whole = whole.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        Ok(whole.map(|whole| parts.iter().any(|part| contains(&whole, part))))
    })
}

/// Whether `whole` has all that `part` has: the keys of objects, the items of arrays in any order.
pub(crate) fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, wanted)| whole.get(key).is_some_and(|found| contains(found, wanted))),
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|wanted| whole.iter().any(|found| contains(found, wanted)))
        }
        (Value::Number(whole), Value::Number(part)) => {
            // 1 and 1.0 are the same number.
            whole == part || (whole.is_f64() || part.is_f64()) && whole.as_f64() == part.as_f64()
        }
        _ => whole == part,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_may_leave_out_keys_and_items() {
        for (whole, part, expected) in [
            (json!({"a": 1, "b": 2}), json!({"a": 1}), true),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"c": 2}}), true),
            (json!({"a": 1}), json!({"a": 1.0}), true),
            (json!({"a": 1}), json!({"a": "1"}), false),
            (json!({"a": null}), json!({"a": null}), true),
            (json!({}), json!({"a": null}), false),
            (json!(["x", "y"]), json!(["y"]), true),
            (json!(["x", ["y"]]), json!([["y"]]), true),
            (json!(["x"]), json!("x"), false),
            (json!({"a": ["x", "y"]}), json!({"a": []}), true),
        ] {
            assert_eq!(contains(&whole, &part), expected, "{whole} {part}");
        }
    }
}
