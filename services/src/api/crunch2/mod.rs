//! Crunch of today: containers and the requests for them.

mod auth;
pub(crate) mod container;
mod finish;
mod priority;
pub(crate) mod request;
mod resolve;
mod resources;
mod special;
mod whitelist;
pub(crate) mod workflow;

pub(crate) use auth::is_of_caller;
pub(crate) use resources::{CONTAINER_REQUESTS, CONTAINERS, CREDENTIALS, WORKFLOWS};
pub(crate) use special::SPECIALS;
