//! The second reading: what the first took for a number beyond plain integers, as text.
//!
//! serde_yaml tells a visitor either the number or the text, and only who knows what stands where
//! can ask for the text. The tree of the first reading knows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::number;
use crate::value::Value;

/// Whether the second reading would change anything.
pub(super) fn has_doubtful_number(value: &Value) -> bool {
    match value {
        Value::Float(_) => true,
        Value::List(items) => items.iter().any(has_doubtful_number),
        Value::Map(entries) => entries.iter().any(|(_, value)| has_doubtful_number(value)),
        _ => false,
    }
}

/// Goes through the document that the tree was read from, and corrects the tree.
pub(super) struct Reread<'a>(pub(super) &'a mut Value);

impl<'de> DeserializeSeed<'de> for Reread<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            Value::Float(_) => deserializer.deserialize_str(self),
            Value::List(_) => deserializer.deserialize_seq(self),
            Value::Map(_) => deserializer.deserialize_map(self),
            _ => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
        }
    }
}

impl<'de> Visitor<'de> for Reread<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was there at the first reading")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        *self.0 = number::read(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let Value::List(list) = self.0 {
            for item in list {
                items.next_element_seed(Reread(item))?;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if let Value::Map(map) = self.0 {
            for (_, value) in map {
                entries.next_key::<IgnoredAny>()?;
                entries.next_value_seed(Reread(value))?;
            }
        }
        Ok(())
    }
}
