//! Which objects a list is of, and the ways in which the database finds and counts them.
//!
//! What an answer costs is to depend on what it holds, not on how much else is stored. SQLite knows
//! little of how many rows a condition is true of, so the way is chosen here.

use rusqlite::{Connection, params_from_iter};

use super::condition::Condition;

/// More objects than this are not gathered and sorted for one page of a list: those that are looked at
/// in the order of the list are soon a page.
const FEW: u64 = 4000;

/// Objects of one table: those for which the first two conditions hold and the third does not.
#[derive(Clone, Debug)]
pub(crate) struct Sought {
    /// What the caller may read.
    pub(crate) readable: Condition,
    /// What it asks for.
    pub(crate) wanted: Condition,
    /// What it is not shown even so, such as the trash. That is little in comparison.
    pub(crate) hidden: Condition,
}

impl Sought {
    /// The condition, by which the database may find those that the caller may read.
    pub(crate) fn gathered(&self) -> Condition {
        self.with(self.readable.clone())
    }

    /// The condition for a page, of so many objects in all if that is known.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn for_page(
        &self,
        db: &Connection,
        table: &str,
        known: Option<u64>,
    ) -> rusqlite::Result<Condition> {
        if self.readable.is_always() {
            return Ok(self.gathered());
        }
        let are_few = match known {
            Some(number) => number <= FEW,
            None => {
                let limit = format!("LIMIT {}", FEW + 1);
                count(db, &format!("SELECT 1 FROM {table}"), &self.gathered(), &limit)? <= FEW
            }
        };
        Ok(match are_few {
            true => self.gathered(),
            false => self.with(self.readable.clone().checked()),
        })
    }

    /// How many there are.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn count(&self, db: &Connection, table: &str) -> rusqlite::Result<u64> {
        let rows = format!("SELECT 1 FROM {table}");
        if self.readable.is_always() && self.wanted.is_always() {
            // All rows are counted without looking at one.
            let all = db.prepare_cached(&format!("SELECT count(*) FROM {table}"))?;
            let all = { all }.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs();
            return Ok(all - count(db, &rows, &self.hidden, "")?);
        }
        count(db, &rows, &self.gathered(), "")
    }

    fn with(&self, readable: Condition) -> Condition {
        Condition::all([readable, self.hidden.clone().negated(), self.wanted.clone()])
    }
}

/// How many rows there are of `select` for which `condition` holds; `limit` bounds them.
fn count(
    db: &Connection,
    select: &str,
    condition: &Condition,
    limit: &str,
) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM ({select} WHERE {} {limit})", condition.sql);
    let number: i64 = db
        .prepare_cached(&sql)?
        .query_row(params_from_iter(&condition.parameters), |row| row.get(0))?;
    Ok(number.unsigned_abs())
}
