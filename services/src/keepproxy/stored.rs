//! What a client wishes of a block that it stores, and what keepstores have confirmed of that.

use std::collections::BTreeMap;

/// How many copies a client wishes, and where.
pub(super) struct Wish {
    /// How many in each of the classes.
    pub(super) copies: usize,
    /// The storage classes; none if keepstores are to choose.
    pub(super) classes: Vec<String>,
}

/// What keepstores confirmed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    /// As one of them gave it: with its signature.
    pub(super) locator: String,
    /// How many copies there are.
    pub(super) replicas: usize,
    /// How many copies there are in each storage class.
    pub(super) classes: BTreeMap<String, usize>,
    /// Whether there are copies of which the class was not told.
    is_unclassed: bool,
}

impl Wish {
    /// How many further copies may be made at once: with more, a class might have more than wished. A
    /// keepstore that confirms no classes leaves only copies to be counted.
    pub(super) fn lacking(&self, stored: &Stored) -> usize {
        if self.classes.is_empty() || stored.is_unclassed {
            return self.copies.saturating_sub(stored.replicas);
        }
        self.classes_lacking(stored).map(|(_, copies)| copies).min().unwrap_or(0)
    }

    /// The classes that are lacking, as the header has them; `None` if there are none.
    pub(super) fn lacking_text(&self, stored: &Stored) -> Option<String> {
        let classes: Vec<_> = self.classes_lacking(stored).map(|(class, _)| class).collect();
        (!classes.is_empty()).then(|| classes.join(", "))
    }

    fn classes_lacking<'a>(&'a self, stored: &Stored) -> impl Iterator<Item = (&'a str, usize)> {
        self.classes.iter().filter_map(|class| {
            let copies = stored.classes.get(class).copied().unwrap_or(0);
            (copies < self.copies).then(|| (&**class, self.copies - copies))
        })
    }
}

impl Stored {
    /// One keepstore's confirmation, with the `classes` as its header has them.
    pub(super) fn confirmed(locator: &str, replicas: usize, classes: &str) -> Self {
        let classes = parse_classes(classes);
        let is_unclassed = classes.is_empty();
        Self { locator: locator.to_owned(), replicas, classes, is_unclassed }
    }

    /// Adds another keepstore's.
    pub(super) fn add(&mut self, other: Self) {
        self.locator = other.locator;
        self.replicas += other.replicas;
        self.is_unclassed |= other.is_unclassed;
        for (class, copies) in other.classes {
            *self.classes.entry(class).or_default() += copies;
        }
    }

    /// The classes as the header has them: `default=2, archive=1`.
    pub(super) fn classes_text(&self) -> String {
        let classes = self.classes.iter();
        let texts: Vec<_> = classes.map(|(class, copies)| format!("{class}={copies}")).collect();
        texts.join(", ")
    }
}

/// The classes that a client names: `default, archive`.
pub(super) fn parse_wished(text: &str) -> Vec<String> {
    let classes = text.split(',').map(str::trim).filter(|class| !class.is_empty());
    classes.map(str::to_owned).collect()
}

fn parse_classes(text: &str) -> BTreeMap<String, usize> {
    let pairs = text.split([',', ';']).filter_map(|pair| {
        let (class, copies) = pair.trim().split_once('=')?;
        Some((class.to_owned(), copies.parse().ok()?))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_add_up_class_by_class() {
        let mut stored = Stored::default();
        for classes in ["default=1", "default=1, archive=2"] {
            stored.add(Stored::confirmed("abc+3", 1, classes));
        }
        assert_eq!((stored.replicas, stored.locator.as_str()), (2, "abc+3"));
        assert_eq!(stored.classes_text(), "archive=2, default=2");
    }

    #[test]
    fn a_keepstore_without_classes_confirms_none() {
        assert!(parse_classes("").is_empty());
        assert!(parse_classes("default, x=y").is_empty());
    }

    #[test]
    fn every_wished_class_is_to_have_every_copy() {
        let wish = Wish { copies: 2, classes: parse_wished("hot, cold,, ") };
        let mut stored = Stored::default();
        let mut after = |classes: &str| {
            stored.add(Stored::confirmed("abc+3", 1, classes));
            (wish.lacking(&stored), wish.lacking_text(&stored))
        };
        assert_eq!(after("hot=1"), (1, Some("hot, cold".to_owned())));
        assert_eq!(after("hot=1"), (2, Some("cold".to_owned())));
        assert_eq!(after("cold=1"), (1, Some("cold".to_owned())));
        assert_eq!(after("cold=1"), (0, None));
    }

    #[test]
    fn copies_alone_count_without_a_wish_or_where_no_class_is_confirmed() {
        let wish = |classes| Wish { copies: 2, classes: parse_wished(classes) };
        let stored = Stored::confirmed("abc+3", 1, "");
        assert_eq!(wish("hot, cold").lacking(&stored), 1);
        let stored = Stored::confirmed("abc+3", 2, "default=1");
        assert_eq!((wish("").lacking(&stored), wish("").lacking_text(&stored)), (0, None));
    }
}
