//! Filters of lists, `[attribute, operator, operand]`, as SQL conditions.

use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use super::condition::Condition;
use super::error::{Result, unprocessable};
use super::resource::{Attribute, Kind, Resource};
use super::resources;
use super::subproperty;
use super::value;
use crate::era::Era;
use crate::era::api::{FILTERS_COMPARE_ATTRIBUTES, FILTERS_LOOK_INTO_OBJECTS};

/// The condition that all of `filters` hold.
///
/// # Errors
/// When they are not an array of triples, or one names an unknown attribute or operator, or has an
/// operand of the wrong type.
pub(crate) fn compile(resource: &Resource, era: Era, filters: &Value) -> Result<Condition> {
    let Value::Array(filters) = filters else {
        return Err(unprocessable("filters must be an array"));
    };
    let conditions: Result<Vec<_>> =
        filters.iter().map(|filter| one(resource, era, filter)).collect();
    Ok(Condition::all(conditions?))
}

/// The condition of the older parameter `where`: `{attribute: value, …}`.
///
/// # Errors
/// As [`compile`].
pub(crate) fn compile_where(resource: &Resource, era: Era, given: &Value) -> Result<Condition> {
    compile(resource, era, &Value::Array(of_where(given)?))
}

/// The older parameter `where` as filters.
///
/// # Errors
/// When it is not an object.
pub(crate) fn of_where(given: &Value) -> Result<Vec<Value>> {
    let Value::Object(wanted) = given else {
        return Err(unprocessable("where must be an object"));
    };
    Ok(wanted
        .iter()
        .map(|(attribute, wanted)| match wanted {
            Value::Array(list) => match list.as_slice() {
                [contains, Value::String(text)] if contains == "contains" => {
                    json!([attribute, "ilike", format!("%{text}%")])
                }
                _ => json!([attribute, "in", list]),
            },
            _ => json!([attribute, "=", wanted]),
        })
        .collect())
}

/// Whether objects of `resource` have what the first part of a filter names: one attribute, all of
/// several, or the two in an expression.
pub(crate) fn knows(resource: &Resource, era: Era, attribute: &Value) -> bool {
    let known = |name: &str| {
        let name = name.split_once('.').map_or(name, |(object, _)| object);
        name == "any" || resource.attribute(era, name).is_some()
    };
    match attribute {
        Value::String(expression) if expression.starts_with('(') => {
            let words = expression.trim_matches(['(', ')']).split_whitespace().step_by(2);
            words.into_iter().all(known)
        }
        Value::String(name) => known(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).all(known),
        // What is wrong everywhere is told when it is compiled.
        _ => true,
    }
}

fn one(resource: &Resource, era: Era, filter: &Value) -> Result<Condition> {
    let parts = filter.as_array().map(Vec::as_slice);
    let Some([attribute, Value::String(operator), operand]) = parts else {
        return Err(unprocessable(format!(
            "Invalid element in filters array: {filter} is not a triple of attribute, operator and operand"
        )));
    };
    let operator = operator.to_lowercase();
    match attribute {
        Value::String(name) if name == "any" => any(resource, era, &operator, operand),
        Value::String(name) if name.starts_with('(') => expression(resource, era, name, operand),
        Value::String(name) => on_attribute(resource, era, name, &operator, operand),
        Value::Array(names) => {
            let conditions: Result<Vec<_>> = names
                .iter()
                .map(|name| {
                    let name = name.as_str().unwrap_or_default();
                    on_attribute(resource, era, name, &operator, operand)
                })
                .collect();
            Ok(Condition::any(conditions?))
        }
        _ => Err(unprocessable(format!("Invalid attribute {attribute} in filter"))),
    }
}

/// At least one of the attributes that are texts fits.
fn any(resource: &Resource, era: Era, operator: &str, operand: &Value) -> Result<Condition> {
    let texts = resource.attributes(era).filter(|attribute| attribute.searchable());
    let conditions: Result<Vec<_>> =
        texts.map(|attribute| compare(era, attribute, operator, operand)).collect();
    Ok(Condition::any(conditions?))
}

/// Compares two attributes with each other: `(file_count < version)`.
fn expression(resource: &Resource, era: Era, text: &str, operand: &Value) -> Result<Condition> {
    let wrong = || unprocessable(format!("Invalid attribute expression {text:?} in filter"));
    if !FILTERS_COMPARE_ATTRIBUTES.of(era) || operand != &Value::Bool(true) {
        return Err(wrong());
    }
    let inner = text.trim_start_matches('(').trim_end_matches(')');
    let mut words = inner.split_whitespace();
    let (Some(left), Some(operator), Some(right), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(wrong());
    };
    let known = |name| resource.attribute(era, name).filter(|found| found.stored);
    let comparable = matches!(operator, "=" | "<" | "<=" | ">" | ">=");
    match (known(left), known(right)) {
        (Some(left), Some(right)) if comparable && left.kind == right.kind => {
            Ok(Condition::plain(format!("{} {operator} {}", left.name, right.name)))
        }
        _ => Err(wrong()),
    }
}

