//! How an answer differs from what is expected.

use serde_json::Value;

use crate::case::Expectation;
use crate::connection::Answer;
use crate::pattern;
use crate::placeholder::Known;

/// How much of a body is shown.
const SHOWN_BYTES: usize = 1000;

/// One line a difference; none if the answer is as expected.
///
/// # Errors
/// When the expectation has an unknown placeholder.
pub(crate) fn differences(
    expected: &Expectation,
    answer: &Answer,
    known: &Known<'_>,
) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    if answer.status != expected.status {
        found.push(format!("status {}, expected {}", answer.status, expected.status));
    }
    for (name, wanted) in &expected.headers {
        let given = answer.header(name);
        let as_wanted = match (wanted, given) {
            (None, given) => given.is_none(),
            (Some(_), None) => false,
            (Some(wanted), Some(given)) => pattern::matches(&known.parts(wanted)?, given),
        };
        if !as_wanted {
            found.push(format!("header {name}: {given:?}, expected {wanted:?}"));
        }
    }
    if let Some(wanted) = &expected.body
        && !pattern::matches(&known.parts(wanted)?, &answer.text())
    {
        found.push(format!("the body is not {wanted:?}"));
    }
    if let Some(wanted) = &expected.json {
        match serde_json::from_slice(&answer.body) {
            Ok(given) => compare_json("", wanted, &given, known, &mut found)?,
            Err(error) => found.push(format!("the body is not JSON: {error}")),
        }
    }
    if !found.is_empty() {
        let text = answer.text();
        let shown: String = text.chars().take(SHOWN_BYTES).collect();
        found.push(format!("the answer was {} {shown:?}", answer.status));
    }
    Ok(found)
}

/// Whether `given` has all that `wanted` has. Texts are patterns; lists are of the same length.
fn compare_json(
    place: &str,
    wanted: &Value,
    given: &Value,
    known: &Known<'_>,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    let is_as_wanted = match (wanted, given) {
        (Value::Object(wanted), Value::Object(given)) => {
            for (key, wanted) in wanted {
                let place = format!("{place}/{key}");
                match given.get(key) {
                    Some(given) => compare_json(&place, wanted, given, known, found)?,
                    None => found.push(format!("{place} is missing")),
                }
            }
            true
        }
        (Value::Array(wanted), Value::Array(given)) if wanted.len() == given.len() => {
            for (index, (wanted, given)) in wanted.iter().zip(given).enumerate() {
                compare_json(&format!("{place}/{index}"), wanted, given, known, found)?;
            }
            true
        }
        (Value::String(wanted), Value::String(given)) => {
            pattern::matches(&known.parts(wanted)?, given)
        }
        _ => wanted == given,
    };
    if !is_as_wanted {
        found.push(format!("{place} is {given}, expected {wanted}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sdk_fixtures::Fixtures;
    use serde_json::json;

    use super::*;

    fn found(wanted: &Value, given: &Value) -> Vec<String> {
        let (fixtures, kept) = (Fixtures::builtin(), BTreeMap::new());
        let known = Known { fixtures: &fixtures, host: String::new(), run: "", kept: &kept };
        let mut found = Vec::new();
        compare_json("", wanted, given, &known, &mut found).unwrap();
        found
    }

    #[test]
    fn an_object_may_have_more_than_is_expected_and_a_list_may_not() {
        let given = json!({"a": [1, {"b": "text 12", "c": null}], "d": true});
        assert_eq!(found(&json!({"a": [1, {"b": "text {{digits}}"}]}), &given), [""; 0]);
        assert_eq!(found(&json!({"a": [1, {"c": null}], "d": true}), &given), [""; 0]);
        assert_eq!(found(&json!({"x": null}), &given), ["/x is missing"]);
        assert_eq!(found(&json!({"d": false}), &given), ["/d is true, expected false"]);
        assert_eq!(found(&json!({"a": [1]}), &given).len(), 1);
        assert_eq!(found(&json!({"a": [1, {"b": "text"}]}), &given).len(), 1);
    }
}
