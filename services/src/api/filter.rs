//! Filters of lists, `[attribute, operator, operand]`, as SQL conditions.

use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use super::condition::Condition;
use super::error::{Result, unprocessable};
use super::expression;
use super::full_text;
use super::operand::{self, invalid_operand, invalid_operator};
use super::resource::{Attribute, Kind, Resource};
use super::resources::{self, API_CLIENT_AUTHORIZATIONS};
use super::subproperty;
use super::tokens;
use crate::era::Era;
use crate::era::api::{FILTERS_COMPARE_ATTRIBUTES, FILTERS_LOOK_INTO_OBJECTS};

/// The most operands in the filters of a request, where a list counts as one: the time that SQLite
/// needs to plan a query grows with their square.
const MAX_OPERANDS: usize = 2_000;

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
    let condition = Condition::all(conditions?);
    match condition.parameters.len() > MAX_OPERANDS {
        true => Err(unprocessable(format!("filters have more than {MAX_OPERANDS} operands"))),
        false => Ok(condition),
    }
}

/// The condition of the older parameter `where`: `{attribute: value, …}`.
///
/// # Errors
/// As [`compile`].
pub(crate) fn compile_where(resource: &Resource, era: Era, given: &Value) -> Result<Condition> {
    let kind = |name: &str| resource.attribute(era, name).map(|attribute| attribute.kind);
    let filters = of_where(given, |name| kind(name) == Some(Kind::Array))?;
    compile(resource, era, &Value::Array(filters))
}

