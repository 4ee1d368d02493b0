//! Mappings with every key once: the last of the same name wins, and `<<` merges what it names.

use std::collections::HashMap;

use crate::value::Value;

/// From this many entries on, keys are found by their hash.
const MANY: usize = 32;

/// `value` with all mappings in it settled.
pub(super) fn settled(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(settled).collect()),
        Value::Map(entries) => Value::Map(settled_entries(entries)),
        scalar => scalar,
    }
}

/// `entries`, of which the last of the same name wins.
pub(super) fn last_of_each<T>(entries: impl IntoIterator<Item = (String, T)>) -> Vec<(String, T)> {
    let mut kept = Kept::new();
    kept.put_all(entries);
    kept.entries
}

/// As Ruby does it: entry by entry, so that a merge overrides what stands before it.
fn settled_entries(entries: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut kept = Kept::new();
    for (key, value) in entries {
        match (key.as_str(), settled(value)) {
            ("<<", Value::Map(merged)) => kept.put_all(merged),
            ("<<", Value::List(all)) if all.iter().all(|one| matches!(one, Value::Map(_))) => {
                for one in all.into_iter().rev() {
                    if let Value::Map(merged) = one {
                        kept.put_all(merged);
                    }
                }
            }
            (_, value) => kept.put(key, value),
        }
    }
    kept.entries
}

struct Kept<T> {
    entries: Vec<(String, T)>,
    /// Where each key is, once there are many.
    places: HashMap<String, usize>,
}

impl<T> Kept<T> {
    fn new() -> Self {
        Self { entries: Vec::new(), places: HashMap::new() }
    }

    fn put_all(&mut self, entries: impl IntoIterator<Item = (String, T)>) {
        for (key, value) in entries {
            self.put(key, value);
        }
    }

    fn put(&mut self, key: String, value: T) {
        let place = match self.places.is_empty() {
            true => self.entries.iter().position(|(known, _)| *known == key),
            false => self.places.get(&key).copied(),
        };
        if let Some((_, old)) = place.and_then(|place| self.entries.get_mut(place)) {
            *old = value;
            return;
        }
        self.entries.push((key, value));
        if self.entries.len() >= MANY {
            let new = self.entries.iter().enumerate().skip(self.places.len());
            self.places.extend(new.map(|(place, (key, _))| (key.clone(), place)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, i64)]) -> Value {
        let entry = |(key, n): &(&str, i64)| ((*key).to_owned(), Value::Integer(*n));
        Value::Map(entries.iter().map(entry).collect())
    }

    #[test]
    fn of_several_merged_mappings_the_first_wins() {
        let both = Value::List(vec![map(&[("a", 1)]), map(&[("a", 2), ("b", 2)])]);
        let merged = settled(Value::Map(vec![("<<".to_owned(), both)]));
        assert_eq!(merged, map(&[("a", 1), ("b", 2)]));
    }

    #[test]
    fn many_keys_are_settled_like_few() {
        let entry = |n: usize| (format!("key {}", n % (2 * MANY)), Value::Integer(n as i64));
        let Value::Map(kept) = settled(Value::Map((0..5 * MANY).map(entry).collect())) else {
            panic!("a mapping stays one");
        };
        assert_eq!(kept.len(), 2 * MANY);
        for (place, (key, value)) in kept.iter().enumerate() {
            let last = if place < MANY { place + 4 * MANY } else { place + 2 * MANY };
            assert_eq!((key, value), (&format!("key {place}"), &Value::Integer(last as i64)));
        }
    }

    #[test]
    fn a_merge_of_no_mapping_is_an_ordinary_key() {
        assert_eq!(settled(map(&[("<<", 1)])), map(&[("<<", 1)]));
    }
}