fn on_attribute(
    resource: &Resource,
    era: Era,
    name: &str,
    operator: &str,
    operand: &Value,
) -> Result<Condition> {
    let unknown = || unprocessable(format!("Invalid attribute '{name}' in filter"));
    let path = name.split_once('.').filter(|_| FILTERS_LOOK_INTO_OBJECTS.of(era));
    if let Some((object, key)) = path {
        let object = resource.attribute(era, object).ok_or_else(unknown)?;
        return subproperty::compare(object, key, operator, operand);
    }
    if let Some(uuid_column) = kind_of(name) {
        let known = resource.attribute(era, name).is_some();
        return match (known, operator) {
            (true, "=" | "in" | "is_a") => is_a(era, uuid_column, operand),
            (true, _) => Err(invalid_operator(operator, name)),
            (false, _) => Err(unknown()),
        };
    }
    let attribute = resource.attribute(era, name).ok_or_else(unknown)?;
    if !attribute.stored {
        return Err(unknown());
    }
    compare(era, attribute, operator, operand)
}

/// The column of whose uuid the virtual attribute `name` is the kind.
fn kind_of(name: &str) -> Option<&'static str> {
    match name {
        "head_kind" => Some("head_uuid"),
        "tail_kind" => Some("tail_uuid"),
        "object_kind" => Some("object_uuid"),
        _ => None,
    }
}

fn compare(era: Era, attribute: &Attribute, operator: &str, operand: &Value) -> Result<Condition> {
    let column = attribute.name;
    match operator {
        "=" => equal(attribute, operand),
        "!=" | "<>" => Ok(equal(attribute, operand)?.negated()),
        "<" | "<=" | ">" | ">=" => {
            let wrong_type = operand.is_null()
                || matches!(attribute.kind, Kind::Boolean | Kind::Object | Kind::Array);
            if wrong_type {
                return Err(invalid_operand(operator, operand, column));
            }
            let operand = sql_operand(attribute, operator, operand)?;
            Ok(Condition::new(format!("{column} {operator} ?"), [operand]))
        }
        "like" | "ilike" => match (attribute.kind, operand) {
            (Kind::String | Kind::Text, Value::String(pattern)) => Ok(Condition::new(
                format!("pg_{operator}({column}, ?)"),
                [Sql::Text(pattern.clone())],
            )),
            _ => Err(invalid_operand(operator, operand, column)),
        },
        "in" => among(attribute, operator, operand),
        "not in" => match operand {
            // PostgreSQL is asked `NOT IN (NULL)`, which is never true.
            Value::Array(list) if list.is_empty() => {
                Ok(Condition::plain(format!("{column} IS NULL")))
            }
            _ => Ok(among(attribute, operator, operand)?.negated()),
        },
        "is_a" => is_a(era, column, operand),
        "exists" if FILTERS_LOOK_INTO_OBJECTS.of(era) => subproperty::exists(attribute, operand),
        "contains" if FILTERS_LOOK_INTO_OBJECTS.of(era) => {
            subproperty::contains(attribute, operand)
        }
        _ => Err(invalid_operator(operator, column)),
    }
}

fn equal(attribute: &Attribute, operand: &Value) -> Result<Condition> {
    let column = attribute.name;
    if operand.is_null() {
        return Ok(Condition::plain(format!("{column} IS NULL")));
    }
    let operand = sql_operand(attribute, "=", operand)?;
    Ok(Condition::new(format!("{column} = ?"), [operand]))
}

fn among(attribute: &Attribute, operator: &str, operand: &Value) -> Result<Condition> {
    let Value::Array(list) = operand else {
        return Err(invalid_operand(operator, operand, attribute.name));
    };
    let list: Result<Vec<Value>> =
        list.iter().map(|item| Ok(json_of(sql_operand(attribute, operator, item)?))).collect();
    Ok(Condition::one_of(attribute.name, &list?))
}

fn json_of(sql: Sql) -> Value {
    match sql {
        Sql::Integer(integer) => Value::from(integer),
        Sql::Real(real) => Value::from(real),
        Sql::Text(text) => Value::from(text),
        Sql::Null | Sql::Blob(_) => Value::Null,
    }
}

