//! The first reading: the tree of a document, with every key of a mapping as often as it comes.
//!
//! It checks the shape of a fixture file on the way, because only then the place is known.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use crate::erb::{self, Time};
use crate::plain;
use crate::value::Value;

/// The reading of a part of the document.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    level: Level,
    source: &'a str,
}

/// How deep in the file a value stands, and so what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// The whole: labels to records, or nothing.
    File,
    /// A record: columns to values.
    Record,
    /// A column's value, or a part of it: anything.
    Value,
}

impl<'a> Reading<'a> {
    /// Of all of `source`.
    pub(super) fn of(source: &'a str) -> Self {
        Self { level: Level::File, source }
    }

    fn below(self) -> Self {
        let level = match self.level {
            Level::File => Level::Record,
            Level::Record | Level::Value => Level::Value,
        };
        Self { level, ..self }
    }

    fn scalar<E: Error>(self, value: Value, found: Unexpected<'_>) -> Result<Value, E> {
        match self.level {
            Level::Value => Ok(value),
            Level::File | Level::Record => Err(E::invalid_type(found, &self)),
        }
    }

    /// Whether `text`, which is a piece of the source, stands there without quotes and a tag.
    fn is_plain(self, text: &str) -> bool {
        let start = text.as_ptr().addr().checked_sub(self.source.as_ptr().addr());
        let before = start.and_then(|start| self.source.get(..start));
        before.is_some_and(|before| {
            !before.ends_with(['\'', '"']) && !before.trim_end().ends_with("!!str")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::File => "a mapping from labels to records",
            Level::Record => "the columns of a record",
            Level::Value => "a value without a tag",
        })
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        match self.level {
            Level::File => Ok(Value::Null),
            _ => self.scalar(Value::Null, Unexpected::Unit),
        }
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(Value::Bool(value), Unexpected::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(Value::Integer(value), Unexpected::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    /// The second reading replaces it by what the text says.
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(Value::Float(value), Unexpected::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        let value = match erb::time_of(text) {
            Time::Absent => Value::Text(text.to_owned()),
            Time::Ago(ago) => Value::Ago(ago),
            Time::WithinText => return Err(E::custom("a time in ERB must be the whole value")),
        };
        self.scalar(value, Unexpected::Str(text))
    }

    /// Only text that stands in the source as it is comes here.
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value, E> {
        let value = self.visit_str(text)?;
        let is_more = || plain::other_meaning(text).is_some() && self.is_plain(text);
        Ok(match value {
            Value::Text(same) if is_more() => Value::Plain(same),
            value => value,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        if self.level != Level::Value {
            return Err(Error::invalid_type(Unexpected::Seq, &self));
        }
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key_seed(KeyOf(self))? {
            map.push((key, entries.next_value_seed(self.below())?));
        }
        Ok(Value::Map(map))
    }
}

/// The reading of a key: the text that it is, whatever type YAML would give it.
struct KeyOf<'a>(Reading<'a>);

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeyOf<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        match erb::time_of(text) {
            Time::Absent => Ok(text.to_owned()),
            _ => Err(E::custom("a time in ERB must be a value, not a key")),
        }
    }

    /// A symbol, which only serialized columns have for a key, is its name.
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<String, E> {
        match plain::symbol(text).filter(|_| self.0.is_plain(text)) {
            Some(name) => Ok(name.to_owned()),
            None => self.visit_str(text),
        }
    }
}
