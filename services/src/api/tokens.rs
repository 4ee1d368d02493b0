//! What managing tokens takes.

use super::context::Context;
use super::error::{ApiError, Result};
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
