//! What is asked of the API server, and how fast an answer is to be.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use ureq::http::Method;

/// One kind of request.
pub(super) struct Asked {
    pub(super) what: &'static str,
    /// The label of the fixture token that it is sent with.
    pub(super) user: &'static str,
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// Of the client's number and of how many it has sent.
    pub(super) body: fn(usize, usize) -> String,
    /// What the median of one client is to be.
    pub(super) aim: &'static str,
    /// That of the real server: Arvados 3.2.1 on Rails and PostgreSQL, with a few hundred records.
    pub(super) rails: &'static str,
}

/// All collections, the latest first.
const LIST: &str = "/arvados/v1/collections?limit=100";

/// The hundred of a project: `[["owner_uuid","=","zzzzz-j7d0g-0bench000000003"]]`.
const OF_ONE_PROJECT: &str = "/arvados/v1/collections?limit=100&filters=\
    %5B%5B%22owner_uuid%22%2C%22%3D%22%2C%22zzzzz-j7d0g-0bench000000003%22%5D%5D";

/// All: `[["name","like","generated%"]]`.
const ALIKE: &str = "/arvados/v1/collections?limit=100&filters=\
    %5B%5B%22name%22%2C%22like%22%2C%22generated%25%22%5D%5D";

/// In the order of the table.
pub(super) fn all() -> Vec<Asked> {
    vec![
        // Nothing is looked up for it: what is left are HTTP, TLS, and the client itself.
        Asked { method: Method::OPTIONS, path: LIST, ..get("nothing (OPTIONS)", LIST, "", "") },
        get("users/current", "/arvados/v1/users/current", "0.3 ms", "7 ms"),
        Asked {
            method: Method::POST,
            body: collection,
            ..get("create a collection", "/arvados/v1/collections", "1 ms", "17 ms")
        },
        get("discovery document", "/discovery/v1/apis/arvados/v1/rest", "1 ms", "85 ms"),
        get("list 100 of 100,000", LIST, "4 ms", "121 ms"),
        Asked { user: "active", ..get("the same, who sees 1,000", LIST, "4 ms", "") },
        get("list 100 of one owner", OF_ONE_PROJECT, "5 ms", "121 ms"),
        Asked { user: "active", ..get("the same, who sees 1,000", OF_ONE_PROJECT, "5 ms", "") },
        get("list 100 by a pattern", ALIKE, "", "121 ms"),
    ]
}

fn get(what: &'static str, path: &'static str, aim: &'static str, rails: &'static str) -> Asked {
    Asked { what, user: "admin", method: Method::GET, path, body: nothing, aim, rails }
}

fn nothing(_: usize, _: usize) -> String {
    String::new()
}

/// Each has a name of its own, whichever client makes it in whichever run.
fn collection(_: usize, sent: usize) -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let block = "37b51d194a7513e45b56f6524f2d51f2+3";
    let name = format!("number {}", MADE.fetch_add(1, Ordering::Relaxed));
    json!({"collection": {
        "name": name,
        "manifest_text": format!(". {block} 0:3:bar\n"),
        "properties": {"number": sent},
    }})
    .to_string()
}
