//! The way back to the fixtures, within one transaction: requests see the state before or after.
//!
//! The image of the fixture database is attached to the writing connection. Rows that may differ from it
//! are removed and copied from there. A whole table is emptied and filled, which SQLite does by copying
//! records as they are, since both have one schema.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::changed_rows::{ChangedRows, Rows};
use super::relative;
use super::schema;

/// Makes `image` known to `db` under the name `image`.
///
/// # Errors
/// Those of the database.
pub(crate) fn attach(db: &Connection, image: &Path) -> rusqlite::Result<()> {
    let mut uri = String::from("file:");
    for byte in image.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            // Writing to a String cannot fail.
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    // Nobody changes an image once it has its name: locks are not needed.
    uri.push_str("?mode=ro&immutable=1");
    db.execute("ATTACH DATABASE ? AS image", [uri])?;
    Ok(())
}

/// Puts all tables that the fixtures fill back to what they were, with times relative to now. Rows that
/// are not in `changed` are as in the image, save for such times.
///
/// # Errors
/// Those of the database.
pub(crate) fn restore(db: &Connection, changed: &ChangedRows) -> rusqlite::Result<()> {
    for table in reset_tables(db)? {
        let delete = format!("DELETE FROM main.{table}");
        let insert = format!("INSERT INTO main.{table} SELECT * FROM image.{table}");
        match changed.of(&table) {
            Rows::All => {
                db.prepare_cached(&delete)?.execute([])?;
                db.prepare_cached(&insert)?.execute([])?;
            }
            Rows::These(ids) => {
                // All are removed before the first is back: no two have one uuid.
                for sql in [delete, insert] {
                    let mut statement = db.prepare_cached(&format!("{sql} WHERE id = ?"))?;
                    for id in ids {
                        statement.execute([id])?;
                    }
                }
            }
        }
    }
    relative::refresh(db, "image")?;
    schema::touch_permissions(db)
}

fn reset_tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT name FROM image.reset_tables")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// An email of a user outside the fixtures that is not a test address; `None` if there is no such
/// user, and resetting is safe.
///
/// # Errors
/// Those of the database.
pub(crate) fn foreign_user(
    db: &Connection,
    allowed_endings: &[&str],
) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT uuid, coalesce(email, '') FROM main.users
               WHERE uuid NOT IN (SELECT uuid FROM image.users)";
    let users: Vec<(String, String)> = db
        .prepare_cached(sql)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .map(Iterator::collect::<rusqlite::Result<_>>)
        .transpose()?
        .unwrap_or_default();
    let foreign = users
        .into_iter()
        .find(|(_, email)| !allowed_endings.iter().any(|ending| email.ends_with(ending)));
    Ok(foreign.map(|(uuid, _)| uuid))
}

#[cfg(test)]
mod tests {
    use sdk_fixtures::Fixtures;

    use super::*;
    use crate::api::error::ApiError;
    use crate::api::image;
    use crate::api::store::Store;
    use crate::era::Era;

    /// Rows of some tables are removed, changed and added, of one more than are remembered one by one.
    const CHANGES: &str = "
        DELETE FROM collections WHERE id % 3 = 0;
        UPDATE collections SET name = 'other', owner_uuid = NULL WHERE id % 3 = 1;
        INSERT INTO collections (uuid) VALUES ('a new one');
        UPDATE users SET uuid = 'swapped' WHERE id = (SELECT min(id) FROM users);
        UPDATE users SET uuid = (SELECT uuid FROM image.users ORDER BY id LIMIT 1)
            WHERE id = (SELECT max(id) FROM users);
        DELETE FROM links WHERE TRUE;
        WITH RECURSIVE numbers (number) AS (
            SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT 2000
        ) INSERT INTO logs (uuid) SELECT 'log ' || number FROM numbers;
    ";

    fn change(store: &Store) {
        store.write(|db| Ok(db.execute_batch(CHANGES)?)).unwrap();
    }

    fn reset(store: &Store) {
        store.reset(|db, changed| Ok(restore(db, changed)?)).unwrap();
    }

    /// Tables that are not as in the image, in what is not relative to now.
    fn differing(store: &Store) -> Vec<String> {
        let differs = |db: &Connection, table: &str| -> rusqlite::Result<bool> {
            let columns = "SELECT group_concat(name) FROM pragma_table_info(?1) WHERE name NOT IN
                (SELECT column_name FROM image.relative_columns WHERE table_name = ?1)";
            let columns: String = db.query_row(columns, [table], |row| row.get(0))?;
            let rows = |schema: &str| format!("SELECT {columns} FROM {schema}.{table}");
            let less =
                |one: &str, other: &str| format!("EXISTS ({} EXCEPT {})", rows(one), rows(other));
            let sql = format!("SELECT {} OR {}", less("main", "image"), less("image", "main"));
            db.query_row(&sql, [], |row| row.get(0))
        };
        let of_all = |db: &Connection| -> rusqlite::Result<Vec<String>> {
            let mut tables = reset_tables(db)?;
            tables.retain(|table| differs(db, table).unwrap());
            Ok(tables)
        };
        store.write(|db| Ok(of_all(db)?)).unwrap()
    }

    #[test]
    fn all_that_was_changed_is_as_before() {
        for era in Era::ALL {
            let folder = tempfile::tempdir().unwrap();
            let image = image::prepare(&Fixtures::builtin(), folder.path(), era).unwrap();
            let path = folder.path().join("database");
            let store = Store::open(&path, &image).unwrap();
            assert_eq!(differing(&store), [""; 0]);
            for _ in 0..2 {
                change(&store);
                assert_eq!(differing(&store), ["users", "collections", "links", "logs"]);
                reset(&store);
                assert_eq!(differing(&store), [""; 0], "{era:?}");
            }
            change(&store);
            // Another server does not know what this one has changed.
            drop(store);
            let store = Store::open(&path, &image).unwrap();
            reset(&store);
            assert_eq!(differing(&store), [""; 0], "{era:?}");
        }
    }

    #[test]
    fn a_database_made_from_an_older_image_has_times_of_now() {
        let folder = tempfile::tempdir().unwrap();
        let prepare = || image::prepare(&Fixtures::builtin(), folder.path(), Era::Current).unwrap();
        let first = prepare();
        let sql = "UPDATE users SET created_at = '2001-01-01T00:00:00.000000000Z'";
        Connection::open(first.path).unwrap().execute(sql, []).unwrap();
        let store = Store::open(&folder.path().join("database"), &prepare()).unwrap();
        let relative = "(SELECT row_id FROM image.relative_values WHERE table_name = 'users')";
        let sql =
            format!("SELECT count(*) FROM users WHERE created_at < '2002' AND id IN {relative}");
        let old: i64 = store.write(|db| Ok(db.query_row(&sql, [], |row| row.get(0))?)).unwrap();
        assert_eq!(old, 0);
    }

    #[test]
    fn a_reset_that_fails_forgets_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let image = image::prepare(&Fixtures::builtin(), folder.path(), Era::Current).unwrap();
        let store = Store::open(&folder.path().join("database"), &image).unwrap();
        change(&store);
        let failed: Result<(), _> = store.reset(|db, changed| {
            restore(db, changed)?;
            Err(ApiError::NotFound)
        });
        assert!(failed.is_err());
        assert_ne!(differing(&store), [""; 0]);
        reset(&store);
        assert_eq!(differing(&store), [""; 0]);
    }
}
