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
    /// Delete a block.
    Delete,
    /// List the blocks whose hash starts so.
    Index(&'a str),
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
    if matches!(*method, Method::GET | Method::HEAD) {
        if name == "status.json" {
            return Some(Route::Status);
        }
        if let Some(prefix) = index_prefix(name) {
            return Some(Route::Index(prefix));
        }
    }
    match (method, name) {
        (&Method::PUT, "pull") => return Some(Route::Pull),
        (&Method::PUT, "trash") => return Some(Route::Trash),
        _ => {}
    }
    let locator = Locator::parse(name)?;
    match *method {
        Method::GET | Method::HEAD => Some(Route::Read(locator)),
        Method::PUT if keepstore::PUT_TAKES_HINTS.of(era) || is_hash(name) => {
            Some(Route::Write(locator.hash))
        }
        Method::DELETE if is_hash(name) => Some(Route::Delete),
        _ => None,
    }
}

fn index_prefix(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("index")?;
    let prefix = match rest {
        "" => "",
        _ => rest.strip_prefix('/')?,
    };
    let hexadecimal = prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hexadecimal && prefix.len() <= 32).then_some(prefix)
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
        assert_eq!(get("/index"), Some(Route::Index("")));
        assert_eq!(get("/index/"), Some(Route::Index("")));
        assert_eq!(get("/index/acb"), Some(Route::Index("acb")));
        assert_eq!(get("/index/../x"), None);
        assert_eq!(get("/indexacb"), None);
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
