//! arv-git-httpd over real sockets, with the installed git at both ends.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod cluster;
#[path = "../common/descriptors.rs"]
mod descriptors;
mod ends;
mod environment;
#[path = "../common/fake_api.rs"]
mod fake_api;
mod flags;
#[path = "../common/http.rs"]
mod http;
mod large;
#[path = "../common/memory.rs"]
mod memory;
mod paths;
#[path = "../common/processes.rs"]
mod processes;
mod requests;
#[path = "../common/service.rs"]
mod service;
mod transfers;
#[path = "../common/waiting.rs"]
mod waiting;
