//! What a request asks of keepproxy, by its method and path.

use hyper::Method;

use crate::locator::Locator;

/// A request that keepproxy knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// Read a block, with GET or HEAD.
    Read(Locator<'a>),
    /// Store a block under this locator.
    Write(Locator<'a>),
    /// Store a block under whatever its hash is.
    WriteUnnamed,
    /// A browser asks what it may do.
    Preflight,
}

/// The route of a request; `None` if there is none. `path` has its percent signs decoded.
pub(super) fn route<'a>(
    method: &Method,
    path: &'a str,
    reading: bool,
    writing: bool,
) -> Option<Route<'a>> {
    let name = path.strip_prefix('/')?;
    match *method {
        Method::GET | Method::HEAD if reading => Locator::parse(name).map(Route::Read),
        Method::PUT if writing => Locator::parse(name).map(Route::Write),
        Method::POST if writing && name.is_empty() => Some(Route::WriteUnnamed),
        Method::OPTIONS if writing && !name.contains('/') => Some(Route::Preflight),
        _ => None,
    }
}

/// The locator as keepstores are asked for it: without hints that name a cluster, which are for
/// the client.
pub(super) fn without_cluster_hints(text: &str) -> String {
    let kept = text.split('+').filter(|part| !part.starts_with("K@"));
    kept.collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOO: &str = "/acbd18db4cc2f85cedef654fccc4a4d8";

    #[test]
    fn a_direction_that_is_switched_off_has_no_route() {
        assert!(matches!(route(&Method::GET, FOO, true, false), Some(Route::Read(_))));
        assert_eq!(route(&Method::GET, FOO, false, true), None);
        assert!(matches!(route(&Method::PUT, FOO, false, true), Some(Route::Write(_))));
        for (method, path) in [(&Method::PUT, FOO), (&Method::POST, "/"), (&Method::OPTIONS, "/")] {
            assert!(route(method, path, true, true).is_some());
            assert_eq!(route(method, path, true, false), None);
        }
    }

    #[test]
    fn other_paths_have_no_route() {
        assert_eq!(route(&Method::GET, "/index", true, true), None);
        assert_eq!(route(&Method::GET, "/../../etc/passwd", true, true), None);
        assert_eq!(route(&Method::POST, FOO, true, true), None);
        assert_eq!(route(&Method::DELETE, FOO, true, true), None);
    }

    #[test]
    fn cluster_hints_are_not_for_keepstores() {
        assert_eq!(without_cluster_hints("abc+3+K@zzzzz+Ax@1"), "abc+3+Ax@1");
        assert_eq!(without_cluster_hints("abc+3+Kother"), "abc+3+Kother");
    }
}
