//! What managing tokens takes, and how they are found by their scopes.

use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use super::condition::Condition;
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

/// A token has these scopes, in whatever order; `None` if they are no array of texts.
pub(crate) fn with_scopes(operand: &Value) -> Option<Condition> {
    let scopes = operand.as_array()?.iter().map(Value::as_str);
    let mut scopes = scopes.collect::<Option<Vec<_>>>()?;
    scopes.sort_unstable();
    let sql = "(SELECT json_group_array(value) FROM
        (SELECT value FROM json_each(scopes) ORDER BY value)) = ?";
    Some(Condition::new(sql, [Sql::Text(json!(scopes).to_string())]))
}
