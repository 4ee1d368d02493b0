//! Who logs in to virtual machines, by which name and with which keys.

use serde_json::{Value, json};

use super::condition::Condition;
use super::context::Context;
use super::error::{ApiError, Result};
use super::object::{self, Object, text};
use super::resources::{AUTHORIZED_KEYS, LINKS, USERS, VIRTUAL_MACHINES};

/// Answers with the logins of the virtual machine `id`, or of all without one.
///
/// # Errors
/// When the caller is no admin, or there is no such machine.
pub(crate) fn list(context: &Context<'_>, id: &str) -> Result<Value> {
    context.admin()?;
    let wanted = match id {
        "" => Condition::all([]),
        id => Condition::equals("uuid", id),
    };
    let machines = object::all(context.db, &VIRTUAL_MACHINES, context.era(), &wanted)?;
    if machines.is_empty() && !id.is_empty() {
        return Err(ApiError::NotFound);
    }
    let mut items = Vec::new();
    for machine in &machines {
        let links = Condition::all([
            Condition::plain("link_class = 'permission' AND name = 'can_login'"),
            Condition::equals("head_uuid", text(machine, "uuid")),
        ]);
        for link in object::all(context.db, &LINKS, context.era(), &links)? {
            items.extend(logins(context, machine, &link)?);
        }
    }
    Ok(json!({"kind": "arvados#HashList", "items": items}))
}

/// What `link` gives: a login for each key of its user, or one without a key. A link that names no
/// login gives none.
fn logins(context: &Context<'_>, machine: &Object, link: &Object) -> Result<Vec<Value>> {
    let (user, properties) = (text(link, "tail_uuid"), &link["properties"]);
    let username = properties["username"].as_str().unwrap_or_default();
    let known = object::exists(context.db, &USERS, &Condition::equals("uuid", user))?;
    if username.is_empty() || !known {
        return Ok(Vec::new());
    }
    let of_user = Condition::equals("authorized_user_uuid", user);
    let keys = object::all(context.db, &AUTHORIZED_KEYS, context.era(), &of_user)?;
    let groups = properties["groups"].as_array().cloned().unwrap_or_default();
    let login = |key: Option<&Object>| {
        let of_key = |name: &str| key.and_then(|key| key.get(name).cloned());
        json!({
            "username": username,
            "hostname": machine["hostname"],
            "groups": groups,
            "public_key": of_key("public_key"),
            "user_uuid": user,
            "virtual_machine_uuid": machine["uuid"],
            "authorized_key_uuid": of_key("uuid"),
        })
    };
    Ok(match keys.is_empty() {
        true => vec![login(None)],
        false => keys.iter().map(|key| login(Some(key))).collect(),
    })
}
