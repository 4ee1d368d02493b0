//! The tokens with which containers call back.

use serde_json::Value;

use super::CONTAINERS;
use crate::api::caller;
use crate::api::condition::Condition;
use crate::api::context::Context;
use crate::api::error::{Result, denied, unprocessable};
use crate::api::object::{self, Object, text};
use crate::api::resources::API_CLIENT_AUTHORIZATIONS;
use crate::api::time;
use crate::api::write;

/// The uuid of the caller's token; empty for the server itself.
pub(super) fn token_uuid<'a>(context: &'a Context<'_>) -> &'a str {
    context.caller.token.as_ref().map(|token| text(token, "uuid")).unwrap_or_default()
}

/// Whether the caller is what runs in `container`, or the dispatcher that has locked it.
pub(crate) fn is_of_caller(context: &Context<'_>, container: &Object) -> bool {
    let own = token_uuid(context);
    let known = ["auth_uuid", "locked_by_uuid"].map(|name| text(container, name));
    is_inside(context, container) || (!own.is_empty() && known.contains(&own))
}

/// Whether the caller is what runs in `container`.
pub(super) fn is_inside(context: &Context<'_>, container: &Object) -> bool {
    let own = token_uuid(context);
    let presented = context.request.token.as_deref().filter(|_| !own.is_empty());
    let runtime_token = text(container, "runtime_token");
    (!own.is_empty() && own == text(container, "auth_uuid"))
        || (!runtime_token.is_empty() && presented == Some(runtime_token))
}

/// The container that the caller runs in.
///
/// # Errors
/// Those of the database.
pub(super) fn current(context: &Context<'_>) -> Result<Option<Object>> {
    let own = token_uuid(context);
    if own.is_empty() {
        return Ok(None);
    }
    let presented = context.request.token.as_deref().unwrap_or_default();
    let condition = Condition::any([
        Condition::equals("auth_uuid", own),
        Condition::equals("runtime_token", presented),
    ]);
    Ok(object::find(context.db, &CONTAINERS, context.era(), &condition)?)
}

/// The user and the scopes of a token that a client gives a container to run with.
///
/// # Errors
/// When it is not of the second version, or not valid.
pub(super) fn runtime_user(context: &Context<'_>, token: &str) -> Result<(String, Value)> {
    if !token.starts_with("v2/") {
        return Err(unprocessable("Runtime token not a v2 token"));
    }
    let found = caller::find_token(context.era(), context.db, token)?;
    let (row, account) = found.ok_or_else(|| unprocessable("Runtime token failed validation"))?;
    Ok((account.uuid, row.get("scopes").cloned().unwrap_or_default()))
}

/// Gives `container` a token of the user that it runs for.
///
/// # Errors
/// When nobody wants it to run.
pub(super) fn assign(
    context: &Context<'_>,
    container: &Object,
    changes: &mut Object,
) -> Result<()> {
    if !text(container, "auth_uuid").is_empty() || !text(container, "runtime_token").is_empty() {
        return Ok(());
    }
    let user = text(container, "runtime_user_uuid");
    if user.is_empty() {
        return Err(unprocessable("Auth uuid cannot be assigned because priority <= 0"));
    }
    let token = Object::from_iter([
        ("owner_uuid".to_owned(), user.into()),
        ("scopes".to_owned(), container.get("runtime_auth_scopes").cloned().unwrap_or_default()),
    ]);
    let system = context.as_system();
    let token = write::insert(&system, &API_CLIENT_AUTHORIZATIONS, token, false)?;
    changes.insert("auth_uuid".to_owned(), text(&token, "uuid").into());
    Ok(())
}

/// Ends the token of `container`.
///
/// # Errors
/// Those of the database.
pub(super) fn expire(
    context: &Context<'_>,
    container: &Object,
    changes: &mut Object,
) -> Result<()> {
    let uuid = text(container, "auth_uuid");
    if uuid.is_empty() {
        return Ok(());
    }
    let ended = Object::from_iter([("expires_at".to_owned(), time::now().into())]);
    object::update(context.db, &API_CLIENT_AUTHORIZATIONS, context.era(), uuid, &ended)?;
    changes.insert("auth_uuid".to_owned(), Value::Null);
    Ok(())
}

/// The token of a container, for the dispatcher that has locked it.
///
/// # Errors
/// When the caller has not locked it.
pub(super) fn of_container(context: &Context<'_>, container: &Object) -> Result<Object> {
    let own = token_uuid(context);
    if own.is_empty() || own != text(container, "locked_by_uuid") {
        return Err(denied("Not locked by your token"));
    }
    let given = text(container, "runtime_token");
    let found = if given.is_empty() {
        let condition = Condition::equals("uuid", text(container, "auth_uuid"));
        object::find(context.db, &API_CLIENT_AUTHORIZATIONS, context.era(), &condition)?
    } else {
        caller::find_token(context.era(), context.db, given)?.map(|(token, _)| token)
    };
    found.ok_or_else(|| denied("Invalid runtime_token"))
}
