//! A class of fixtures: the records of one file.

use crate::value::Value;

/// All records of one fixture file, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// The file's name without `.yml`, which is the table's: `"users"`.
    pub name: String,
    /// The records; no two have the same label.
    pub records: Vec<Record>,
}

/// One fixture record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What test suites call the record: `"admin"`.
    pub label: String,
    /// Columns and their values, in the order of the file; no name comes twice.
    pub columns: Vec<(String, Value)>,
}

impl Class {
    /// The record under `label`.
    pub fn record(&self, label: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.label == label)
    }
}

impl Record {
    /// The value of `column`, if the fixture gives one.
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.columns
            .iter()
            .find_map(|(name, value)| (name == column).then_some(value))
    }

    /// The text of `column`, if it is text.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.get(column)?.as_text()
    }
}
