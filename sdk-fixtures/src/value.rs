//! The values that a fixture's column can have.

use crate::ago::Ago;
use crate::plain;

/// A value as YAML and ERB give it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `~`, `null` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number in decimal, hexadecimal (`0x`) or binary (`0b`) notation.
    Integer(i64),
    /// A number with a decimal point.
    Float(f64),
    /// Text, exactly as written: what stands in quotes, and what is nothing else.
    Text(String),
    /// What stands without quotes and has another meaning in YAML 1.1: `yes`, `010`, `1:30`, a date.
    /// Columns of text have it as it is written; [`Self::in_yaml_1_1`] says what it is for others.
    Plain(String),
    /// A time before the moment at which the fixture is loaded.
    Ago(Ago),
    /// A sequence.
    List(Vec<Value>),
    /// A mapping, in the order of the file; no key comes twice.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The text, if this is [`Value::Text`] or [`Value::Plain`].
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Plain(text) => Some(text),
            _ => None,
        }
    }

    /// What YAML 1.1 takes this for. Dates and times stay [`Value::Plain`]; [`timestamp`] reads them.
    ///
    /// [`timestamp`]: crate::timestamp
    #[must_use]
    pub fn in_yaml_1_1(&self) -> Self {
        match self {
            Self::Plain(text) => plain::meaning(text),
            Self::List(items) => Self::List(items.iter().map(Self::in_yaml_1_1).collect()),
            Self::Map(entries) => {
                let entry = |(key, value): &(String, Self)| (key.clone(), value.in_yaml_1_1());
                Self::Map(entries.iter().map(entry).collect())
            }
            other => other.clone(),
        }
    }
}
