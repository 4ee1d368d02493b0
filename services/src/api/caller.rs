//! Who a request comes from: tokens, their scopes, and reader tokens.

use std::sync::Arc;

use hyper::Method;
use rusqlite::Connection;
use serde_json::Value;

use super::condition::Condition;
use super::context::Api;
use super::error::{ApiError, Result, unprocessable};
use super::object::{self, Object, text};
use super::permission::Access;
use super::request::ApiRequest;
use super::resources::{API_CLIENT_AUTHORIZATIONS, USERS};
use super::time;
use crate::era::Era;
use crate::era::api::{GET_SCOPES_ALLOW_HEAD, HAS_V2_TOKENS, READERS_MAKE_UP_FOR_SCOPE};

/// The most reader tokens of one request.
const MAX_READER_TOKENS: usize = 100;

/// A user that is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Its uuid.
    pub(crate) uuid: String,
    /// May do everything.
    pub(crate) is_admin: bool,
    /// May change things.
    pub(crate) is_active: bool,
}

/// Who a request comes from.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The user of the main token; `None` if only reader tokens allow the request.
    pub(crate) account: Option<Account>,
    /// The main token's row.
    pub(crate) token: Option<Object>,
    /// What all readers together may read; for writes, what the account may do.
    pub(crate) access: Arc<Access>,
}

impl Caller {
    /// Somebody without a token.
    pub(crate) fn nobody() -> Self {
        Self { account: None, token: None, access: Arc::new(Access::default()) }
    }

    /// Whether the main token has a scope to GET `path`.
    pub(crate) fn may_get(&self, era: Era, path: &str) -> bool {
        self.token.as_ref().is_some_and(|token| scopes_allow(era, token, &Method::GET, path))
    }
}

/// Who the token `presented` stands for, whatever its scopes; `None` if it is not valid now.
///
/// # Errors
/// Those of the database.
pub(crate) fn of_token(api: &Api, db: &Connection, presented: &str) -> Result<Option<Caller>> {
    let Some((token, account)) = find_token(api.era, db, presented)? else {
        return Ok(None);
    };
    let access = access(api, db, std::slice::from_ref(&account))?;
    Ok(Some(Caller { account: Some(account), token: Some(token), access }))
}

/// Finds out who `request` comes from.
///
/// # Errors
/// When no token is usable, or none has a scope for this request.
pub(crate) fn identify(api: &Api, db: &Connection, request: &ApiRequest) -> Result<Caller> {
    let main = match &request.token {
        Some(presented) => find_token(api.era, db, presented)?,
        None => None,
    };
    let in_scope = main
        .as_ref()
        .is_none_or(|(token, _)| scopes_allow(api.era, token, &request.method, &request.path));
    if !in_scope && !READERS_MAKE_UP_FOR_SCOPE.of(api.era) {
        return Err(ApiError::Forbidden);
    }
    let mut readers = reader_accounts(api.era, db, request)?;
    let has_token = main.is_some();
    let main = main.filter(|_| in_scope);
    if main.is_none() && readers.is_empty() {
        return Err(match has_token {
            true => ApiError::Forbidden,
            false => ApiError::NotLoggedIn,
        });
    }
    let (token, account) = main.unzip();
    readers.extend(account.clone());
    Ok(Caller { access: access(api, db, &readers)?, account, token })
}

/// The row of a token that is valid now, and its user.
///
/// # Errors
/// Those of the database.
pub(crate) fn find_token(
    era: Era,
    db: &Connection,
    presented: &str,
) -> Result<Option<(Object, Account)>> {
    let (condition, secret) = match v2_parts(era, presented) {
        Some((uuid, secret)) => (Condition::equals("uuid", uuid), secret),
        None => (Condition::equals("api_token", presented), presented),
    };
    let Some(token) = object::find(db, &API_CLIENT_AUTHORIZATIONS, era, &condition)? else {
        return Ok(None);
    };
    let expires_at = text(&token, "expires_at");
    let expired = !expires_at.is_empty() && expires_at <= time::now().as_str();
    if expired || text(&token, "api_token") != secret {
        return Ok(None);
    }
    let user = Condition::equals("uuid", text(&token, "owner_uuid"));
    let user = object::find(db, &USERS, era, &user)?;
    let flag = |user: &Object, name: &str| user.get(name) == Some(&Value::Bool(true));
    Ok(user.map(|user| {
        let account = Account {
            uuid: text(&user, "uuid").to_owned(),
            is_admin: flag(&user, "is_admin"),
            is_active: flag(&user, "is_active"),
        };
        (token, account)
    }))
}

