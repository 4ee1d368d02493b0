//! Filters that compare two numbers of an object: `["(file_count < version)", "=", true]`.

use serde_json::Value;

use super::condition::Condition;
use super::error::{Result, unprocessable};
use super::resource::{Kind, Resource};
use crate::era::Era;

/// The condition that the numbers in the expression `text` compare in its way.
///
/// # Errors
/// When `text` is no such expression, one of its names is no number of `resource`, or the rest of the
/// filter is not `"=", true`.
pub(crate) fn compare(
    resource: &Resource,
    era: Era,
    text: &str,
    operator: &str,
    operand: &Value,
) -> Result<Condition> {
    let is_true = operator == "=" && (operand == true || operand == "true");
    let number = |name| {
        resource.attribute(era, name).filter(|found| found.stored && found.kind == Kind::Integer)
    };
    let named = parts(text).filter(|_| is_true);
    let condition = named.and_then(|(left, comparison, right)| {
        let (left, right) = (number(left)?.name, number(right)?.name);
        Some(Condition::plain(format!("{left} {comparison} {right}")))
    });
    condition
        .ok_or_else(|| unprocessable(format!("Invalid attribute expression {text:?} in filter")))
}

/// The names in an expression, and what is between them.
pub(crate) fn parts(text: &str) -> Option<(&str, &'static str, &str)> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    // The longer ones come first, lest a part of them is found.
    let comparison = ["<=", ">=", "<", ">", "="].into_iter().find(|known| inner.contains(known))?;
    let (left, right) = inner.split_once(comparison)?;
    Some((left.trim(), comparison, right.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::resources::COLLECTIONS;

    #[test]
    fn numbers_are_compared_with_each_other() {
        for written in ["(version <= file_count)", " ( version<=file_count ) "] {
            let operand = Value::Bool(true);
            let condition = compare(&COLLECTIONS, Era::Current, written, "=", &operand).unwrap();
            assert_eq!(condition.sql, "version <= file_count");
        }
    }
}
