//! Processes: which they are, which belong to a service, and how to end them.

pub(crate) mod identity;
pub(crate) mod marker;
pub(crate) mod members;
pub(crate) mod orphans;
mod own_program;
pub(crate) mod pidfd;
pub(crate) mod poll;
pub(crate) mod reserve;
pub(crate) mod run;
pub(crate) mod spawn;
pub(crate) mod stop;
pub(crate) mod table;
pub(crate) mod tied;

pub(crate) use own_program::own_program;
