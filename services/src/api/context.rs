//! What handling a request needs: the server, the request, the transaction and the caller.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::caller::{Account, Caller};
use super::discovery_cache::DiscoveryCache;
use super::error::{ApiError, Result, denied};
use super::permission::Access;
use super::permission_cache::PermissionCache;
use super::request::ApiRequest;
use super::store::Store;
use super::uuid;
use crate::era::Era;
use crate::signature::Signer;

/// The server.
pub(crate) struct Api {
    /// Which generation of clients it is for.
    pub(crate) era: Era,
    /// Its database.
    pub(crate) store: Store,
    /// What it tells clients about itself.
    pub(crate) discovery: DiscoveryCache,
    /// Who may do what.
    pub(crate) permissions: PermissionCache,
    /// How many of those who follow events may ask the database at once.
    pub(crate) followers: Semaphore,
    /// Signs and checks locators; without one, locators need no signature.
    pub(crate) signer: Option<Signer>,
    /// How long a signature lasts, as clients are told.
    pub(crate) signature_ttl_seconds: u64,
    /// How many copies of a block a client makes that is not told otherwise.
    pub(crate) default_replication: u64,
}

/// One request that is being handled.
pub(crate) struct Context<'a> {
    /// The server.
    pub(crate) api: &'a Api,
    /// What the client sent.
    pub(crate) request: &'a ApiRequest,
    /// The transaction.
    pub(crate) db: &'a Connection,
    /// Who it comes from.
    pub(crate) caller: Caller,
}

impl Context<'_> {
    /// The era of the server.
    pub(crate) fn era(&self) -> Era {
        self.api.era
    }

    /// The same request, on which the system acts instead of the caller.
    pub(crate) fn as_system(&self) -> Context<'_> {
        let system = uuid::SYSTEM_USER.to_owned();
        let account = Account { uuid: system, is_admin: true, is_active: true };
        let access = Access::clone(&self.caller.access).with_everything();
        let caller = Caller {
            account: Some(account),
            token: self.caller.token.clone(),
            access: Arc::new(access),
        };
        Context { api: self.api, request: self.request, db: self.db, caller }
    }

    /// The user that acts; reader tokens do not make one.
    ///
    /// # Errors
    /// When nobody is logged in.
    pub(crate) fn account(&self) -> Result<&Account> {
        self.caller.account.as_ref().ok_or(ApiError::NotLoggedIn)
    }

    /// The user that acts, who may change things.
    ///
    /// # Errors
    /// When nobody is logged in, or the user is not active.
    pub(crate) fn active_account(&self) -> Result<&Account> {
        let account = self.account()?;
        if account.is_active || account.is_admin {
            Ok(account)
        } else {
            Err(denied("Permission denied: user is not active"))
        }
    }

    /// The user that acts, who is an admin.
    ///
    /// # Errors
    /// When nobody is logged in, or the user is no admin.
    pub(crate) fn admin(&self) -> Result<&Account> {
        let account = self.account()?;
        if account.is_admin { Ok(account) } else { Err(ApiError::Forbidden) }
    }
}
