//! The table of a class, as the loader of fixtures fills it.

use std::collections::{BTreeSet, HashSet};

use anyhow::bail;
use rusqlite::types::Value as Sql;
use rusqlite::{CachedStatement, Connection, ErrorCode, params, params_from_iter};

use super::fixture_draft::{Draft, MAX_ID, RelativeColumns};
use super::object;
use super::resource::{Attribute, Resource};
use super::resources::USERS;
use super::value;
use crate::era::Era;

/// Classes of which others have the id: theirs are those that Rails gives them, or none.
const REFERRED: &[&str] = &[USERS.plural, "api_clients"];

/// A fixture, ready for its table.
pub(crate) struct Row {
    /// Its id, if no other has it.
    pub(crate) id: i64,
    /// Its uuid, empty if it has none.
    pub(crate) uuid: String,
    has_own_id: bool,
    /// One for each column; `None` if the fixture does not set it.
    values: Vec<Option<Sql>>,
    relative: RelativeColumns,
}

/// The columns of a table beside the id.
pub(crate) struct Columns {
    resource: &'static Resource,
    columns: Vec<&'static Attribute>,
    /// What each of them has when a fixture does not set it.
    initial: Vec<Sql>,
}

impl Columns {
    /// Those that `resource` has in `era`.
    pub(crate) fn of(resource: &'static Resource, era: Era) -> Self {
        let columns: Vec<_> = resource.columns(era).filter(|column| column.name != "id").collect();
        let initial = |column: &&Attribute| value::into_sql(column.kind, value::initial(column));
        Self { resource, initial: columns.iter().map(initial).collect(), columns }
    }

    /// The row of `draft`.
    pub(crate) fn row(&self, mut draft: Draft) -> Row {
        let uuid = object::text(&draft.object, "uuid").to_owned();
        let value = |column: &&Attribute| {
            let given = draft.object.get_mut(column.name)?.take();
            Some(value::into_sql(column.kind, given))
        };
        let values = self.columns.iter().map(value).collect();
        Row { id: draft.id, uuid, has_own_id: draft.has_own_id, values, relative: draft.relative }
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|column| column.name)
    }
}

/// A table that is being filled.
pub(crate) struct FixtureTable<'a> {
    columns: &'a Columns,
    db: &'a Connection,
    insert: CachedStatement<'a>,
    note_relative: CachedStatement<'a>,
    relative: BTreeSet<&'static str>,
    uuids: HashSet<&'a str>,
}

impl<'a> FixtureTable<'a> {
    /// The table in `db` that has `columns`.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn new(db: &'a Connection, columns: &'a Columns) -> rusqlite::Result<Self> {
        let names: Vec<_> = columns.names().collect();
        let insert = format!(
            "INSERT INTO {} (id, {}) VALUES (?{})",
            columns.resource.plural,
            names.join(", "),
            ", ?".repeat(names.len())
        );
        Ok(Self {
            columns,
            db,
            insert: db.prepare_cached(&insert)?,
            note_relative: db.prepare_cached("INSERT INTO relative_values VALUES (?, ?, ?, ?)")?,
            relative: BTreeSet::new(),
            uuids: HashSet::new(),
        })
    }

    /// Adds `row`. If another has the id that Rails gives it, it has the next one that is free.
    ///
    /// # Errors
    /// When another record has its id or uuid, and those of the database.
    pub(crate) fn insert(&mut self, row: &'a Row) -> anyhow::Result<()> {
        // The index that sees to it is made when the table is filled.
        if !row.uuid.is_empty() && !self.uuids.insert(&row.uuid) {
            bail!("another record has the uuid {}", row.uuid);
        }
        let mut id = row.id;
        while let Err(error) = self.try_insert(id, &row.values) {
            if error.sqlite_error_code() != Some(ErrorCode::ConstraintViolation) {
                return Err(error.into());
            }
            if row.has_own_id || REFERRED.contains(&self.columns.resource.plural) {
                bail!("another record has the id {id}; give one of them an `id` of its own");
            }
            id = (id + 1) % MAX_ID;
        }
        for (column, template) in &row.relative {
            self.note_relative.execute(params![
                self.columns.resource.plural,
                column,
                id,
                template
            ])?;
            self.relative.insert(column);
        }
        Ok(())
    }

    fn try_insert(&mut self, id: i64, values: &[Option<Sql>]) -> rusqlite::Result<usize> {
        let id = Sql::Integer(id);
        let values = values.iter().zip(&self.columns.initial);
        let values = values.map(|(value, initial)| value.as_ref().unwrap_or(initial));
        self.insert.execute(params_from_iter(std::iter::once(&id).chain(values)))
    }

    /// Notes which columns have values that are relative to now.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn finish(self) -> rusqlite::Result<()> {
        let mut note = self.db.prepare_cached("INSERT INTO relative_columns VALUES (?, ?)")?;
        for column in &self.relative {
            note.execute([self.columns.resource.plural, column])?;
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
        let columns = Columns::of(resource, Era::Current);
        let row = |(id, uuid, has_own_id): &(i64, &str, bool)| {
            let mut draft = Draft::of("any");
            (draft.id, draft.has_own_id) = (*id, *has_own_id);
            draft.object.insert("uuid".to_owned(), (*uuid).into());
            columns.row(draft)
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        let mut table = FixtureTable::new(&db, &columns)?;
        rows.iter().try_for_each(|row| table.insert(row))?;
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
