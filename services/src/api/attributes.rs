//! The attributes that a create or update request carries, checked against the resource table.

use serde_json::{Map, Value};

use super::context::Context;
use super::error::{Result, denied, unprocessable};
use super::object::Object;
use super::request::ApiRequest;
use super::resource::{Resource, SetBy};
use super::value;
use crate::era::Era;
use crate::era::api::{NEEDS_ATTRIBUTES, UNKNOWN_ATTRIBUTE};

/// What a client may send and is not looked at, when it updates an object or sends one bare.
const NEVER_WRITTEN: &[&str] = &["kind", "etag", "href"];

/// The new values of those attributes that the caller sets; `old` is the object before an update.
///
/// # Errors
/// For an unknown attribute, a value of the wrong type, or one that only admins change.
pub(crate) fn read(
    context: &Context<'_>,
    resource: &Resource,
    old: Option<&Object>,
) -> Result<Object> {
    let era = context.era();
    let mut accepted = Object::new();
    for (name, given) in given(resource, era, context.request, old.is_some())? {
        if old.is_some() && NEVER_WRITTEN.contains(&name.as_str()) {
            continue;
        }
        let refused_kind = NEVER_WRITTEN.contains(&name.as_str());
        let known = resource.accepted(era, &name).filter(|_| !refused_kind);
        let attribute = known.ok_or_else(|| unknown_attribute(resource, era, &name))?;
        if attribute.set_by == SetBy::Server {
            continue;
        }
        let new = value::accept(attribute.kind, &given)
            .map_err(|what| unprocessable(format!("{} {what}", sentence_start(&name))))?;
        let new = value::empty_for_null(attribute, new);
        let unchanged = old.is_some_and(|old| old.get(&name) == Some(&new));
        if attribute.set_by == SetBy::Admins && !unchanged && !context.account()?.is_admin {
            return Err(denied(format!("Permission denied: only admins set {name}")));
        }
        accepted.insert(name, new);
    }
    Ok(accepted)
}

/// The attributes as sent: wrapped in a parameter that is named like the resource, or bare.
fn given(
    resource: &Resource,
    era: Era,
    request: &ApiRequest,
    updating: bool,
) -> Result<Map<String, Value>> {
    match request.json(resource.singular)? {
        Some(Value::Object(given)) => return Ok(given),
        Some(_) => {
            let text = format!("{} must be a hash", resource.singular);
            return Err(unprocessable(text));
        }
        None => {}
    }
    let bare: Map<String, Value> = request
        .parameters
        .iter()
        .filter(|(name, _)| resource.accepted(era, name).is_some())
        // A client that copies sends back whole objects.
        .filter(|(name, _)| !NEVER_WRITTEN.contains(&name.as_str()))
        .filter(|(name, _)| !(updating && *name == "uuid"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if bare.is_empty() && !request.has_json && NEEDS_ATTRIBUTES.of(era) {
        let text = format!("No {} hash provided", resource.singular);
        return Err(unprocessable(text));
    }
    Ok(bare)
}

fn unknown_attribute(resource: &Resource, era: Era, name: &str) -> super::error::ApiError {
    let text = UNKNOWN_ATTRIBUTE.of(era).replace("{class}", resource.class);
    unprocessable(text.replace("{name}", name))
}

/// `owner_uuid` as it starts a validation error: "Owner uuid".
pub(crate) fn sentence_start(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validation_error_starts_like_a_sentence() {
        assert_eq!(sentence_start("owner_uuid"), "Owner uuid");
        assert_eq!(sentence_start(""), "");
    }
}
