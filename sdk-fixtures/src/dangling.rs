//! References of fixtures to records that do not exist.
//!
//! Records name each other in two ways. A column such as `user` has the label of a record, which
//! becomes the id in `user_id`. A column such as `owner_uuid` has the uuid of one. Loading checks
//! neither, as Rails does not: what hangs in the air shows itself much later, in a test.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::class::{Class, Record};
use crate::nearest::{nearest, nearest_uuid};

/// Columns that have a label, with the classes in which it may be.
const LABELS: [(&str, &[&str]); 3] =
    [("api_client", &["api_clients"]), ("owner", &["groups", "users"]), ("user", &["users"])];

/// A column that ends like a reference, and holds the identifier of a disk.
const NO_REFERENCE: &str = "filesystem_uuid";

/// What every cluster has, whatever its fixtures.
const ALWAYS_THERE: [&str; 7] = [
    "zzzzz-4zz18-000000000000000",
    "zzzzz-j7d0g-000000000000000",
    "zzzzz-j7d0g-anonymouspublic",
    "zzzzz-j7d0g-fffffffffffffff",
    "zzzzz-o0j2j-000000000000000",
    "zzzzz-tpzed-000000000000000",
    "zzzzz-tpzed-anonymouspublic",
];

/// The cluster that fixtures describe: its uuids begin so.
const CLUSTER: &str = "zzzzz";

/// A reference to a record that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dangling {
    /// The fixture file.
    pub path: PathBuf,
    /// Line and column of the reference, both from 1, where known.
    pub position: Option<(usize, usize)>,
    /// The record that has the reference.
    pub label: String,
    /// The column that is the reference.
    pub column: String,
    /// What it says.
    pub value: String,
    /// What is there that is the most similar: a label, or a uuid with its label.
    pub nearest: Option<String>,
}

impl fmt::Display for Dangling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, position, label, column, value, nearest } = self;
        write!(f, "{}", path.display())?;
        if let Some((line, column)) = position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {label}: {column} {value:?} is no record")?;
        nearest.as_ref().map_or(Ok(()), |near| write!(f, "; did you mean {near}?"))
    }
}

/// A reference as plain data: whose it is, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) class: &'a str,
    pub(crate) label: &'a str,
    pub(crate) column: &'a str,
    pub(crate) value: &'a str,
    pub(crate) nearest: Option<String>,
}

/// All references in `classes` that name no record of `classes`.
pub(crate) fn references(classes: &[Class]) -> Vec<Reference<'_>> {
    let known = Known::of(classes);
    let records = classes.iter().flat_map(|class| class.records.iter().map(move |it| (class, it)));
    records.flat_map(|(class, record)| known.dangling(&class.name, record)).collect()
}

/// What there is to refer to.
struct Known<'a> {
    labels: BTreeMap<&'a str, Vec<&'a str>>,
    /// Each with what a reader knows it by.
    uuids: BTreeMap<&'a str, String>,
}

impl<'a> Known<'a> {
    fn of(classes: &'a [Class]) -> Self {
        let labels = |class: &'a Class| class.records.iter().map(|it| it.label.as_str()).collect();
        let mut uuids: BTreeMap<_, _> =
            ALWAYS_THERE.iter().map(|uuid| (*uuid, (*uuid).to_owned())).collect();
        for class in classes {
            for record in &class.records {
                if let Some(uuid) = record.text("uuid") {
                    uuids.insert(uuid, format!("{uuid} ({} in {})", record.label, class.name));
                }
            }
        }
        Self { labels: classes.iter().map(|it| (it.name.as_str(), labels(it))).collect(), uuids }
    }

    fn dangling<'r>(&self, class: &'r str, record: &'r Record) -> Vec<Reference<'r>> {
        let texts =
            record.columns.iter().filter_map(|(name, it)| Some((name.as_str(), it.as_text()?)));
        let dangling = |(column, value)| {
            let nearest = self.find(column, value).err()?;
            Some(Reference { class, label: &record.label, column, value, nearest })
        };
        texts.filter_map(dangling).collect()
    }

