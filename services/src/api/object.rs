//! Objects in the database: rows of a resource's table as JSON maps.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params_from_iter};
use serde_json::{Map, Value};

use super::condition::Condition;
use super::resource::{Attribute, Resource};
use super::value;
use crate::era::Era;

/// The stored attributes of one object; hidden ones, which only the server needs, included.
pub(crate) type Object = Map<String, Value>;

/// The text of an attribute, empty if it is null or absent.
pub(crate) fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The flag `name`, false if it is null or absent.
pub(crate) fn flag(object: &Object, name: &str) -> bool {
    object.get(name) == Some(&Value::Bool(true))
}

/// The number `name`, 0 if it is null or absent.
pub(crate) fn integer(object: &Object, name: &str) -> i64 {
    object.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// Whether `changes` give `name` another value than `old` has; a new object had nulls.
pub(crate) fn is_changed(name: &str, changes: &Object, old: Option<&Object>) -> bool {
    let before = old.and_then(|old| old.get(name)).unwrap_or(&Value::Null);
    changes.get(name).is_some_and(|now| now != before)
}

/// `old` with `changes`.
pub(crate) fn merged(changes: &Object, old: Option<&Object>) -> Object {
    let mut merged = old.cloned().unwrap_or_default();
    merged.extend(changes.clone());
    merged
}

/// Which columns to read.
pub(crate) struct Columns(Vec<&'static Attribute>);

impl Columns {
    /// Those of `resource` that pass `wanted`.
    pub(crate) fn of(resource: &Resource, era: Era, wanted: impl Fn(&Attribute) -> bool) -> Self {
        Self(resource.columns(era).filter(|column| wanted(column)).collect())
    }

    /// The text between `SELECT` and `FROM`.
    pub(crate) fn sql(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|column| column.name).collect();
        names.join(", ")
    }

    /// Reads a row that was selected with [`Self::sql`].
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Object> {
        let mut object = Object::with_capacity(self.0.len());
        for (position, column) in self.0.iter().enumerate() {
            let read = value::from_sql(column.kind, row.get_ref(position)?);
            object.insert(column.name.to_owned(), read);
        }
        Ok(object)
    }
}

/// The first object for which `condition` holds.
///
/// # Errors
/// Those of the database.
pub(crate) fn find(
    db: &Connection,
    resource: &Resource,
    era: Era,
    condition: &Condition,
) -> rusqlite::Result<Option<Object>> {
    let columns = Columns::of(resource, era, |_| true);
    let sql = format!(
        "SELECT {} FROM {} WHERE {} LIMIT 1",
        columns.sql(),
        resource.plural,
        condition.sql
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&condition.parameters))?;
    rows.next()?.map(|row| columns.read(row)).transpose()
}

/// All objects for which `condition` holds, by their uuids.
///
/// # Errors
/// Those of the database.
pub(crate) fn all(
    db: &Connection,
    resource: &Resource,
    era: Era,
    condition: &Condition,
) -> rusqlite::Result<Vec<Object>> {
    find_all(db, resource, era, condition, "uuid")
}

/// All objects for which `condition` holds, in this `order`.
///
/// # Errors
/// Those of the database.
pub(crate) fn find_all(
    db: &Connection,
    resource: &Resource,
    era: Era,
    condition: &Condition,
    order: &str,
) -> rusqlite::Result<Vec<Object>> {
    let columns = Columns::of(resource, era, |_| true);
    let sql = format!(
        "SELECT {} FROM {} WHERE {} ORDER BY {order}",
        columns.sql(),
        resource.plural,
        condition.sql
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows =
        statement.query_map(params_from_iter(&condition.parameters), |row| columns.read(row))?;
    rows.collect()
}

/// Whether there is an object for which `condition` holds.
///
/// # Errors
/// Those of the database.
pub(crate) fn exists(
    db: &Connection,
    resource: &Resource,
    condition: &Condition,
) -> rusqlite::Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {})", resource.plural, condition.sql);
    db.prepare_cached(&sql)?.query_row(params_from_iter(&condition.parameters), |row| row.get(0))
}

/// Adds an object; attributes that it lacks are null. Returns its row id.
///
/// # Errors
/// Those of the database.
pub(crate) fn insert(
    db: &Connection,
    resource: &Resource,
    era: Era,
    object: &Object,
) -> rusqlite::Result<i64> {
    let columns: Vec<_> = resource.columns(era).collect();
    let names: Vec<_> = columns.iter().map(|column| column.name).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", resource.plural, names.join(", "));
    let values = columns.iter().map(|column| sql_of(column, object));
    db.prepare_cached(&sql)?.insert(params_from_iter(values))
}

/// Sets the attributes in `changes` of the object `uuid`.
///
/// # Errors
/// Those of the database.
pub(crate) fn update(
    db: &Connection,
    resource: &Resource,
    era: Era,
    uuid: &str,
    changes: &Object,
) -> rusqlite::Result<()> {
    let columns: Vec<_> =
        resource.columns(era).filter(|column| changes.contains_key(column.name)).collect();
    let sets: Vec<_> = columns.iter().map(|column| format!("{} = ?", column.name)).collect();
    if sets.is_empty() {
        return Ok(());
    }
    let sql = format!("UPDATE {} SET {} WHERE uuid = ?", resource.plural, sets.join(", "));
    let values = columns.iter().map(|column| sql_of(column, changes));
    let values = values.chain([Sql::Text(uuid.to_owned())]);
    db.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok(())
}

/// Removes the objects for which `condition` holds.
///
/// # Errors
/// Those of the database.
pub(crate) fn delete(
    db: &Connection,
    resource: &Resource,
    condition: &Condition,
) -> rusqlite::Result<()> {
    let sql = format!("DELETE FROM {} WHERE {}", resource.plural, condition.sql);
    db.prepare_cached(&sql)?.execute(params_from_iter(&condition.parameters))?;
    Ok(())
}

fn sql_of(column: &Attribute, object: &Object) -> Sql {
    let value = object.get(column.name).unwrap_or(&Value::Null);
    value::to_sql(column.kind, value)
}