/// The older parameter `where` as filters. An array is what `is_array` of an attribute is equal to,
/// and has the values of which others are one.
///
/// # Errors
/// When it is not an object.
pub(crate) fn of_where(given: &Value, is_array: impl Fn(&str) -> bool) -> Result<Vec<Value>> {
    let Value::Object(wanted) = given else {
        return Err(unprocessable("where must be an object"));
    };
    Ok(wanted
        .iter()
        .map(|(attribute, wanted)| match wanted {
            Value::Array(list) if !is_array(attribute) => match list.as_slice() {
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
        Value::String(text) if text.starts_with('(') => {
            let parts = expression::parts(text);
            parts.is_none_or(|(left, _, right)| known(left) && known(right))
        }
        Value::String(name) => known(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).all(known),
        // What is wrong everywhere is told when it is compiled.
        _ => true,
    }
}

fn one(resource: &Resource, era: Era, filter: &Value) -> Result<Condition> {
    let wrong = |what| unprocessable(format!("Invalid element in filters array: {filter} {what}"));
    let parts = filter.as_array().ok_or_else(|| wrong("is not an array"))?;
    let [attribute, operator, operand] = parts.as_slice() else {
        return Err(wrong("is not a triple of attribute, operator and operand"));
    };
    let operator = operator.as_str().map(str::to_lowercase);
    let operator = operator.ok_or_else(|| wrong("has an invalid operator, which is no text"))?;
    if operator == "@@" {
        return full_text::condition(resource, era, attribute, operand);
    }
    match attribute {
        Value::String(name) if name == "any" => any(resource, era, &operator, operand),
        Value::String(name) => named(resource, era, name, &operator, operand),
        // As the real server does: alternatives that are none leave all as it is.
        Value::Array(names) if names.is_empty() => Ok(Condition::all([])),
        Value::Array(names) => {
            let conditions: Result<Vec<_>> = names
                .iter()
                .map(|name| {
                    named(resource, era, name.as_str().unwrap_or_default(), &operator, operand)
                })
                .collect();
            Ok(Condition::any(conditions?))
        }
        _ => Err(unprocessable(format!("Invalid attribute {attribute} in filter"))),
    }
}

/// At least one of the attributes that are texts fits; a pattern is also looked for in objects.
fn any(resource: &Resource, era: Era, operator: &str, operand: &Value) -> Result<Condition> {
    let texts = resource.attributes(era).filter(|attribute| attribute.searchable());
    let mut conditions: Vec<_> =
        texts.map(|attribute| compare(era, attribute, operator, operand)).collect::<Result<_>>()?;
    if matches!(operator, "like" | "ilike") {
        let objects = resource.attributes(era).filter(|attribute| {
            attribute.stored && !attribute.is_hidden() && attribute.kind == Kind::Object
        });
        conditions.extend(objects.filter_map(|object| matching(object.name, operator, operand)));
    }
    Ok(Condition::any(conditions))
}

/// One attribute, or an expression of two.
fn named(
    resource: &Resource,
    era: Era,
    name: &str,
    operator: &str,
    operand: &Value,
) -> Result<Condition> {
    match FILTERS_COMPARE_ATTRIBUTES.of(era) && name.trim_start().starts_with('(') {
        true => expression::compare(resource, era, name, operator, operand),
        false => on_attribute(resource, era, name, operator, operand),
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
            (true, "=") => is_a(era, uuid_column, operand),
            (true, _) => Err(invalid_operator(operator, name)),
            (false, _) => Err(unknown()),
        };
    }
    let attribute = resource.attribute(era, name).ok_or_else(unknown)?;
    if !attribute.stored {
        return Err(unknown());
    }
    if (resource.plural, name, operator) == (API_CLIENT_AUTHORIZATIONS.plural, "scopes", "=")
        && let Some(condition) = tokens::with_scopes(operand)
    {
        return Ok(condition);
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
    let is_text = matches!(attribute.kind, Kind::String | Kind::Text);
    let wrong = || invalid_operand(operator, operand, column);
    match operator {
        "=" => equal(attribute, operator, operand),
        "!=" => Ok(equal(attribute, operator, operand)?.negated()),
        "<" | "<=" | ">" | ">=" => {
            let ordered = !matches!(attribute.kind, Kind::Boolean | Kind::Array);
            let operand = sql_operand(attribute, operator, operand).ok().filter(|_| ordered);
            Ok(Condition::new(format!("{column} {operator} ?"), [operand.ok_or_else(wrong)?]))
        }
        "like" | "ilike" if is_text => matching(column, operator, operand).ok_or_else(wrong),
        "like" | "ilike" => Err(wrong()),
        "in" => among(attribute, operator, operand),
        "not in" => match operand {
            // PostgreSQL is asked `NOT IN (NULL)`, which is never true.
            Value::Array(list) if list.is_empty() => {
                Ok(Condition::plain(format!("{column} IS NULL")))
            }
            Value::Array(list) if list.contains(&Value::Null) => Ok(Condition::any([])),
            _ => Ok(among(attribute, operator, operand)?.negated()),
        },
        "is_a" if is_text => is_a(era, column, operand),
        "exists" if FILTERS_LOOK_INTO_OBJECTS.of(era) => subproperty::exists(attribute, operand),
        "contains" if FILTERS_LOOK_INTO_OBJECTS.of(era) => {
            subproperty::contains(attribute, operand)
        }
        _ => Err(invalid_operator(operator, column)),
    }
}

fn equal(attribute: &Attribute, operator: &str, operand: &Value) -> Result<Condition> {
    let column = attribute.name;
    if operand.is_null() && attribute.kind != Kind::Object {
        return Ok(Condition::plain(format!("{column} IS NULL")));
    }
    let operand = sql_operand(attribute, operator, operand)?;
    Ok(Condition::new(format!("{column} = ?"), [operand]))
}

/// The text of `column` fits a pattern; `None` if `operand` is none.
fn matching(column: &str, operator: &str, operand: &Value) -> Option<Condition> {
    let pattern = Sql::Text(operand.as_str()?.to_owned());
    Some(Condition::new(format!("pg_{operator}({column}, ?)"), [pattern]))
}

fn among(attribute: &Attribute, operator: &str, operand: &Value) -> Result<Condition> {
    let Value::Array(list) = operand else {
        return Err(invalid_operand(operator, operand, attribute.name));
    };
    // Nothing is equal to null.
    let given = list.iter().filter(|item| !item.is_null());
    let list: Result<Vec<Value>> =
        given.map(|item| Ok(json_of(sql_operand(attribute, operator, item)?))).collect();
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
    operand::read(attribute.kind, operand)
        .ok_or_else(|| invalid_operand(operator, operand, attribute.name))
}

/// The uuid in `column` is of a class with one of these kinds.
fn is_a(era: Era, column: &str, operand: &Value) -> Result<Condition> {
    let kinds = match operand {
        Value::Array(kinds) => kinds.iter().collect(),
        kind => vec![kind],
    };
    let kinds: Option<Vec<&str>> = kinds.into_iter().map(Value::as_str).collect();
    let kinds = kinds.ok_or_else(|| invalid_operand("is_a", operand, column))?;
    // Nothing is of a kind that this server lacks.
    let known = kinds.into_iter().filter_map(|kind| resources::by_kind(era, kind));
    let infixes: Vec<&str> = known.map(|resource| resource.infix).collect();
    Ok(Condition::one_of(&format!("substr({column}, 7, 5)"), &infixes))
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
            json!([["(name = uuid)", "=", true]]),
            json!([["(version < file_count)", "=", false]]),
            json!([["name", "<>", "x"]]),
            json!([["name", "=", 1]]),
            json!([["name", "in", [1]]]),
            json!([["is_trashed", "=", 1]]),
            json!([["created_at", "=", ""]]),
            json!([["created_at", "is_a", "arvados#group"]]),
            json!([["properties", "=", {}]]),
            json!([["any", "@@", "x"]]),
            json!([[7, "=", "x"]]),
        ] {
            assert!(compile(&COLLECTIONS, Era::Current, &filters).is_err(), "{filters}");
        }
    }

    #[test]
    fn too_many_operands_are_refused() {
        let filters = |count| Value::from(vec![json!(["name", "=", "x"]); count]);
        assert!(compile(&COLLECTIONS, Era::Current, &filters(MAX_OPERANDS)).is_ok());
        assert!(compile(&COLLECTIONS, Era::Current, &filters(MAX_OPERANDS + 1)).is_err());
    }

    #[test]
    fn where_is_translated() {
        let given = json!({"name": ["contains", "x"], "version": [1, 2]});
        let condition = compile_where(&COLLECTIONS, Era::Current, &given).unwrap();
        assert_eq!(
            condition.sql,
            "(pg_ilike(name, ?) AND version IN (SELECT value FROM json_each(?)))"
        );
        let given = json!({"storage_classes_desired": ["a"]});
        let condition = compile_where(&COLLECTIONS, Era::Current, &given).unwrap();
        assert_eq!(condition.sql, "storage_classes_desired = ?");
    }
}