fn sql_operand(attribute: &Attribute, operator: &str, operand: &Value) -> Result<Sql> {
    let wrong = || invalid_operand(operator, operand, attribute.name);
    if matches!(operand, Value::Object(_)) && attribute.kind != Kind::Object {
        return Err(wrong());
    }
    let value = value::accept(attribute.kind, operand).map_err(|_| wrong())?;
    Ok(value::to_sql(attribute.kind, &value))
}

/// The uuid in `column` is of a class with one of these kinds.
fn is_a(era: Era, column: &str, operand: &Value) -> Result<Condition> {
    let kinds = match operand {
        Value::Array(kinds) => kinds.iter().collect(),
        kind => vec![kind],
    };
    let infixes: Option<Vec<&str>> = kinds
        .into_iter()
        .map(|kind| {
            // A kind that this server lacks matches nothing.
            let resource = resources::by_kind(era, kind.as_str()?);
            Some(resource.map_or("", |resource| resource.infix))
        })
        .collect();
    let infixes = infixes.ok_or_else(|| invalid_operand("is_a", operand, column))?;
    Ok(Condition::one_of(&format!("substr({column}, 7, 5)"), &infixes))
}

/// The refusal of an operand.
pub(crate) fn invalid_operand(
    operator: &str,
    operand: &Value,
    attribute: &str,
) -> super::error::ApiError {
    unprocessable(format!(
        "Invalid operand {operand} for '{operator}' operator in filter on {attribute}"
    ))
}

/// The refusal of an operator.
pub(crate) fn invalid_operator(operator: &str, attribute: &str) -> super::error::ApiError {
    unprocessable(format!("Invalid operator '{operator}' in filter on {attribute}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::resources::{COLLECTIONS, LINKS};

    fn sql(filters: &Value) -> String {
        compile(&COLLECTIONS, Era::Current, filters).unwrap().sql
    }

    #[test]
    fn filters_are_joined_and_lists_of_attributes_are_alternatives() {
        let filters = json!([[["name", "description"], "=", "a"], ["version", ">", 1]]);
        assert_eq!(sql(&filters), "((name = ? OR description = ?) AND version > ?)");
        assert_eq!(sql(&json!([])), "TRUE");
    }

    #[test]
    fn null_is_compared_with_is() {
        assert_eq!(sql(&json!([["name", "=", null]])), "name IS NULL");
        assert_eq!(sql(&json!([["name", "!=", null]])), "(name IS NULL) IS NOT TRUE");
        assert_eq!(sql(&json!([["name", "not in", []]])), "name IS NULL");
    }

    #[test]
    fn operands_take_the_type_of_their_column() {
        let parameters =
            |filters| compile(&COLLECTIONS, Era::Current, &filters).unwrap().parameters;
        assert_eq!(parameters(json!([["is_trashed", "=", "t"]])), [Sql::Integer(1)]);
        assert_eq!(
            parameters(json!([["created_at", ">", "2014-01-01"]])),
            [Sql::Text("2014-01-01T00:00:00.000000000Z".to_owned())]
        );
        assert_eq!(parameters(json!([["version", "=", "2"]])), [Sql::Integer(2)]);
    }

    #[test]
    fn kinds_become_infixes() {
        let condition =
            compile(&LINKS, Era::Current, &json!([["head_kind", "=", "arvados#group"]])).unwrap();
        assert_eq!(condition.sql, "substr(head_uuid, 7, 5) IN (SELECT value FROM json_each(?))");
        assert_eq!(condition.parameters, [Sql::Text("[\"j7d0g\"]".to_owned())]);
    }

    #[test]
    fn wrong_filters_are_refused() {
        for filters in [
            json!("name"),
            json!([["name", "="]]),
            json!([["nome", "=", "x"]]),
            json!([["name", "~", "x"]]),
            json!([["name", "=", {}]]),
            json!([["name", "like", 1]]),
            json!([["version", "like", "1"]]),
            json!([["name", "<", null]]),
            json!([["created_at", ">", "yesterday"]]),
            json!([["name", "in", "x"]]),
            json!([["unsigned_manifest_text", "=", "x"]]),
            json!([["head_kind", "=", "arvados#group"]]),
            json!([["(version < nome)", "=", true]]),
            json!([["(version; DROP TABLE users)", "=", true]]),
            json!([[7, "=", "x"]]),
        ] {
            assert!(compile(&COLLECTIONS, Era::Current, &filters).is_err(), "{filters}");
        }
    }

    #[test]
    fn where_is_translated() {
        let given = json!({"name": ["contains", "x"], "version": [1, 2]});
        let condition = compile_where(&COLLECTIONS, Era::Current, &given).unwrap();
        assert_eq!(
            condition.sql,
            "(pg_ilike(name, ?) AND version IN (SELECT value FROM json_each(?)))"
        );
    }
}
