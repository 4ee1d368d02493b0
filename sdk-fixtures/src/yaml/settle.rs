//! Mappings with every key once: the last of the same name wins, and `<<` merges what it names.

use crate::value::Value;

/// `value` with all mappings in it settled.
pub(super) fn settled(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(settled).collect()),
        Value::Map(entries) => Value::Map(settled_entries(entries)),
        scalar => scalar,
    }
}

/// As Ruby does it: entry by entry, so that a merge overrides what stands before it.
fn settled_entries(entries: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut kept = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match (key.as_str(), settled(value)) {
            ("<<", Value::Map(merged)) => put_all(&mut kept, merged),
            ("<<", Value::List(all)) if all.iter().all(|one| matches!(one, Value::Map(_))) => {
                for one in all.into_iter().rev() {
                    if let Value::Map(merged) = one {
                        put_all(&mut kept, merged);
                    }
                }
            }
            (_, value) => put(&mut kept, key, value),
        }
    }
    kept
}

fn put_all(kept: &mut Vec<(String, Value)>, entries: Vec<(String, Value)>) {
    for (key, value) in entries {
        put(kept, key, value);
    }
}

fn put(kept: &mut Vec<(String, Value)>, key: String, value: Value) {
    match kept.iter_mut().find(|(known, _)| *known == key) {
        Some((_, old)) => *old = value,
        None => kept.push((key, value)),
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
    fn a_merge_of_no_mapping_is_an_ordinary_key() {
        assert_eq!(settled(map(&[("<<", 1)])), map(&[("<<", 1)]));
    }
}
