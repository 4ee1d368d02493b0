//! What managing tokens takes.

use serde_json::{Value, json};

use super::context::Context;
use super::error::{ApiError, Result, unprocessable};
use super::object::Object;
use super::resources::API_CLIENT_AUTHORIZATIONS;
use super::uuid;
use super::write;
use crate::era::api::MANAGING_TOKENS_NEEDS_TRUST;

/// Checks that the caller's token may manage tokens, where that takes a trusted API client.
///
/// # Errors
/// When it is not.
pub(crate) fn require_trusted_client(context: &Context<'_>) -> Result<()> {
    if !MANAGING_TOKENS_NEEDS_TRUST.of(context.era()) {
        return Ok(());
    }
    let client = context.caller.token.as_ref();
    let client = client.and_then(|token| token.get("api_client_id")?.as_i64());
    let trusted: bool = context
        .db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM api_clients WHERE id = ? AND is_trusted)")?
        .query_row([client], |row| row.get(0))?;
    if trusted { Ok(()) } else { Err(ApiError::Forbidden) }
}

/// Makes a token of the system user for an admin, with the scopes that the request names.
///
/// # Errors
/// When the caller is no admin, or the scopes are no array.
pub(crate) fn of_system(context: &Context<'_>, _: &str) -> Result<Value> {
    context.admin()?;
    let scopes = context.request.json("scopes")?.unwrap_or_else(|| json!(["all"]));
    if !scopes.is_array() {
        return Err(unprocessable("scopes must be an array"));
    }
    let token = Object::from_iter([
        ("owner_uuid".to_owned(), uuid::SYSTEM_USER.into()),
        ("scopes".to_owned(), scopes),
    ]);
    write::create_from(context, &API_CLIENT_AUTHORIZATIONS, token)
}
