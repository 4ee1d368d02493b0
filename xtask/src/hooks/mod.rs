//! The git hook that refuses a commit which `lint` refuses: what it is, where git looks for it, and
//! when it may be written or removed.

mod change;
mod repository;
mod script;

pub(crate) use change::{install, uninstall};
