//! The SQL tables, as they follow from the resource table.

use std::fmt::Write as _;

use rusqlite::Connection;

use super::resource::{Kind, Resource};
use super::resources::{self, LOGS};
use crate::era::Era;

/// Columns that lists are restricted or ordered by, where a table has them.
const INDEXED: &[&str] = &[
    "owner_uuid",
    "modified_at",
    "name",
    "portable_data_hash",
    "api_token",
    "tail_uuid",
    "head_uuid",
    "object_uuid",
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
    let index = |table: &str, column: &str| {
        format!("CREATE INDEX {table}_{column} ON {table} ({column});\n")
    };
    let of_table = |resource: &'static Resource| {
        let table = resource.plural;
        let indexed = resource.columns(era).filter(|column| INDEXED.contains(&column.name));
        let others: String = indexed.map(|column| index(table, column.name)).collect();
        format!("CREATE UNIQUE INDEX {table}_uuid ON {table} (uuid);\n{others}")
    };
    resources::with_table(era).map(of_table).collect()
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
