//! Who may do what: a pure function from ownership and permission links to levels.
//!
//! An owner manages what it owns, a permission link gives its level, and the weakest step of a way
//! decides. The way goes on through groups, and through users only when they are managed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::uuid;

/// What a user may do with an object; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// See it.
    Read,
    /// Change it.
    Write,
    /// Give permissions on it.
    Manage,
}

impl Level {
    /// The level that a permission link named `name` gives.
    pub(crate) fn of_link(name: &str) -> Option<Self> {
        match name {
            // Who may log in to a machine may see it.
            "can_read" | "can_login" => Some(Self::Read),
            "can_write" => Some(Self::Write),
            "can_manage" => Some(Self::Manage),
            _ => None,
        }
    }

    /// The name of a permission link that gives it.
    pub(crate) fn link(self) -> &'static str {
        match self {
            Self::Read => "can_read",
            Self::Write => "can_write",
            Self::Manage => "can_manage",
        }
    }
}

/// All users and groups with their owners, and all permission links, by where they start.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    edges: HashMap<String, Vec<(String, Level)>>,
    trashed: HashSet<String>,
    frozen: Arc<HashSet<String>>,
}

impl Graph {
    /// A graph of (owner or tail, owned or head, level).
    pub(crate) fn new(edges: impl IntoIterator<Item = (String, String, Level)>) -> Self {
        let mut graph = Self::default();
        for (from, to, level) in edges {
            graph.edges.entry(from).or_default().push((to, level));
        }
        graph
    }

    /// The same graph, with groups in the trash, which take with them what they own.
    pub(crate) fn with_trashed(mut self, trashed: HashSet<String>) -> Self {
        self.trashed = trashed;
        self
    }

    /// The same graph, with frozen groups, which freeze what they own.
    pub(crate) fn with_frozen(mut self, frozen: HashSet<String>) -> Self {
        self.frozen = Arc::new(frozen);
        self
    }

    /// What the user `user` reaches.
    pub(crate) fn access(&self, user: &str) -> Access {
        // Everybody has what the anonymous group can read.
        let levels = self.reach(HashMap::from([
            (user.to_owned(), Level::Manage),
            (uuid::ANONYMOUS_GROUP.to_owned(), Level::Read),
        ]));
        let (trashed, frozen) = (self.trashed.iter().cloned().collect(), Arc::clone(&self.frozen));
        Access { admin: false, levels, trashed, frozen }
    }

    /// What ownership and links alone give the user `user`, and on which level.
    pub(crate) fn levels(&self, user: &str) -> HashMap<String, Level> {
        self.reach(HashMap::from([(user.to_owned(), Level::Manage)]))
    }

    /// What can be reached from `levels`.
    fn reach(&self, mut levels: HashMap<String, Level>) -> HashMap<String, Level> {
        let mut left: Vec<String> = levels.keys().cloned().collect();
        while let Some(from) = left.pop() {
            let Some(reached) = levels.get(&from).copied() else {
                continue;
            };
            if !contains(&from, reached) {
                continue;
            }
            for (to, level) in self.edges.get(&from).into_iter().flatten() {
                let level = reached.min(*level);
                if levels.get(to).is_none_or(|known| *known < level) {
                    levels.insert(to.clone(), level);
                    left.push(to.clone());
                }
            }
        }
        levels
    }
}

/// Whether permission on `uuid` extends to what it owns: a user has to be managed for that.
fn contains(uuid: &str, level: Level) -> bool {
    match uuid::infix(uuid) {
        Some(uuid::GROUP) => true,
        Some(uuid::USER) => level == Level::Manage,
        _ => false,
    }
}

/// What one user, or several readers together, may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    admin: bool,
    levels: HashMap<String, Level>,
    trashed: Vec<String>,
    frozen: Arc<HashSet<String>>,
}

impl Access {
    /// The same for an admin, to whom nothing is closed.
    pub(crate) fn with_everything(mut self) -> Self {
        self.admin = true;
        self
    }

