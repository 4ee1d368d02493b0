//! Which objects a list is of, and the ways in which the database finds and counts them.
//!
//! What an answer costs is to depend on what it holds, not on how much else is stored. SQLite knows
//! little of how many rows a condition is true of, so the way is chosen here.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use super::condition::Condition;
use super::listing::Listing;

/// More objects than this are not gathered and sorted for one page of a list: those that are looked at
/// in the order of the list are soon a page.
const FEW: u64 = 4000;

/// A query, with the parameters that belong to it.
struct Query {
    sql: String,
    parameters: Vec<Sql>,
}

/// Objects of one table.
#[derive(Clone, Debug)]
pub(crate) struct Sought {
    /// What the caller may read: one of them has to hold.
    pub(crate) readable: Vec<Condition>,
    /// What it asks for, which has to hold.
    pub(crate) wanted: Condition,
    /// What it is not shown even so, such as the trash. That is little in comparison.
    pub(crate) hidden: Condition,
}

impl Sought {
    /// The condition, by which the database may find those that the caller may read.
    pub(crate) fn condition(&self) -> Condition {
        self.with(Condition::any(self.readable.clone()))
    }

    /// A condition for the page that `listing` asks for, of so many objects in all if that is known:
    /// the first that it holds for, up to the end of the page, are those of the list.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn for_page(
        &self,
        db: &Connection,
        table: &str,
        known: Option<u64>,
        listing: &Listing,
    ) -> rusqlite::Result<Condition> {
        if self.all_are_readable() {
            return Ok(self.condition());
        }
        let number = match known {
            Some(number) => number,
            None => self.count_up_to(db, table, FEW + 1)?,
        };
        Ok(match number {
            // All are read.
            _ if number <= listing.limit => self.condition(),
            _ if number <= FEW => self.first_of_each_way(table, listing),
            _ => self.with(Condition::any(self.readable.clone()).checked()),
        })
    }

    /// How many there are.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn count(&self, db: &Connection, table: &str) -> rusqlite::Result<u64> {
        if self.all_are_readable() && self.wanted.is_always() {
            // All rows are counted without looking at one.
            let sql = format!("SELECT count(*) FROM {table}");
            let all = number(db, &Query { sql, parameters: Vec::new() })?;
            let rows = rows("1", table, &self.hidden);
            return Ok(all - count(db, rows)?);
        }
        count(db, union(self.each_way().map(|way| rows("1", table, &way))))
    }

    /// How many there are, or `most` if there are more.
    fn count_up_to(&self, db: &Connection, table: &str, most: u64) -> rusqlite::Result<u64> {
        let rows = union(self.each_way().map(|way| rows("1", table, &way)));
        count(db, Query { sql: format!("{} LIMIT {most}", rows.sql), ..rows })
    }

    fn all_are_readable(&self) -> bool {
        self.readable.iter().any(Condition::is_always)
    }

    /// Those that the page may have are found and sorted by what the indexes hold: of the others no row
    /// is read.
    fn first_of_each_way(&self, table: &str, listing: &Listing) -> Condition {
        let most = listing.offset.saturating_add(listing.limit);
        let most = Sql::Integer(i64::try_from(most).unwrap_or(i64::MAX));
        let ways = self.each_way().map(|way| {
            let mut first = rows("id", table, &way);
            first.sql =
                format!("SELECT * FROM ({} ORDER BY {} LIMIT ? + 0)", first.sql, listing.order);
            first.parameters.push(most.clone());
            first
        });
        let ids = union(ways);
        Condition::new(format!("id IN ({})", ids.sql), ids.parameters)
    }

    /// Conditions of which at most one holds for an object, and for those that are sought one does.
    fn each_way(&self) -> impl Iterator<Item = Condition> {
        self.readable.iter().enumerate().map(|(position, way)| {
            let before = Condition::any(self.readable[..position].iter().cloned());
            self.with(Condition::all([way.clone(), before.negated()]))
        })
    }

    fn with(&self, readable: Condition) -> Condition {
        Condition::all([readable, self.hidden.clone().negated(), self.wanted.clone()])
    }
}

/// The query of `columns` of those rows for which `condition` holds.
fn rows(columns: &str, table: &str, condition: &Condition) -> Query {
    let sql = format!("SELECT {columns} FROM {table} WHERE {}", condition.sql);
    Query { sql, parameters: condition.parameters.clone() }
}

/// The rows of several queries.
fn union(queries: impl Iterator<Item = Query>) -> Query {
    let (texts, parameters): (Vec<_>, Vec<_>) =
        queries.map(|query| (query.sql, query.parameters)).unzip();
    Query { sql: texts.join(" UNION ALL "), parameters: parameters.concat() }
}

/// How many rows a query has.
fn count(db: &Connection, query: Query) -> rusqlite::Result<u64> {
    number(db, &Query { sql: format!("SELECT count(*) FROM ({})", query.sql), ..query })
}

/// The number that a query answers.
fn number(db: &Connection, query: &Query) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached(&query.sql)?;
    let parameters = params_from_iter(&query.parameters);
    let number: i64 = statement.query_row(parameters, |row| row.get(0))?;
    Ok(number.unsigned_abs())
}
