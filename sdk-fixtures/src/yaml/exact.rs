//! The second reading: what the first took for a number beyond plain integers, as text.
//!
//! serde_yaml tells a visitor either the number or the text, and only who knows what stands where
//! can ask for the text. The tree of the first reading knows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::plain;
use crate::value::Value;

/// Which numbers may be something else.
#[derive(Clone, Copy)]
pub(super) struct Doubt {
    /// Whether integers may be: `0o17` is one in YAML 1.2 only.
    integers: bool,
}

impl Doubt {
    /// What is in doubt in the document `text`.
    pub(super) fn about(text: &str) -> Self {
        Self { integers: text.contains("0o") }
    }

    fn is_about(self, value: &Value) -> bool {
        match value {
            Value::Float(_) => true,
            Value::Integer(_) => self.integers,
            _ => false,
        }
    }

    /// Whether the second reading would change anything.
    pub(super) fn is_in(self, value: &Value) -> bool {
        match value {
            Value::List(items) => items.iter().any(|item| self.is_in(item)),
            Value::Map(entries) => entries.iter().any(|(_, value)| self.is_in(value)),
            scalar => self.is_about(scalar),
        }
    }
}

/// Goes through the document that the tree was read from, and corrects the tree.
pub(super) struct Reread<'a>(pub(super) &'a mut Value, pub(super) Doubt);

impl<'de> DeserializeSeed<'de> for Reread<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match &*self.0 {
            Value::List(_) => deserializer.deserialize_seq(self),
            Value::Map(_) => deserializer.deserialize_map(self),
            scalar if self.1.is_about(scalar) => deserializer.deserialize_str(self),
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
        *self.0 = plain::meaning(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let Value::List(list) = self.0 {
            for item in list {
                items.next_element_seed(Reread(item, self.1))?;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if let Value::Map(map) = self.0 {
            for (_, value) in map {
                entries.next_key::<IgnoredAny>()?;
                entries.next_value_seed(Reread(value, self.1))?;
            }
        }
        Ok(())
    }
}