    /// # Errors
    /// If that is a reference to nothing: with what is the most similar, if anything is.
    fn find(&self, column: &str, value: &str) -> Result<(), Option<String>> {
        if let Some((_, classes)) = LABELS.iter().find(|(name, _)| *name == column) {
            let labels = || classes.iter().filter_map(|name| self.labels.get(name)).flatten();
            return match labels().any(|label| *label == value) {
                true => Ok(()),
                false => Err(nearest(value, labels().copied())),
            };
        }
        let is_reference = column.ends_with("_uuid") && column != NO_REFERENCE;
        if !is_reference || is_elsewhere(value) || self.uuids.contains_key(value) {
            return Ok(());
        }
        let near = nearest_uuid(value, self.uuids.keys().copied());
        Err(near.and_then(|uuid| self.uuids.get(uuid)).cloned())
    }
}

/// Whether that names what is no record of this cluster by its nature: a record of another one,
/// or the content of collections.
fn is_elsewhere(value: &str) -> bool {
    if let Some((hash, _)) = value.split_once('+') {
        return hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let parts: Vec<&str> = value.split('-').collect();
    matches!(parts[..], [cluster, infix, rest]
        if cluster != CLUSTER && [cluster.len(), infix.len(), rest.len()] == [5, 5, 15])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    const ADMIN: &str = "zzzzz-tpzed-d9tiejq69daie8f";

    fn record(label: &str, columns: &[(&str, &str)]) -> Record {
        let text = |text: &str| Value::Text(text.to_owned());
        let columns = columns.iter().map(|(name, value)| ((*name).to_owned(), text(value)));
        Record { label: label.to_owned(), columns: columns.collect() }
    }

    /// What dangles if a record with that column stands beside the user `admin`.
    fn dangling(column: &str, value: &str) -> Vec<Option<String>> {
        let users = vec![record("admin", &[("uuid", ADMIN)])];
        let classes = [
            Class { name: "users".to_owned(), records: users },
            Class { name: "links".to_owned(), records: vec![record("it", &[(column, value)])] },
        ];
        let found = references(&classes);
        assert!(found.iter().all(|it| (it.label, it.column, it.value) == ("it", column, value)));
        found.into_iter().map(|reference| reference.nearest).collect()
    }

    #[test]
    fn a_reference_to_a_record_or_to_what_every_cluster_has_is_none() {
        for (column, value) in [
            ("user", "admin"),
            ("owner_uuid", ADMIN),
            ("owner_uuid", "zzzzz-tpzed-000000000000000"),
            ("tail_uuid", "zzzzz-j7d0g-fffffffffffffff"),
        ] {
            assert_eq!(dangling(column, value), [], "{column}: {value}");
        }
    }

    #[test]
    fn what_is_no_record_of_this_cluster_by_its_nature_is_none() {
        for (column, value) in [
            ("owner_uuid", "zbbbb-tpzed-d9tiejq69daie8f"),
            ("head_uuid", "d41d8cd98f00b204e9800998ecf8427e+0"),
            ("filesystem_uuid", "e8b2-11"),
            ("uuid", "zzzzz-o0j2j-4abnk2w5t86x4uc"),
            ("username", "nobody"),
        ] {
            assert_eq!(dangling(column, value), [], "{column}: {value}");
        }
    }

    #[test]
    fn a_label_that_no_record_has_dangles() {
        assert_eq!(dangling("user", "adimn"), [Some("admin".to_owned())]);
        assert_eq!(dangling("owner", "nobody"), [None]);
        assert_eq!(dangling("api_client", "admin"), [None]);
    }

    #[test]
    fn a_uuid_that_no_record_has_dangles() {
        let near = [Some(format!("{ADMIN} (admin in users)"))];
        assert_eq!(dangling("owner_uuid", "zzzzz-tpzed-d9tiejq69daie8g"), near);
        assert_eq!(dangling("head_uuid", "zzzz-tpzed-d9tiejq69daie8f"), near);
        assert_eq!(dangling("owner_uuid", "zzzzz-tpzed-1q2w3e4r5t6y7u8"), [None]);
        assert_eq!(dangling("owner_uuid", "admin"), [None]);
    }
}
