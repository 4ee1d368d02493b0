//! Another reading, which ends at a value that is looked for: only an error knows its place.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

/// What is looked for, as far as the reading has come to it.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    label: &'a str,
    column: &'a str,
    value: &'a str,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    File,
    /// The record, or what is merged into it.
    Record,
    Value,
}

impl<'a> Search<'a> {
    pub(super) fn new(label: &'a str, column: &'a str, value: &'a str) -> Self {
        Self { label, column, value, at: At::File }
    }

    /// Where to go on under `key`.
    fn under(self, key: &str) -> Option<Self> {
        let at = match self.at {
            At::File if key == self.label => At::Record,
            At::Record if key == self.column => At::Value,
            At::Record if key == "<<" => At::Record,
            _ => return None,
        };
        Some(Self { at, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.at {
            // As text, whatever else it looks like.
            At::Value => deserializer.deserialize_str(self),
            At::File | At::Record => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.at == At::Value && text == self.value {
            true => Err(E::invalid_value(Unexpected::Str(text), &self)),
            false => Ok(()),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            match self.under(&key) {
                Some(search) => entries.next_value_seed(search)?,
                None => entries.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }
}
