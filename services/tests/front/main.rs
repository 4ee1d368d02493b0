//! The TLS front over real sockets, before a service made up here, and beside the real nginx.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod api;
mod behaviour;
#[path = "../common/descriptors.rs"]
mod descriptors;
mod embedded;
#[path = "../common/http.rs"]
mod http;
#[path = "../common/memory.rs"]
mod memory;
mod nginx;
#[path = "../common/service.rs"]
mod service;
mod table;
mod tls_client;
mod upstream;
#[path = "../common/waiting.rs"]
mod waiting;
