//! What holds for groups: their classes, what a role, a project and a filter group need, and what
//! they may be called.

use serde_json::Value;

use super::context::Context;
use super::error::{Result, unprocessable};
use super::frozen;
use super::object::{Object, is_changed, merged, text};
use super::ownership;
use super::rules;
use super::trash;
use super::user_setup;
use super::uuid;
use crate::era::api::{KNOWS_GROUP_CLASSES, ROLES_BELONG_TO_SYSTEM};

/// What a filter group may compare with.
const FILTER_OPERATORS: &[&str] = &[
    "=", "<", "<=", ">", ">=", "!=", "like", "ilike", "in", "not in", "is_a", "exists", "contains",
];

/// Checks and completes `changes` of a group.
///
/// # Errors
/// Says which rule they break.
pub(crate) fn before_save(
    context: &Context<'_>,
    changes: &mut Object,
    old: Option<&Object>,
) -> Result<()> {
    trash::before_save(context, changes, old)?;
    if old.is_none() && text(changes, "name").is_empty() {
        let uuid = changes.get("uuid").cloned().unwrap_or_default();
        changes.insert("name".to_owned(), uuid);
    }
    let group = merged(changes, old);
    let class = text(&group, "group_class");
    if KNOWS_GROUP_CLASSES.of(context.era()) {
        check_class(changes, old)?;
        if class == "filter" {
            check_filters(group.get("properties").unwrap_or(&Value::Null))?;
        }
    }
    if ["project", "filter"].contains(&class) {
        ownership::check_name_of_file(context.era(), changes, old)?;
    }
    if ROLES_BELONG_TO_SYSTEM.of(context.era()) && class == "role" {
        give_to_system(context, changes, old)?;
    }
    frozen::check_freezing(context, changes, old)
}

/// A group is of a known class, and stays what it is.
fn check_class(changes: &Object, old: Option<&Object>) -> Result<()> {
    let class = text(changes, "group_class");
    if old.is_some() && is_changed("group_class", changes, old) {
        return Err(unprocessable("Group class cannot be modified after record is created"));
    }
    if old.is_none() && !["project", "role", "filter"].contains(&class) {
        return Err(unprocessable(format!(
            "Group class value must be one of 'project', 'role' or 'filter', was '{class}'"
        )));
    }
    Ok(())
}

/// A role belongs to the system; who was to own it manages it by a link.
fn give_to_system(context: &Context<'_>, changes: &mut Object, old: Option<&Object>) -> Result<()> {
    let owner = text(changes, "owner_uuid").to_owned();
    if old.is_some() {
        return match owner.as_str() {
            "" | uuid::SYSTEM_USER => Ok(()),
            _ => Err(unprocessable("Owner uuid for role must be system user")),
        };
    }
    rules::check_tail(context, &owner)?;
    user_setup::give(context, &owner, "can_manage", text(changes, "uuid"))?;
    changes.insert("owner_uuid".to_owned(), uuid::SYSTEM_USER.into());
    Ok(())
}

/// Checks what a filter group holds: filters each of which says of which class its attribute is.
fn check_filters(properties: &Value) -> Result<()> {
    let wrong = |what: &str| Err(unprocessable(format!("Properties {what}")));
    let Some(filters) = properties.get("filters") else {
        return wrong(
            "filters property missing, it must be an array of arrays, each with 3 elements",
        );
    };
    let Some(filters) = filters.as_array() else {
        return wrong("filters property value must be an array of arrays, each with 3 elements");
    };
    for filter in filters {
        let Some([Value::String(attribute), Value::String(operator), _]) =
            filter.as_array().map(Vec::as_slice)
        else {
            return wrong(
                "filters property value must be an array of arrays, each with 3 elements",
            );
        };
        let (attribute, operator) = (attribute.to_lowercase(), operator.to_lowercase());
        if attribute != "uuid" && !attribute.contains('.') {
            return wrong("filter attribute must be 'uuid' or contain a dot (e.g. groups.name)");
        }
        if attribute != "uuid" && operator == "is_a" {
            return wrong("when filter operator is 'is_a', attribute must be 'uuid'");
        }
        if !FILTER_OPERATORS.contains(&operator.as_str()) {
            let known = FILTER_OPERATORS.join(",");
            return wrong(&format!("filter operator is not valid (must be {known})"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_name_the_class_of_their_attributes() {
        let of = |filters: Value| check_filters(&json!({"filters": filters})).is_ok();
        assert!(of(json!([])));
        assert!(of(json!([["uuid", "is_a", "arvados#group"], ["collections.name", "LIKE", "a%"]])));
        assert!(check_filters(&json!({})).is_err());
        for wrong in [
            json!({}),
            json!(["uuid"]),
            json!([["uuid", "="]]),
            json!([["name", "=", "a"]]),
            json!([["collections.uuid", "is_a", "arvados#collection"]]),
            json!([["collections.name", "~", "a"]]),
        ] {
            assert!(!of(wrong.clone()), "{wrong}");
        }
    }
}
