//! A fixture as its class has it: labels become ids, references the ids of what they name, and times
//! that are relative to now are noted.

use anyhow::bail;
use jiff::Timestamp;
use sdk_fixtures::{Record, Value as Fixture};
use serde_json::Value;

use super::fixture_value;
use super::object::Object;
use super::relative;
use super::resource::Resource;
use super::resources::COLLECTIONS;
use super::time;
use crate::era::Era;

/// Columns that Rails has, clients never see, and nothing here needs.
const IGNORED: &[&str] = &["updated_at"];

/// As many attributes as nearly all fixtures set: room is made once for them.
const ATTRIBUTES: usize = 24;

/// The ids that Rails gives are below this.
pub(crate) const MAX_ID: i64 = (1 << 30) - 1;

/// Columns that are relative to now, with their template; without one it is now itself.
pub(crate) type RelativeColumns = Vec<(&'static str, Option<String>)>;

/// What a fixture sets.
pub(crate) struct Draft {
    /// Its id, if no other has it.
    pub(crate) id: i64,
    /// Whether the fixture itself gives the id.
    pub(crate) has_own_id: bool,
    /// Its attributes, as far as they are set.
    pub(crate) object: Object,
    /// Those of them that are relative to now.
    pub(crate) relative: RelativeColumns,
}

impl Draft {
    /// A record of which nothing but the label is known.
    pub(crate) fn of(label: &str) -> Self {
        let object = Object::with_capacity(ATTRIBUTES);
        Self { id: label_id(label), has_own_id: false, object, relative: Vec::new() }
    }

    /// `record`, as `resource` has it in `era`.
    ///
    /// # Errors
    /// Names an unknown column, or one whose value is of the wrong type.
    pub(crate) fn read(
        record: &Record,
        resource: &Resource,
        era: Era,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut draft = Self::of(&record.label);
        for (name, given) in &record.columns {
            draft.set(resource, era, name, given)?;
        }
        if record.get("created_at").is_none() {
            draft.relative.push(("created_at", None));
        }
        draft.fill_in(now)?;
        Ok(draft)
    }

    fn set(
        &mut self,
        resource: &Resource,
        era: Era,
        name: &str,
        given: &Fixture,
    ) -> anyhow::Result<()> {
        if name == "id" {
            let Fixture::Integer(id) = given.in_yaml_1_1() else {
                bail!("id is not a number");
            };
            self.id = id;
            self.has_own_id = true;
            return Ok(());
        }
        if let Some(column) = resource.column(era, name) {
            let value = fixture_value::accept(column.kind, given)
                .map_err(|what| anyhow::anyhow!("column {name}: {what}"))?;
            let template = match &value {
                Value::String(text) if relative::is_template(text) => Some(text.clone()),
                Value::Object(_) | Value::Array(_) => {
                    Some(value.to_string()).filter(|text| relative::is_template(text))
                }
                _ => None,
            };
            if template.is_some() {
                self.relative.push((column.name, template));
            }
            self.object.insert(column.name.to_owned(), value);
            return Ok(());
        }
        if let (Some(column), Some(label)) =
            (resource.column(era, &format!("{name}_id")), given.as_text())
        {
            self.object.insert(column.name.to_owned(), label_id(label).into());
            return Ok(());
        }
        if name == "expires_at" && resource.plural == COLLECTIONS.plural {
            // What had an end in 2015 goes to the trash at that time today.
            return ["trash_at", "delete_at"]
                .iter()
                .try_for_each(|name| self.set(resource, era, name, given));
        }
        if resource.knows(name) || IGNORED.contains(&name) {
            return Ok(());
        }
        bail!("{} have no column {name}", resource.plural)
    }

    /// Gives the columns that are relative to now their values of now.
    fn fill_in(&mut self, now: Timestamp) -> anyhow::Result<()> {
        for (name, template) in &self.relative {
            let value = match template {
                None => time::format(now).into(),
                Some(template) => {
                    let text = relative::filled(template, now);
                    // Templates of a whole object or array are JSON.
                    match self.object.get(*name) {
                        Some(Value::Object(_) | Value::Array(_)) => serde_json::from_str(&text)?,
                        _ => text.into(),
                    }
                }
            };
            self.object.insert((*name).to_owned(), value);
        }
        Ok(())
    }
}

/// The id that Rails gives the fixture `label`.
fn label_id(label: &str) -> i64 {
    i64::from(crc32(label.as_bytes())) % MAX_ID
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::resources::KEEP_SERVICES;

    #[test]
    fn ids_are_those_of_rails() {
        assert_eq!(label_id("admin"), 135_138_680);
    }

    fn record(column: &str, value: Fixture) -> Record {
        Record { label: "it".to_owned(), columns: vec![(column.to_owned(), value)] }
    }

    fn read(resource: &Resource, record: &Record) -> anyhow::Result<Draft> {
        Draft::read(record, resource, Era::Current, "2020-01-01T00:00:00Z".parse()?)
    }

    #[test]
    fn a_time_within_an_object_is_relative_too() {
        let ago = Fixture::Ago(sdk_fixtures::Ago { months: 0, seconds: 60.0 });
        let given = Fixture::Map(vec![("at".to_owned(), Fixture::List(vec![ago]))]);
        let draft = read(&COLLECTIONS, &record("properties", given)).unwrap();
        let expected = json!({"at": ["2019-12-31T23:59:00.000000000Z"]});
        assert_eq!(draft.object["properties"], expected);
        let columns: Vec<_> = draft.relative.iter().map(|(column, _)| *column).collect();
        assert_eq!(columns, ["properties", "created_at"]);
    }

    #[test]
    fn an_unknown_column_is_an_error() {
        let record = record("colour", Fixture::Null);
        let error = read(&KEEP_SERVICES, &record).err().unwrap();
        assert_eq!(error.to_string(), "keep_services have no column colour");
    }

    #[test]
    fn what_was_to_expire_goes_to_the_trash() {
        let record = record("expires_at", Fixture::Text("2001-01-01T00:00:00Z".to_owned()));
        let draft = read(&COLLECTIONS, &record).unwrap();
        assert_eq!(draft.object["trash_at"], "2001-01-01T00:00:00.000000000Z");
    }
}
