//! The permission graph as read from the database, kept until something it depends on changes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Params};

use super::permission::{Access, Graph, Level};
use super::time;
use crate::era::Era;
use crate::era::api::{HAS_FROZEN_PROJECTS, HAS_TRASH};

/// Computes each user's access once for each state of users, groups and permission links.
///
/// A state has a number in the database itself, so that what a transaction sees and what the cache
/// holds cannot differ. Time alone changes a state only when a group goes to the trash as planned.
#[derive(Debug)]
pub(crate) struct PermissionCache {
    era: Era,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    generation: i64,
    /// When the next group goes to the trash, if one is to.
    ends: Option<String>,
    graph: Arc<Graph>,
    /// By user, and whether it is an admin.
    accesses: HashMap<(String, bool), Arc<Access>>,
}

impl Kept {
    fn holds(&self, generation: i64, now: &str) -> bool {
        self.generation == generation && self.ends.as_deref().is_none_or(|end| now < end)
    }
}

impl PermissionCache {
    /// An empty cache.
    pub(crate) fn new(era: Era) -> Self {
        let kept = Mutex::new(None);
        Self { era, kept }
    }

    /// What the user `uuid` may do, an admin or not.
    ///
    /// To be called before a transaction changes anything: what it then rolled back would be kept.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn access(
        &self,
        db: &Connection,
        uuid: &str,
        is_admin: bool,
    ) -> rusqlite::Result<Arc<Access>> {
        self.access_at(&time::now(), db, uuid, is_admin)
    }

    fn access_at(
        &self,
        now: &str,
        db: &Connection,
        uuid: &str,
        is_admin: bool,
    ) -> rusqlite::Result<Arc<Access>> {
        let generation = generation(db)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let current = match kept.take().filter(|kept| kept.holds(generation, now)) {
            Some(current) => current,
            None => Kept {
                generation,
                ends: next_trashing(db, self.era, now)?,
                graph: Arc::new(read_graph(db, self.era, now)?),
                accesses: HashMap::new(),
            },
        };
        let current = kept.insert(current);
        let graph = Arc::clone(&current.graph);
        let access = current.accesses.entry((uuid.to_owned(), is_admin));
        let access = access.or_insert_with(|| {
            let access = graph.access(uuid);
            Arc::new(if is_admin { access.with_everything() } else { access })
        });
        Ok(Arc::clone(access))
    }

    /// The same, at any time: a state that is not the kept one is computed and forgotten.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn access_now(&self, db: &Connection, uuid: &str) -> rusqlite::Result<Arc<Access>> {
        Ok(Arc::new(self.graph(db)?.access(uuid)))
    }

    /// The graph itself, in the state that the transaction sees.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn graph(&self, db: &Connection) -> rusqlite::Result<Arc<Graph>> {
        let (generation, now) = (generation(db)?, time::now());
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let graph = kept
            .as_ref()
            .filter(|kept| kept.holds(generation, &now))
            .map(|kept| Arc::clone(&kept.graph));
        drop(kept);
        match graph {
            Some(graph) => Ok(graph),
            None => Ok(Arc::new(read_graph(db, self.era, &now)?)),
        }
    }
}

fn generation(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT value FROM permission_generation")?.query_row([], |row| row.get(0))
}

fn read_graph(db: &Connection, era: Era, now: &str) -> rusqlite::Result<Graph> {
    let mut edges = Vec::new();
    let owned = "SELECT owner_uuid, uuid FROM groups WHERE owner_uuid IS NOT NULL
        UNION ALL SELECT owner_uuid, uuid FROM users WHERE owner_uuid IS NOT NULL";
    let mut statement = db.prepare_cached(owned)?;
    for row in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (owner, owned): (String, String) = row?;
        edges.push((owner, owned, Level::Manage));
    }
    let links = "SELECT tail_uuid, head_uuid, name FROM links
        WHERE link_class = 'permission' AND tail_uuid IS NOT NULL AND head_uuid IS NOT NULL";
    let mut statement = db.prepare_cached(links)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for row in rows {
        let (tail, head, name): (String, String, Option<String>) = row?;
        if let Some(level) = name.as_deref().and_then(Level::of_link) {
            edges.push((tail, head, level));
        }
    }
    let graph = Graph::new(edges).with_trashed(trashed_groups(db, era, now)?);
    Ok(graph.with_frozen(frozen_groups(db, era)?))
}

/// When the first of the groups that are not in the trash yet goes there.
fn next_trashing(db: &Connection, era: Era, now: &str) -> rusqlite::Result<Option<String>> {
    if !HAS_TRASH.of(era) {
        return Ok(None);
    }
    db.prepare_cached("SELECT min(trash_at) FROM groups WHERE trash_at > ?")?
        .query_row([now], |row| row.get(0))
}

/// Groups in the trash, and all groups that they own.
fn trashed_groups(db: &Connection, era: Era, now: &str) -> rusqlite::Result<HashSet<String>> {
    match HAS_TRASH.of(era) {
        true => with_below(db, "trash_at <= ?", [now]),
        false => Ok(HashSet::new()),
    }
}

/// Frozen groups, and all groups that they own.
fn frozen_groups(db: &Connection, era: Era) -> rusqlite::Result<HashSet<String>> {
    match HAS_FROZEN_PROJECTS.of(era) {
        true => with_below(db, "frozen_by_uuid IS NOT NULL", []),
        false => Ok(HashSet::new()),
    }
}

/// The groups for which `condition` holds, and all groups that they own.
fn with_below(
    db: &Connection,
    condition: &str,
    parameters: impl Params,
) -> rusqlite::Result<HashSet<String>> {
    let below = format!(
        "WITH RECURSIVE below (uuid) AS (
            SELECT uuid FROM groups WHERE {condition}
            UNION SELECT groups.uuid FROM groups JOIN below ON groups.owner_uuid = below.uuid
        ) SELECT uuid FROM below"
    );
    db.prepare_cached(&below)?.query_map(parameters, |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::schema;

    #[test]
    fn a_group_goes_to_the_trash_at_its_time_without_another_change() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&schema::statements(Era::Current)).unwrap();
        db.execute_batch(
            "INSERT INTO groups (uuid, owner_uuid, trash_at) VALUES
                ('later', 'user', '2030-01-01T00:00:00.000000000Z'),
                ('inner', 'later', NULL),
                ('sooner', 'user', '2029-01-01T00:00:00.000000000Z')",
        )
        .unwrap();
        let cache = PermissionCache::new(Era::Current);
        let trashed = |now: &str| {
            let mut trashed = cache.access_at(now, &db, "user", false).unwrap().trashed().to_vec();
            trashed.sort();
            trashed
        };
        assert!(trashed("2028-01-01T00:00:00.000000000Z").is_empty());
        assert_eq!(trashed("2029-01-01T00:00:00.000000000Z"), ["sooner"]);
        assert_eq!(trashed("2029-12-31T00:00:00.000000000Z"), ["sooner"]);
        assert_eq!(trashed("2030-01-01T00:00:00.000000000Z"), ["inner", "later", "sooner"]);
    }

    #[test]
    fn what_is_kept_is_used_until_something_changes() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&schema::statements(Era::Current)).unwrap();
        let cache = PermissionCache::new(Era::Current);
        let access = || cache.access(&db, "user", false).unwrap();
        let first = access();
        assert!(Arc::ptr_eq(&first, &access()));
        schema::touch_permissions(&db).unwrap();
        assert!(!Arc::ptr_eq(&first, &access()));
    }
}
