//! The table of a class, as the loader of fixtures fills it.

use std::collections::{BTreeSet, HashSet};

use anyhow::bail;
use rusqlite::types::Value as Sql;
use rusqlite::{CachedStatement, Connection, ErrorCode, params, params_from_iter};

use super::object::{self, Object};
use super::resource::{Attribute, Resource};
use super::resources::USERS;
use super::value;
use crate::era::Era;

/// Classes of which others have the id: theirs are those that Rails gives them, or none.
const REFERRED: &[&str] = &[USERS.plural, "api_clients"];

/// The ids that Rails gives are below this.
pub(crate) const MAX_ID: i64 = (1 << 30) - 1;

/// As many attributes as nearly all fixtures set: room is made once for them.
const ATTRIBUTES: usize = 24;

/// A fixture, ready for its table.
pub(crate) struct Row {
    /// Its id, if no other has it.
    pub(crate) id: i64,
    /// Whether the fixture itself gives the id.
    pub(crate) has_own_id: bool,
    /// Its attributes, as far as they are set.
    pub(crate) object: Object,
    /// Columns that are relative to now, with their template; without one it is now itself.
    pub(crate) relative: Vec<(&'static str, Option<String>)>,
}

/// A table that is being filled.
pub(crate) struct FixtureTable<'a> {
    /// What it is of.
    pub(crate) resource: &'static Resource,
    db: &'a Connection,
    columns: Vec<&'static Attribute>,
    /// What each of them has when a fixture does not set it.
    initial: Vec<Sql>,
    insert: CachedStatement<'a>,
    note_relative: CachedStatement<'a>,
    relative: BTreeSet<&'static str>,
    uuids: HashSet<String>,
}

impl<'a> FixtureTable<'a> {
    /// The table of `resource` in `db`.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn new(
        db: &'a Connection,
        resource: &'static Resource,
        era: Era,
    ) -> rusqlite::Result<Self> {
        let columns: Vec<_> = resource.columns(era).filter(|column| column.name != "id").collect();
        let names: Vec<_> = columns.iter().map(|column| column.name).collect();
        let insert = format!(
            "INSERT INTO {} (id, {}) VALUES (?{})",
            resource.plural,
            names.join(", "),
            ", ?".repeat(names.len())
        );
        let initial = |column: &&Attribute| value::to_sql(column.kind, &value::initial(column));
        Ok(Self {
            resource,
            db,
            insert: db.prepare_cached(&insert)?,
            note_relative: db.prepare_cached("INSERT INTO relative_values VALUES (?, ?, ?, ?)")?,
            relative: BTreeSet::new(),
            uuids: HashSet::new(),
            initial: columns.iter().map(initial).collect(),
            columns,
        })
    }

    /// A row in which nothing is set yet.
    pub(crate) fn empty_row(id: i64) -> Row {
        let object = Object::with_capacity(ATTRIBUTES);
        Row { id, has_own_id: false, object, relative: Vec::new() }
    }

    /// Adds `row`. If another has the id that Rails gives it, it has the next one that is free.
    ///
    /// # Errors
    /// When another record has its id or uuid, and those of the database.
    pub(crate) fn insert(&mut self, row: &Row) -> anyhow::Result<()> {
        let uuid = object::text(&row.object, "uuid");
        // The index that sees to it is made when the table is filled.
        if !uuid.is_empty() && !self.uuids.insert(uuid.to_owned()) {
            bail!("another record has the uuid {uuid}");
        }
        let mut id = row.id;
        while let Err(error) = self.try_insert(id, &row.object) {
            if error.sqlite_error_code() != Some(ErrorCode::ConstraintViolation) {
                return Err(error.into());
            }
            if row.has_own_id || REFERRED.contains(&self.resource.plural) {
                bail!("another record has the id {id}; give one of them an `id` of its own");
            }
            id = (id + 1) % MAX_ID;
        }
        for (column, template) in &row.relative {
            self.note_relative.execute(params![self.resource.plural, column, id, template])?;
            self.relative.insert(column);
        }
        Ok(())
    }

    fn try_insert(&mut self, id: i64, object: &Object) -> rusqlite::Result<usize> {
        let columns = self.columns.iter().zip(&self.initial);
        let values = columns.map(|(column, initial)| match object.get(column.name) {
            Some(value) => value::to_sql(column.kind, value),
            None => initial.clone(),
        });
        self.insert.execute(params_from_iter([Sql::Integer(id)].into_iter().chain(values)))
    }

    /// Notes which columns have values that are relative to now.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn finish(self) -> rusqlite::Result<()> {
        let mut note = self.db.prepare_cached("INSERT INTO relative_columns VALUES (?, ?)")?;
        for column in &self.relative {
            note.execute([self.resource.plural, column])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::resources::COLLECTIONS;
    use crate::api::schema;

    fn insert(resource: &'static Resource, rows: &[(i64, &str, bool)]) -> anyhow::Result<Vec<i64>> {
        let db = Connection::open_in_memory()?;
        db.execute_batch(&schema::statements(Era::Current))?;
        let mut table = FixtureTable::new(&db, resource, Era::Current)?;
        for (id, uuid, has_own_id) in rows {
            let mut row = FixtureTable::empty_row(*id);
            row.has_own_id = *has_own_id;
            row.object.insert("uuid".to_owned(), (*uuid).into());
            table.insert(&row)?;
        }
        let sql = format!("SELECT id FROM {} ORDER BY uuid", resource.plural);
        let mut ids = db.prepare(&sql)?;
        let ids = ids.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(ids)
    }

    #[test]
    fn of_two_labels_with_one_id_the_second_has_the_next() {
        let rows = [(MAX_ID - 1, "a", false), (MAX_ID - 1, "b", false)];
        assert_eq!(insert(&COLLECTIONS, &rows).unwrap(), [MAX_ID - 1, 0]);
    }

    #[test]
    fn an_id_that_somebody_relies_on_is_not_changed() {
        let expected = "another record has the id 7; give one of them an `id` of its own";
        for (resource, has_own_id) in [(&COLLECTIONS, true), (&USERS, false)] {
            let rows = [(7, "a", false), (7, "b", has_own_id)];
            assert_eq!(insert(resource, &rows).unwrap_err().to_string(), expected);
        }
        let error = insert(&COLLECTIONS, &[(1, "a", false), (2, "a", false)]).unwrap_err();
        assert_eq!(error.to_string(), "another record has the uuid a");
    }
}
