//! What a request asks of keepproxy, by its method and path.

use hyper::Method;

use super::config::Config;
use crate::era::keepproxy;
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
    /// List the blocks of all keepstores whose hash starts so.
    Index(&'a str),
    /// A browser asks what it may do.
    Preflight,
}

/// The route of a request; `None` if there is none. `path` has its percent signs decoded.
pub(super) fn route<'a>(method: &Method, path: &'a str, config: &Config) -> Option<Route<'a>> {
    let name = path.strip_prefix('/')?;
    let (reading, writing) = (config.reading, config.writing);
    if *method == Method::GET
        && reading
        && keepproxy::HAS_INDEX.of(config.era)
        && let Some(prefix) = index_prefix(name)
    {
        return Some(Route::Index(prefix));
    }
    match *method {
        Method::GET | Method::HEAD if reading => Locator::parse_loosely(name).map(Route::Read),
        Method::PUT if writing => Locator::parse_loosely(name).map(Route::Write),
        Method::POST if writing && name.is_empty() => Some(Route::WriteUnnamed),
        Method::OPTIONS if writing && !name.contains('/') => Some(Route::Preflight),
        _ => None,
    }
}

fn index_prefix(name: &str) -> Option<&str> {
    let prefix = if name == "index" { "" } else { name.strip_prefix("index/")? };
    let digits = prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits && prefix.len() <= 32).then_some(prefix)
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

    fn config(flags: &[&str]) -> Config {
        let flags: Vec<_> = flags.iter().map(ToString::to_string).collect();
        Config::from_flags(&flags).unwrap()
    }

    #[test]
    fn a_direction_that_is_switched_off_has_no_route() {
        let [both, no_get, no_put] = [&[][..], &["-no-get"], &["-no-put"]].map(config);
        assert!(matches!(route(&Method::GET, FOO, &no_put), Some(Route::Read(_))));
        assert_eq!(route(&Method::GET, FOO, &no_get), None);
        assert_eq!(route(&Method::GET, "/index", &no_get), None);
        assert!(matches!(route(&Method::PUT, FOO, &no_get), Some(Route::Write(_))));
        for (method, path) in [(&Method::PUT, FOO), (&Method::POST, "/"), (&Method::OPTIONS, "/")] {
            assert!(route(method, path, &both).is_some());
            assert_eq!(route(method, path, &no_put), None);
        }
    }

    #[test]
    fn blocks_are_listed_in_the_current_era() {
        let [current, old] = [&[][..], &["-era=2015"]].map(config);
        for (path, prefix) in [("/index", ""), ("/index/", ""), ("/index/acb", "acb")] {
            assert_eq!(route(&Method::GET, path, &current), Some(Route::Index(prefix)));
            assert_eq!(route(&Method::GET, path, &old), None);
        }
        assert_eq!(route(&Method::GET, "/index/x", &current), None);
    }

    #[test]
    fn other_paths_have_no_route() {
        let config = config(&[]);
        assert_eq!(route(&Method::GET, "/../../etc/passwd", &config), None);
        assert_eq!(route(&Method::POST, FOO, &config), None);
        assert_eq!(route(&Method::DELETE, FOO, &config), None);
    }

    #[test]
    fn cluster_hints_are_not_for_keepstores() {
        assert_eq!(without_cluster_hints("abc+3+K@zzzzz+Ax@1"), "abc+3+Ax@1");
        assert_eq!(without_cluster_hints("abc+3+Kother"), "abc+3+Kother");
    }
}
