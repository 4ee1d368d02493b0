//! The SQL tables, as they follow from the resource table.

use std::fmt::Write as _;

use rusqlite::Connection;

use super::resource::{Kind, Resource};
use super::resources::{self, LOGS};
use super::versions;
use crate::era::Era;
use crate::era::api::{DEFAULT_ORDER, HIDDEN_FROM};

/// Columns that lists are restricted to. Their indexes go on in the order of lists, so that a page is
/// found without looking at the others, and have what hides an object, so that all can be counted by
/// the index alone.
const LISTED_BY: &[&str] = &[
    "owner_uuid",
    "portable_data_hash",
    "tail_uuid",
    "head_uuid",
    "object_uuid",
    "object_owner_uuid",
];

/// Columns by which few objects are found.
const FOUND_BY: &[&str] = &[
    "api_token",
    "trash_at",
    "expires_at",
    "current_version_uuid",
    "container_uuid",
    "requesting_container_uuid",
];

/// What only the server knows: which tables a reset restores, which values are relative to its time,
/// and a number that changes with everything that permissions depend on.
const INTERNAL: &str = "
CREATE TABLE reset_tables (name TEXT PRIMARY KEY);
CREATE TABLE relative_columns (
    table_name TEXT, column_name TEXT, PRIMARY KEY (table_name, column_name)
) WITHOUT ROWID;
CREATE TABLE relative_values (
    table_name TEXT, column_name TEXT, row_id INTEGER, template TEXT,
    PRIMARY KEY (table_name, column_name, row_id)
) WITHOUT ROWID;
CREATE TABLE permission_generation (value INTEGER);
INSERT INTO permission_generation VALUES (1);
";

/// The statements that make an empty database of `era`.
pub(crate) fn statements(era: Era) -> String {
    tables(era) + &indexes(era)
}

/// Those that make its tables.
pub(crate) fn tables(era: Era) -> String {
    let tables = resources::with_table(era).map(|resource| {
        let table = resource.plural;
        // Whoever follows the log asks for what is behind an id: none may come again, not even
        // after a reset.
        let counting = if table == LOGS.plural { " AUTOINCREMENT" } else { "" };
        let mut sql = format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY{counting}");
        for column in resource.columns(era).filter(|column| column.name != "id") {
            let affinity = match column.kind {
                Kind::Integer | Kind::Boolean => "INTEGER",
                Kind::Float => "REAL",
                _ => "TEXT",
            };
            // Writing to a String cannot fail.
            let _ = write!(sql, ", {} {affinity}", column.name);
        }
        sql + ");\n"
    });
    INTERNAL.to_owned() + &tables.collect::<String>()
}

/// Those that make its indexes, which takes less time once the tables are filled.
pub(crate) fn indexes(era: Era) -> String {
    resources::with_table(era).map(|resource| indexes_of(resource, era)).collect()
}

fn indexes_of(resource: &Resource, era: Era) -> String {
    let table = resource.plural;
    let has = |column: &&&str| resource.column(era, column).is_some();
    let index = |column: &str, rest: &str| {
        format!("CREATE INDEX {table}_{column} ON {table} ({column}{rest});\n")
    };
    // Read backwards it is the order of lists, the latest first.
    let in_order = match DEFAULT_ORDER.of(era) {
        [("modified_at", "desc"), ("uuid", "asc")] => "modified_at, uuid DESC",
        _ => "modified_at, uuid",
    };
    let hiding = hiding(resource, era);
    let mut sql = format!("CREATE UNIQUE INDEX {table}_uuid ON {table} (uuid);\n");
    sql += &format!("CREATE INDEX {table}_modified_at ON {table} ({in_order}{hiding});\n");
    sql += &index("created_at", ", uuid");
    if resource.column(era, "name").is_some() {
        sql += &index("name", ", owner_uuid");
    }
    let rest = format!(", {in_order}{hiding}");
    sql.extend(LISTED_BY.iter().filter(has).map(|column| index(column, &rest)));
    sql.extend(FOUND_BY.iter().filter(has).map(|column| index(column, "")));
    if let Some(past) = versions::past(era, resource) {
        sql += &format!("CREATE INDEX {table}_past ON {table} (({past}));\n");
    }
    sql
}

/// What hides an object from lists, as further columns of an index.
fn hiding(resource: &Resource, era: Era) -> String {
    let ends = HIDDEN_FROM.of(era);
    let ends = resource.column(era, ends).map(|_| format!(", {ends}"));
    let is_past = versions::past(era, resource).map(|past| format!(", ({past})"));
    [ends, is_past].into_iter().flatten().collect()
}

/// Tells every cached permission computation that it is out of date, once this transaction commits.
///
/// # Errors
/// Those of the database.
pub(crate) fn touch_permissions(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE permission_generation SET value = value + 1")?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_takes_the_tables_of_both_eras() {
        for era in [Era::Current, Era::Y2015] {
            let db = Connection::open_in_memory().unwrap();
            db.execute_batch(&statements(era)).unwrap();
        }
    }
}
