//! What a request asks of keepstore, by its method and path.

use hyper::Method;

use crate::era::{Era, keepstore};
use crate::locator::{Locator, is_hash};

/// A request that keepstore knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// Read a block, with GET or HEAD.
    Read(Locator<'a>),
    /// Store a block under this hash.
    Write(&'a str),
    /// Delete the block with this hash.
    Delete(&'a str),
    /// Take the block with this hash out of the trash.
    Undelete(&'a str),
    /// Mark the block with this hash as used.
    Touch(&'a str),
    /// List the blocks on all volumes, or on that with the uuid, whose hash starts so.
    Index { mount: Option<&'a str>, prefix: &'a str },
    /// List the volumes.
    Mounts,
    /// Take a list of blocks to fetch.
    Pull,
    /// Take a list of blocks to delete.
    Trash,
    /// Tell about volumes and memory.
    Status,
    /// A browser asks what it may do.
    Preflight,
}

/// The route of a request; `None` if there is none. `path` has its percent signs decoded.
pub(super) fn route<'a>(method: &Method, path: &'a str, era: Era) -> Option<Route<'a>> {
    if *method == Method::OPTIONS && keepstore::ANSWERS_OPTIONS.of(era) {
        return Some(Route::Preflight);
    }
    let name = path.strip_prefix('/')?;
    if let Some(route) = named(method, name, era) {
        return Some(route);
    }
    let locator = Locator::parse_loosely(name)?;
    let has_mounts = keepstore::HAS_MOUNTS.of(era);
    match method.as_str() {
        "GET" | "HEAD" => Some(Route::Read(locator)),
        "PUT" if keepstore::PUT_TAKES_HINTS.of(era) || is_hash(name) => {
            Some(Route::Write(locator.hash))
        }
        "DELETE" if has_mounts || is_hash(name) => Some(Route::Delete(locator.hash)),
        "TOUCH" if has_mounts => Some(Route::Touch(locator.hash)),
        _ => None,
    }
}

/// The routes that begin with a word and not with a hash.
fn named<'a>(method: &Method, name: &'a str, era: Era) -> Option<Route<'a>> {
    let parts: Vec<&str> = name.split('/').collect();
    let has_mounts = keepstore::HAS_MOUNTS.of(era);
    match (method.as_str(), &parts[..]) {
        ("GET" | "HEAD", ["status.json"]) => Some(Route::Status),
        ("GET" | "HEAD", ["index"]) => Some(Route::Index { mount: None, prefix: "" }),
        ("GET" | "HEAD", ["index", prefix]) if is_prefix(prefix) => {
            Some(Route::Index { mount: None, prefix })
        }
        ("GET" | "HEAD", ["mounts"]) if has_mounts => Some(Route::Mounts),
        ("GET" | "HEAD", ["mounts", uuid, "blocks"]) if has_mounts => {
            Some(Route::Index { mount: Some(uuid), prefix: "" })
        }
        ("GET" | "HEAD", ["mounts", uuid, "blocks", prefix]) if has_mounts && is_prefix(prefix) => {
            Some(Route::Index { mount: Some(uuid), prefix })
        }
        ("PUT", ["pull"]) => Some(Route::Pull),
        ("PUT", ["trash"]) => Some(Route::Trash),
        ("PUT", ["untrash", locator]) if has_mounts => {
            Some(Route::Undelete(Locator::parse_loosely(locator)?.hash))
        }
        _ => None,
    }
}

/// Whether a hash may begin so.
pub(super) fn is_prefix(text: &str) -> bool {
    text.len() <= 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOO: &str = "/acbd18db4cc2f85cedef654fccc4a4d8";

    #[test]
    fn hints_behind_a_hash_are_for_readers_and_writers_of_today() {
        let hinted = format!("{FOO}+3+Kzzzzz");
        for era in [Era::Current, Era::Y2015] {
            assert!(matches!(route(&Method::HEAD, &hinted, era), Some(Route::Read(_))));
            assert_eq!(route(&Method::PUT, FOO, era), Some(Route::Write(&FOO[1..])));
        }
        assert_eq!(route(&Method::PUT, &hinted, Era::Current), Some(Route::Write(&FOO[1..])));
        assert_eq!(route(&Method::PUT, &hinted, Era::Y2015), None);
    }

    #[test]
    fn an_index_is_of_all_or_of_a_prefix() {
        let get = |path| route(&Method::GET, path, Era::Current);
        let index = |mount, prefix| Some(Route::Index { mount, prefix });
        assert_eq!(get("/index"), index(None, ""));
        assert_eq!(get("/index/"), index(None, ""));
        assert_eq!(get("/index/acb"), index(None, "acb"));
        assert_eq!(get("/mounts/uuid/blocks/acb"), index(Some("uuid"), "acb"));
        assert_eq!(get("/mounts/uuid/blocks"), index(Some("uuid"), ""));
        assert_eq!(get("/mounts/uuid"), None);
        assert_eq!(route(&Method::GET, "/mounts", Era::Y2015), None);
        assert_eq!(get("/index/../x"), None);
        assert_eq!(get("/indexacb"), None);
    }

    #[test]
    fn a_data_manager_of_today_may_also_touch_and_undelete() {
        let touch = Method::from_bytes(b"TOUCH").unwrap();
        let undelete = format!("/untrash{FOO}");
        let hinted = format!("{FOO}+3");
        assert_eq!(route(&touch, FOO, Era::Current), Some(Route::Touch(&FOO[1..])));
        for undelete in [&undelete, &format!("{undelete}+3")] {
            let route = route(&Method::PUT, undelete, Era::Current);
            assert_eq!(route, Some(Route::Undelete(&FOO[1..])));
        }
        assert_eq!(route(&Method::DELETE, &hinted, Era::Current), Some(Route::Delete(&FOO[1..])));
        assert_eq!(route(&touch, FOO, Era::Y2015), None);
        assert_eq!(route(&Method::PUT, &undelete, Era::Y2015), None);
        assert_eq!(route(&Method::DELETE, &hinted, Era::Y2015), None);
    }

    #[test]
    fn lists_of_the_data_manager_are_put() {
        let put = |path| route(&Method::PUT, path, Era::Current);
        assert_eq!([put("/pull"), put("/trash")], [Some(Route::Pull), Some(Route::Trash)]);
        assert_eq!([put("/pull/"), put("/index")], [None, None]);
        assert_eq!(route(&Method::GET, "/pull", Era::Current), None);
    }

    #[test]
    fn other_paths_and_methods_have_no_route() {
        for path in ["", "/", "/../etc/passwd", "/acbd", "/foo/bar", "//status.json"] {
            assert_eq!(route(&Method::GET, path, Era::Current), None, "{path:?}");
        }
        assert_eq!(route(&Method::POST, FOO, Era::Current), None);
        assert_eq!(route(&Method::OPTIONS, FOO, Era::Y2015), None);
        assert_eq!(route(&Method::OPTIONS, "/any", Era::Current), Some(Route::Preflight));
    }
}
