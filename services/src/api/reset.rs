//! The way back to the fixtures, within one transaction: requests see the state before or after.
//!
//! The image of the fixture database is attached to the writing connection. Tables are emptied and
//! filled from it, which SQLite does by copying records as they are, since both have one schema.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

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