    /// Adds what another may do.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.admin |= other.admin;
        for (uuid, level) in &other.levels {
            let known = self.levels.entry(uuid.clone()).or_insert(*level);
            *known = (*known).max(*level);
        }
        if self.trashed.is_empty() {
            self.trashed.clone_from(&other.trashed);
        }
        if self.frozen.is_empty() {
            self.frozen = Arc::clone(&other.frozen);
        }
    }

    /// Whether everything is allowed.
    pub(crate) fn is_admin(&self) -> bool {
        self.admin
    }

    /// The level on the object `uuid` that `owner` owns; `None` if it cannot even be read.
    pub(crate) fn level(&self, uuid: &str, owner: &str) -> Option<Level> {
        if self.admin {
            return Some(Level::Manage);
        }
        let through_owner = self.levels.get(owner).copied().filter(|level| contains(owner, *level));
        self.levels.get(uuid).copied().max(through_owner)
    }

    /// Uuids that can be read, in a fixed order.
    pub(crate) fn objects(&self) -> Vec<&str> {
        let mut objects: Vec<_> = self.levels.keys().map(String::as_str).collect();
        objects.sort_unstable();
        objects
    }

    /// Uuids whose possessions can be read, in a fixed order.
    pub(crate) fn owners(&self) -> Vec<&str> {
        let readable = self.levels.iter();
        let mut owners: Vec<_> = readable
            .filter(|(uuid, level)| contains(uuid, **level))
            .map(|(uuid, _)| uuid.as_str())
            .collect();
        owners.sort_unstable();
        owners
    }

    /// Uuids that are managed, in a fixed order.
    pub(crate) fn managed(&self) -> Vec<&str> {
        let levels = self.levels.iter();
        let mut managed: Vec<_> = levels
            .filter(|(_, level)| **level == Level::Manage)
            .map(|(uuid, _)| uuid.as_str())
            .collect();
        managed.sort_unstable();
        managed
    }

    /// Groups in the trash, with all below them.
    pub(crate) fn trashed(&self) -> &[String] {
        &self.trashed
    }

    /// Frozen groups, with all below them.
    pub(crate) fn frozen(&self) -> &HashSet<String> {
        &self.frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIVE: &str = "zzzzz-tpzed-000000000active";
    const OTHER: &str = "zzzzz-tpzed-0000000000other";
    const PROJECT: &str = "zzzzz-j7d0g-00000000project";
    const INNER: &str = "zzzzz-j7d0g-0000000000inner";
    const ROLE: &str = "zzzzz-j7d0g-00000000000role";
    const THING: &str = "zzzzz-4zz18-0000000000thing";

    fn access(edges: &[(&str, &str, Level)]) -> Access {
        let edges =
            edges.iter().map(|(from, to, level)| ((*from).to_owned(), (*to).to_owned(), *level));
        Graph::new(edges).access(ACTIVE)
    }

    #[test]
    fn an_owner_manages_all_the_way_down() {
        let access = access(&[(ACTIVE, PROJECT, Level::Manage), (PROJECT, INNER, Level::Manage)]);
        assert_eq!(access.level(THING, INNER), Some(Level::Manage));
        assert_eq!(access.level(THING, ACTIVE), Some(Level::Manage));
        assert_eq!(access.level(THING, OTHER), None);
    }

    #[test]
    fn the_weakest_step_of_the_best_way_decides() {
        let weak = [
            (ACTIVE, ROLE, Level::Read),
            (ROLE, PROJECT, Level::Manage),
            (PROJECT, INNER, Level::Manage),
        ];
        assert_eq!(access(&weak).level(THING, INNER), Some(Level::Read));
        let mut both = weak.to_vec();
        both.push((ACTIVE, PROJECT, Level::Write));
        assert_eq!(access(&both).level(THING, INNER), Some(Level::Write));
        both.reverse();
        assert_eq!(access(&both).level(THING, INNER), Some(Level::Write));
    }

    #[test]
    fn reading_a_user_does_not_read_what_it_owns_but_managing_does() {
        let reads = access(&[(ACTIVE, OTHER, Level::Write), (OTHER, PROJECT, Level::Manage)]);
        assert_eq!(reads.level(OTHER, OTHER), Some(Level::Write));
        assert_eq!(reads.level(THING, OTHER), None);
        assert_eq!(reads.level(PROJECT, OTHER), None);
        let manages = access(&[(ACTIVE, OTHER, Level::Manage), (OTHER, PROJECT, Level::Manage)]);
        assert_eq!(manages.level(THING, PROJECT), Some(Level::Manage));
    }

    #[test]
    fn a_link_to_an_object_is_for_that_object_only() {
        let access = access(&[(ACTIVE, THING, Level::Read)]);
        assert_eq!(access.level(THING, OTHER), Some(Level::Read));
        assert!(!access.owners().contains(&THING));
    }

    #[test]
    fn everybody_reads_what_the_anonymous_group_reads() {
        let access = access(&[(uuid::ANONYMOUS_GROUP, PROJECT, Level::Write)]);
        assert_eq!(access.level(THING, PROJECT), Some(Level::Read));
    }

    #[test]
    fn cycles_end() {
        let access = access(&[
            (ACTIVE, PROJECT, Level::Read),
            (PROJECT, INNER, Level::Manage),
            (INNER, PROJECT, Level::Manage),
            (INNER, INNER, Level::Manage),
        ]);
        assert_eq!(access.level(INNER, PROJECT), Some(Level::Read));
    }

    #[test]
    fn readers_together_have_the_best_of_each() {
        let mut together = access(&[(ACTIVE, THING, Level::Read)]);
        together.merge(&access(&[(ACTIVE, THING, Level::Write)]));
        assert_eq!(together.level(THING, OTHER), Some(Level::Write));
        assert!(!together.is_admin());
        together.merge(&Access::default().with_everything());
        assert_eq!(together.level("anything", "anybody"), Some(Level::Manage));
    }
}