/// Uuid and secret of a token of the form `v2/UUID/SECRET`, with or without a container's uuid
/// behind them.
fn v2_parts(era: Era, presented: &str) -> Option<(&str, &str)> {
    let mut parts = presented.strip_prefix("v2/")?.split('/');
    let parts = (parts.next()?, parts.next()?);
    HAS_V2_TOKENS.of(era).then_some(parts)
}

/// The users of those reader tokens that allow the request.
fn reader_accounts(era: Era, db: &Connection, request: &ApiRequest) -> Result<Vec<Account>> {
    if !request.reads() {
        return Ok(Vec::new());
    }
    let tokens = match request.json("reader_tokens")? {
        None => return Ok(Vec::new()),
        Some(Value::Array(tokens)) if tokens.len() < MAX_READER_TOKENS => tokens,
        Some(_) => {
            return Err(unprocessable(format!(
                "reader_tokens must be an array of fewer than {MAX_READER_TOKENS} tokens"
            )));
        }
    };
    let mut accounts = Vec::new();
    for token in tokens.iter().filter_map(Value::as_str) {
        if let Some((row, account)) = find_token(era, db, token)?
            && scopes_allow(era, &row, &request.method, &request.path)
        {
            accounts.push(account);
        }
    }
    Ok(accounts)
}

fn access(api: &Api, db: &Connection, readers: &[Account]) -> Result<Arc<Access>> {
    let of = |account: &Account| -> Result<Arc<Access>> {
        Ok(api.permissions.access(db, &account.uuid, account.is_admin)?)
    };
    match readers {
        [one] => of(one),
        _ => {
            let mut together = Access::default();
            for reader in readers {
                together.merge(&*of(reader)?);
            }
            Ok(Arc::new(together))
        }
    }
}

fn scopes_allow(era: Era, token: &Object, method: &Method, path: &str) -> bool {
    let scopes = token.get("scopes").and_then(Value::as_array);
    let mut scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
    scopes.any(|scope| scope_allows(era, scope, method, path))
}

/// Whether `scope` is "all", this method and path, or this method and a folder that holds the path.
fn scope_allows(era: Era, scope: &str, method: &Method, path: &str) -> bool {
    if scope == "all" {
        return true;
    }
    let Some((allowed_method, allowed_path)) = scope.split_once(' ') else {
        return false;
    };
    let method = match *method {
        Method::HEAD if GET_SCOPES_ALLOW_HEAD.of(era) => "GET",
        _ => method.as_str(),
    };
    let fits = match allowed_path.ends_with('/') {
        true => path.starts_with(allowed_path),
        false => path == allowed_path,
    };
    method == allowed_method && fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(scope: &str, method: &Method, path: &str) -> bool {
        scope_allows(Era::Current, scope, method, path)
    }

    #[test]
    fn a_scope_is_exact_or_a_folder() {
        let get = |scope, path| allows(scope, &Method::GET, path);
        assert!(get("all", "/x"));
        assert!(get("GET /", "/x/y"));
        assert!(get("GET /x", "/x"));
        assert!(!get("GET /x", "/x/y"));
        assert!(!get("GET /x/", "/x"));
        assert!(get("GET /x/", "/x/y"));
        assert!(!get("POST /x", "/x"));
        assert!(!get("", "/x"));
    }

    #[test]
    fn head_is_a_get_today_but_was_not() {
        assert!(allows("GET /", &Method::HEAD, "/x"));
        assert!(!scope_allows(Era::Y2015, "GET /", &Method::HEAD, "/x"));
    }

    #[test]
    fn a_v2_token_has_a_uuid_and_a_secret() {
        let expected = Some(("uuid", "secret"));
        assert_eq!(v2_parts(Era::Current, "v2/uuid/secret"), expected);
        assert_eq!(v2_parts(Era::Current, "v2/uuid/secret/container"), expected);
        assert_eq!(v2_parts(Era::Current, "secret"), None);
        assert_eq!(v2_parts(Era::Current, "v2/uuid"), None);
    }
}
