//! The definition of a workflow, which also names and describes it.

use serde_json::Value;

use crate::api::error::{Result, unprocessable};
use crate::api::object::{Object, is_changed, merged, text};

/// Checks and completes `changes` of a workflow.
///
/// # Errors
/// When its definition is not YAML, or it is to be linked to a collection.
pub(crate) fn before_save(changes: &mut Object, old: Option<&Object>) -> Result<()> {
    if !text(changes, "collection_uuid").is_empty() {
        return Err(unprocessable("Collection uuid is not among what this server can do"));
    }
    let workflow = merged(changes, old);
    let definition = read(text(&workflow, "definition"))?;
    let before = old.and_then(|old| read(text(old, "definition")).ok()).unwrap_or_default();
    for name in ["name", "description"] {
        let own = text(&workflow, name);
        let follows = own.is_empty() || before.get(name).and_then(Value::as_str) == Some(own);
        if follows && !is_changed(name, changes, old) {
            let defined = definition.get(name).and_then(Value::as_str);
            changes.insert(name.to_owned(), defined.into());
        }
    }
    Ok(())
}

fn read(definition: &str) -> Result<Value> {
    serde_yaml::from_str(definition)
        .map_err(|error| unprocessable(format!("Definition is not valid yaml: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn saved(changes: &Value, old: Option<&Object>) -> Object {
        let mut changes = changes.as_object().unwrap().clone();
        before_save(&mut changes, old).unwrap();
        merged(&changes, old)
    }

    #[test]
    fn a_workflow_is_named_by_its_definition_unless_it_has_a_name_of_its_own() {
        let made = saved(&json!({"definition": "name: first\ndescription: d\n"}), None);
        assert_eq!((&made["name"], &made["description"]), (&json!("first"), &json!("d")));
        let renamed = saved(&json!({"definition": "name: second"}), Some(&made));
        assert_eq!(renamed["name"], "second");
        let kept = saved(&json!({"name": "own", "definition": "name: third"}), None);
        assert_eq!(kept["name"], "own");
        let kept = saved(&json!({"definition": "name: fourth"}), Some(&kept));
        assert_eq!(kept["name"], "own");
        assert!(read("[").is_err());
    }
}
