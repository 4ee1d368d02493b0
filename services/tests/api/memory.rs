//! The server's memory stays what it is, however many requests it answers.

use serde_json::json;

use super::NONE;
use super::api_server::Server;
use super::events::ERAS;

/// After so many rounds, everything that is kept once is there.
const WARM_UP: usize = 200;

/// How many requests a round has.
const REQUESTS: usize = 5;

/// What allocators and SQLite's caches may still come to need, in MiB.
const TOLERATED: usize = 8;

#[test]
fn memory_does_not_grow_over_thousands_of_requests() {
    stays_after("current", 2_000);
}

#[test]
#[ignore = "takes minutes; the one of thousands is the same in small"]
fn memory_does_not_grow_over_a_hundred_thousand_requests() {
    for era in ERAS {
        stays_after(era, 100_000);
    }
}

fn stays_after(era: &'static str, requests: usize) {
    let server = Server::start(era);
    (0..WARM_UP).for_each(|_| round(&server));
    let before = server.resident_mebibytes();
    (0..requests / REQUESTS).for_each(|_| round(&server));
    let after = server.resident_mebibytes();
    assert!(after <= before + TOLERATED, "{era}: {before} MiB became {after}");
}

/// What clients do most: say who they are, make, find, change and remove.
fn round(server: &Server) {
    assert_eq!(server.get("active", "users/current").0, 200);
    let made = server.create("active", "collections", &json!({"collection": {}}));
    let uuid = made["uuid"].as_str().unwrap();
    assert_eq!(server.get("active", "collections?limit=10").0, 200);
    let path = format!("/arvados/v1/collections/{uuid}");
    let change = json!({"collection": {"description": "changed"}});
    assert_eq!(server.call("active", "PUT", &path, &change).0, 200);
    assert_eq!(server.call("active", "DELETE", &path, &NONE).0, 200);
}
