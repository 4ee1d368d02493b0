//! The states of pipeline instances.

use serde_json::Value;

use super::PIPELINE_TEMPLATES;
use crate::api::condition::Condition;
use crate::api::context::Context;
use crate::api::error::{Result, unprocessable};
use crate::api::object::{self, Object, is_changed, merged, text};
use crate::api::time;

const STATES: &[&str] =
    &["New", "Ready", "RunningOnServer", "RunningOnClient", "Paused", "Failed", "Complete"];

/// Checks and completes `changes` of a pipeline instance.
///
/// # Errors
/// When there is no such state.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    take_components_from_template(context, changes, old)?;
    let instance = merged(changes, old);
    let components = instance.get("components").unwrap_or(&Value::Null);
    if ["", "New"].contains(&text(&instance, "state")) {
        let state = if looks_ready(components) { "Ready" } else { "New" };
        changes.insert("state".to_owned(), state.into());
    }
    if !is_changed("state", changes, old) {
        return Ok(());
    }
    let state = text(changes, "state").to_owned();
    if !STATES.contains(&state.as_str()) {
        let states = STATES.join(", ");
        return Err(unprocessable(format!("State {state:?} must be one of: [{states}]")));
    }
    let reached: &[&str] = match state.as_str() {
        "RunningOnServer" | "RunningOnClient" => &["started_at"],
        "Failed" | "Complete" => &["started_at", "finished_at"],
        _ => &[],
    };
    for name in reached {
        if text(&instance, name).is_empty() {
            changes.insert((*name).to_owned(), time::now().into());
        }
    }
    Ok(())
}

/// An instance without components has those of its template.
fn take_components_from_template(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    let instance = merged(changes, old);
    let components = instance.get("components").and_then(Value::as_object);
    let uuid = text(&instance, "pipeline_template_uuid");
    if uuid.is_empty() || components.is_some_and(|components| !components.is_empty()) {
        return Ok(());
    }
    let template = Condition::equals("uuid", uuid);
    let template = object::find(context.db, &PIPELINE_TEMPLATES, context.era(), &template)?;
    if let Some(components) = template.and_then(|mut template| template.remove("components")) {
        changes.insert("components".to_owned(), components);
    }
    Ok(())
}

/// Whether there are components, and each has what it requires.
fn looks_ready(components: &Value) -> bool {
    let lacks = |parameter: &Value| {
        let entry = |name| parameter.get(name).filter(|value| !value.is_null());
        let required = entry("required").is_some_and(|required| *required != Value::Bool(false));
        required && entry("value").is_none() && entry("output_of").is_none()
    };
    let Some(components) = components.as_object().filter(|components| !components.is_empty())
    else {
        return false;
    };
    !components.values().any(|component| {
        let parameters = component.get("script_parameters").and_then(Value::as_object);
        parameters.is_some_and(|parameters| parameters.values().any(lacks))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pipeline_is_ready_when_nothing_required_is_missing() {
        let with = |parameter: Value| json!({"foo": {"script_parameters": {"input": parameter}}});
        assert!(!looks_ready(&json!({})));
        assert!(!looks_ready(&Value::Null));
        assert!(looks_ready(&json!({"foo": {"script": "foo"}})));
        assert!(looks_ready(&with(json!("plain"))));
        assert!(!looks_ready(&with(json!({"required": true}))));
        assert!(looks_ready(&with(json!({"required": true, "value": 1}))));
        assert!(looks_ready(&with(json!({"required": true, "output_of": "bar"}))));
    }
}
