//! What a test suite needs: a cluster of its own ([`TestServers`]), and to know of it before it asks
//! it: the fixture records, by label.
//!
//! Fixtures are Rails fixture files: one YAML file a class, a mapping from label to columns. The
//! crate comes with a folder of its own ([`Fixtures::builtin`]); any other folder of the same form
//! can be opened. Reading gives plain data; which column is a time or a reference is for the
//! reader to know.
//!
//! ```
//! let token = sdk_fixtures::auth_token("active")?;
//! let users = sdk_fixtures::fixture("users")?;
//! assert!(users.record("active").is_some());
//! # Ok::<(), sdk_fixtures::Error>(())
//! ```

mod ago;
pub mod checkout;
mod class;
mod content_hash;
mod dangling;
pub mod environment;
mod erb;
mod error;
mod folder;
pub mod git;
mod nearest;
mod plain;
pub mod program;
pub mod test_servers;
mod value;
mod yaml;

pub use ago::Ago;
pub use class::{Class, Record};
pub use dangling::Dangling;
pub use error::Error;
pub use folder::Fixtures;
pub use plain::timestamp;
pub use test_servers::TestServers;
pub use value::Value;

/// The records of one class of the fixtures that come with this crate, for instance `"users"`.
///
/// # Errors
/// As [`Fixtures::class`].
pub fn fixture(name: &str) -> Result<Class, Error> {
    Fixtures::builtin().class(name)
}

/// The API token that the fixtures of this crate have under `label`, for instance `"admin"`.
///
/// # Errors
/// As [`Fixtures::auth_token`].
pub fn auth_token(label: &str) -> Result<String, Error> {
    Fixtures::builtin().auth_token(label)
}
