//! Queries and form bodies as Rails reads them: `a=1`, `list[]=1&list[]=2`, and
//! `collection[name]=x`, which is an object. Of two plain values of one name the last counts.

use serde_json::{Map, Value};

/// The most brackets of one name; a name with more is plain.
const MAX_DEPTH: usize = 16;

/// Adds what `encoded` says to `parameters`, as texts.
pub(crate) fn add(parameters: &mut Map<String, Value>, encoded: &[u8]) {
    for (name, text) in form_urlencoded::parse(encoded) {
        let (base, keys) = parts(&name).unwrap_or((&name, Vec::new()));
        let slot = parameters.entry(base).or_insert(Value::Null);
        insert(slot, &keys, text.into_owned());
    }
}

/// `a` and the keys in brackets of `a[b][]`; `None` if brackets do not match.
fn parts(name: &str) -> Option<(&str, Vec<&str>)> {
    let Some((base, keys)) = name.split_once('[') else {
        return Some((name, Vec::new()));
    };
    let keys: Vec<_> = keys.strip_suffix(']')?.split("][").collect();
    let plain = keys.iter().all(|key| !key.contains(['[', ']']));
    (!base.is_empty() && plain && keys.len() <= MAX_DEPTH).then_some((base, keys))
}

fn insert(slot: &mut Value, keys: &[&str], text: String) {
    let Some((key, rest)) = keys.split_first() else {
        *slot = Value::String(text);
        return;
    };
    if key.is_empty() {
        let mut item = Value::Null;
        insert(&mut item, rest, text);
        match slot {
            Value::Array(items) => items.push(item),
            other => *other = Value::Array(vec![item]),
        }
        return;
    }
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(entries) = slot {
        insert(entries.entry(*key).or_insert(Value::Null), rest, text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(encoded: &str) -> Value {
        let mut parameters = Map::new();
        add(&mut parameters, encoded.as_bytes());
        Value::Object(parameters)
    }

    #[test]
    fn brackets_make_lists_and_objects() {
        assert_eq!(read("a=1&b=&a=2"), json!({"a": "2", "b": ""}));
        assert_eq!(read("order%5B%5D=a&order[]=b"), json!({"order": ["a", "b"]}));
        assert_eq!(
            read("collection[name]=x&collection[properties][k]=v&collection[list][]=1"),
            json!({"collection": {"name": "x", "properties": {"k": "v"}, "list": ["1"]}})
        );
        assert_eq!(read("where[uuid][]=x"), json!({"where": {"uuid": ["x"]}}));
    }

    #[test]
    fn brackets_that_do_not_match_are_part_of_a_name() {
        for name in ["a[", "a]", "[a]", "a[b", "a[b]c", "a[[b]]"] {
            assert_eq!(read(&format!("{name}=1")), json!({name: "1"}), "{name}");
        }
        let deep = format!("a{}", "[b]".repeat(MAX_DEPTH + 1));
        assert_eq!(read(&format!("{deep}=1")), json!({deep: "1"}));
    }
}
