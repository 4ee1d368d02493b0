//! The way back to the fixtures, within one transaction: requests see the state before or after.
//!
//! The image of the fixture database is attached to the writing connection. Tables are emptied and
//! filled from it, which SQLite does by copying records as they are, since both have one schema.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::schema;
use super::time;

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

/// Puts all tables that the fixtures fill back to what they were, with times relative to now.
///
/// # Errors
/// Those of the database.
pub(crate) fn restore(db: &Connection) -> rusqlite::Result<()> {
    for table in reset_tables(db)? {
        db.prepare_cached(&format!("DELETE FROM main.{table}"))?.execute([])?;
        db.prepare_cached(&format!("INSERT INTO main.{table} SELECT * FROM image.{table}"))?
            .execute([])?;
    }
    refresh_relative_times(db, "image")?;
    schema::touch_permissions(db)
}

fn reset_tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT name FROM image.reset_tables")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Sets all times that fixtures give relative to now, as the list in `source` says.
///
/// # Errors
/// Those of the database.
pub(crate) fn refresh_relative_times(db: &Connection, source: &str) -> rusqlite::Result<()> {
    let now = Timestamp::now();
    let sql = format!(
        "SELECT DISTINCT table_name, column_name, seconds FROM {source}.relative_times
         WHERE table_name IN (SELECT name FROM {source}.reset_tables)"
    );
    let groups: Vec<(String, String, f64)> = db
        .prepare_cached(&sql)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, column, seconds) in groups {
        let sql = format!(
            "UPDATE main.{table} SET {column} = ?1 WHERE id IN (
                 SELECT row_id FROM {source}.relative_times
                 WHERE table_name = ?2 AND column_name = ?3 AND seconds = ?4)"
        );
        db.prepare_cached(&sql)?.execute(params![
            time::ago(now, seconds),
            table,
            column,
            seconds
        ])?;
    }
    Ok(())
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
