//! Which rows may differ from the image of the fixture database, so that a reset costs what was changed
//! and not what is stored.

use std::collections::{BTreeSet, HashMap};

/// Of a table in which more rows are changed it is only kept that all may be: what is kept does not
/// grow, and to go through the table takes no longer.
const MOST: usize = 1000;

/// Rows of one table, by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Any of them.
    All,
    /// These and no others.
    These(BTreeSet<i64>),
}

/// Rows of all tables.
#[derive(Clone, Debug)]
pub(crate) struct ChangedRows {
    tables: HashMap<String, Rows>,
    others: Rows,
}

impl ChangedRows {
    /// No row is changed.
    pub(crate) fn none() -> Self {
        Self { tables: HashMap::new(), others: Rows::These(BTreeSet::new()) }
    }

    /// Any row may be changed.
    pub(crate) fn unknown() -> Self {
        Self { tables: HashMap::new(), others: Rows::All }
    }

    /// Notes a change.
    pub(crate) fn note(&mut self, table: &str, id: i64) {
        if !self.tables.contains_key(table) {
            self.tables.insert(table.to_owned(), self.others.clone());
        }
        let Some(rows) = self.tables.get_mut(table) else {
            return;
        };
        if let Rows::These(ids) = rows {
            ids.insert(id);
            if ids.len() > MOST {
                *rows = Rows::All;
            }
        }
    }

    /// Those of `table`.
    pub(crate) fn of(&self, table: &str) -> &Rows {
        self.tables.get(table).unwrap_or(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_known_by_its_table_and_id() {
        let mut changed = ChangedRows::none();
        for id in [7, 3, 7] {
            changed.note("users", id);
        }
        assert_eq!(*changed.of("users"), Rows::These([3, 7].into()));
        assert_eq!(*changed.of("groups"), Rows::These(BTreeSet::new()));
    }

    #[test]
    fn of_very_many_changes_only_the_table_is_known() {
        let mut changed = ChangedRows::none();
        let most = i64::try_from(MOST).unwrap();
        (0..most).for_each(|id| changed.note("logs", id));
        assert!(matches!(changed.of("logs"), Rows::These(_)));
        changed.note("logs", most);
        assert_eq!(*changed.of("logs"), Rows::All);
        changed.note("logs", 0);
        assert_eq!(*changed.of("logs"), Rows::All);
    }

    #[test]
    fn what_is_not_known_at_first_stays_so() {
        let mut changed = ChangedRows::unknown();
        changed.note("users", 1);
        assert_eq!((changed.of("users"), changed.of("groups")), (&Rows::All, &Rows::All));
    }
}
