//! Which copies of a block there are already, and which are still wanted.

use std::collections::BTreeMap;

use super::volume::Volume;

/// What volumes have confirmed of a block that is being stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The storage classes in which the block is to be; with none, any volume will do.
    needed: Vec<String>,
    /// How many copies there are in each class.
    confirmed: BTreeMap<String, usize>,
    /// How many copies there are.
    pub(super) copies: usize,
}

impl Progress {
    /// Nothing is confirmed of what is `needed`.
    pub(super) fn towards(needed: Vec<String>) -> Self {
        Self { needed, ..Self::default() }
    }

    /// Whether a copy on this volume would help.
    pub(super) fn wants(&self, volume: &Volume) -> bool {
        if self.needed.is_empty() {
            return self.copies == 0;
        }
        let is_missing = |class: &&String| !self.confirmed.contains_key(*class);
        self.needed.iter().filter(is_missing).any(|class| volume.mount().classes.contains(class))
    }

    /// There is a copy on this volume.
    pub(super) fn add(&mut self, volume: &Volume) {
        let mount = volume.mount();
        self.copies += mount.replication;
        for class in &mount.classes {
            *self.confirmed.entry(class.clone()).or_default() += mount.replication;
        }
    }

    /// The classes as the header has them: `default=1, archive=1`.
    pub(super) fn classes(&self) -> String {
        let texts = self.confirmed.iter().map(|(class, copies)| format!("{class}={copies}"));
        texts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::volume::Mount;
    use super::*;

    fn volume(classes: &[&str]) -> Volume {
        let classes = classes.iter().map(ToString::to_string).collect();
        let mount = Mount { classes, ..Mount::of("/".as_ref()) };
        Volume::new("/".into(), false, false).mounted_as(mount)
    }

    #[test]
    fn without_a_class_one_copy_anywhere_is_enough() {
        let mut progress = Progress::towards(vec![]);
        let any = volume(&["archive"]);
        assert!(progress.wants(&any));
        progress.add(&any);
        assert!(!progress.wants(&any));
        assert_eq!((progress.copies, progress.classes()), (1, "archive=1".to_owned()));
    }

    #[test]
    fn each_class_wants_a_volume_of_its_own() {
        let mut progress = Progress::towards(vec!["hot".into(), "archive".into()]);
        let [hot, other] = [volume(&["hot", "default"]), volume(&["other"])];
        assert!(progress.wants(&hot) && !progress.wants(&other));
        progress.add(&hot);
        assert!(!progress.wants(&hot) && progress.wants(&volume(&["archive"])));
        assert_eq!(progress.classes(), "default=1, hot=1");
    }
}
