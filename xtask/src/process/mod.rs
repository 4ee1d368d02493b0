//! Processes: which they are, which belong to a service, and how to end them.

pub(crate) mod identity;
pub(crate) mod members;
pub(crate) mod pidfd;
pub(crate) mod poll;
pub(crate) mod reserve;
pub(crate) mod run;
pub(crate) mod spawn;
pub(crate) mod stop;
pub(crate) mod table;
