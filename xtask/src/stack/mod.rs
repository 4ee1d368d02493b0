//! A stack: one running cluster with a name, and all that it owns.

pub(crate) mod folder;
pub(crate) mod lock;
pub(crate) mod name;
pub(crate) mod origin;
pub(crate) mod state;

pub(crate) use folder::StackFolder;
pub(crate) use lock::StackLock;
pub(crate) use name::{MAX_LENGTH, StackName};
pub(crate) use origin::{Leaves, Lost, Origin, Owner};
pub(crate) use state::State;
