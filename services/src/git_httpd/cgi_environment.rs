//! The environment in which `git http-backend` answers a request: the variables of CGI
//! (RFC 3875) as Go's `net/http/cgi` sets them, and those of git.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::Path;

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderName};
use hyper::http::request::Parts;

use crate::serve::Peer;

/// Settings of ours for git, as if given on its command line.
const GIT_SETTINGS: &[(&str, &str)] = &[
    // The folders are those of the test cluster, whoever owns the files.
    ("safe.directory", "*"),
    // Cleaning up goes on in the background, and would outlive us.
    ("receive.autogc", "false"),
    ("gc.auto", "0"),
    // Larger contents pass through git in pieces; else each would be in memory as a whole.
    ("core.bigFileThreshold", "16m"),
    // Most of the time of a large push would go into compressing what is soon deleted.
    ("core.looseCompression", "0"),
];

/// What our own environment passes on: where programs are, and what gitolite needs where it takes
/// the place of git.
const INHERITED: &[&str] = &["PATH", "GITOLITE_HTTP_HOME", "GL_BYPASS_ACCESS_CHECKS"];

/// What the variables are made from.
pub(super) struct CgiEnvironment<'a> {
    pub(super) parts: &'a Parts,
    /// Where we listen, as it was given.
    pub(super) address: &'a str,
    /// The folder of all repositories.
    pub(super) root: &'a Path,
    /// That of the one repository, below it.
    pub(super) folder: &'a Path,
}

impl CgiEnvironment<'_> {
    /// All variables, when git is asked for `rest`, with its slash in front, of the repository.
    pub(super) fn variables(&self, rest: &str) -> Vec<(String, OsString)> {
        let mut variables = Vec::new();
        for name in INHERITED {
            variables.extend(std::env::var_os(name).map(|value| ((*name).to_owned(), value)));
        }
        let mut set = |name: &str, value: &OsStr| {
            variables.push((name.to_owned(), value.to_owned()));
        };
        self.describe_request(rest, &mut |name, value| set(name, OsStr::new(value)));
        set("GIT_PROJECT_ROOT", self.root.as_os_str());
        set("PATH_INFO", &self.path_info(rest));
        settings_of_git(&mut |name, value| set(name, OsStr::new(value)));
        variables
    }

    fn describe_request(&self, rest: &str, set: &mut dyn FnMut(&str, &str)) {
        let parts = self.parts;
        let host = self.header(&HOST);
        let (name, port) = host.rsplit_once(':').unwrap_or((&host, "80"));
        set("GATEWAY_INTERFACE", "CGI/1.1");
        set("SERVER_PROTOCOL", "HTTP/1.1");
        set("SERVER_SOFTWARE", "go");
        set("SERVER_NAME", name);
        set("SERVER_PORT", port);
        set("SERVER_ADDR", self.address);
        set("SCRIPT_NAME", "");
        set("REQUEST_METHOD", parts.method.as_str());
        set("REQUEST_URI", rest);
        set("QUERY_STRING", parts.uri.query().unwrap_or_default());
        set("CONTENT_TYPE", &self.header(&CONTENT_TYPE));
        // No CONTENT_LENGTH: git would copy the body once more to count it, and wait for ever,
        // busily, if it broke off (git 2.47). The end of its input says as much.
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
        let address = peer.as_ref().map(|peer| peer.ip().to_string()).unwrap_or_default();
        let port = peer.as_ref().map(SocketAddr::port).unwrap_or_default();
        set("REMOTE_ADDR", &address);
        set("REMOTE_HOST", &address);
        set("REMOTE_PORT", &port.to_string());
        // git takes pushes only from a user that the web server knows; we have checked the token.
        set("REMOTE_USER", &peer.as_ref().map(ToString::to_string).unwrap_or_default());
        for name in parts.headers.keys() {
            // Hooks need no token. A `Proxy` header would become the variable that reroutes clients.
            if name != AUTHORIZATION && name != "proxy" {
                let variable = name.as_str().to_ascii_uppercase().replace('-', "_");
                set(&format!("HTTP_{variable}"), &self.header(name));
            }
        }
    }

    /// The values of a header in one text, without those that are no text.
    fn header(&self, name: &HeaderName) -> String {
        let values = self.parts.headers.get_all(name);
        let values: Vec<_> = values.iter().filter_map(|value| value.to_str().ok()).collect();
        values.join(if *name == COOKIE { "; " } else { ", " })
    }

    /// The repository and what is asked of it, as a path below the root.
    fn path_info(&self, rest: &str) -> OsString {
        let mut path = OsString::from("/");
        path.push(self.folder.strip_prefix(self.root).unwrap_or(self.folder));
        path.push(rest);
        path
    }
}

fn settings_of_git(set: &mut dyn FnMut(&str, &str)) {
    set("GIT_HTTP_EXPORT_ALL", "");
    // Settings of the user who runs the cluster must not change what tests see.
    set("HOME", "/");
    set("GIT_CONFIG_NOSYSTEM", "1");
    set("GIT_CONFIG_GLOBAL", "/dev/null");
    set("GIT_CONFIG_COUNT", &GIT_SETTINGS.len().to_string());
    for (number, (key, value)) in GIT_SETTINGS.iter().enumerate() {
        set(&format!("GIT_CONFIG_KEY_{number}"), key);
        set(&format!("GIT_CONFIG_VALUE_{number}"), value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn variables(request: hyper::http::request::Builder) -> BTreeMap<String, String> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let (root, folder) = (Path::new("/srv/git"), Path::new("/srv/git/a/.git"));
        let environment = CgiEnvironment { parts: &parts, address: ":80", root, folder };
        let found = environment.variables("/info/refs").into_iter();
        found.map(|(name, value)| (name, value.into_string().unwrap())).collect()
    }

    #[test]
    fn git_is_told_what_is_asked_and_of_whom() {
        let found =
            variables(hyper::Request::get("/x.git/info/refs?service=s").header("host", "h:9"));
        for (name, value) in [
            ("REQUEST_METHOD", "GET"),
            ("QUERY_STRING", "service=s"),
            ("PATH_INFO", "/a/.git/info/refs"),
            ("GIT_PROJECT_ROOT", "/srv/git"),
            ("SERVER_NAME", "h"),
            ("SERVER_PORT", "9"),
            ("GIT_CONFIG_KEY_0", "safe.directory"),
        ] {
            assert_eq!(found[name], value, "{name}");
        }
    }

    #[test]
    fn headers_become_variables_save_those_that_would_do_harm() {
        let request = hyper::Request::get("/")
            .header("git-protocol", "version=2")
            .header("authorization", "OAuth2 secret")
            .header("proxy", "http://elsewhere/")
            .header("x-a", "1")
            .header("x-a", "2")
            .header("cookie", "a=b")
            .header("cookie", "c=d");
        let found = variables(request);
        assert_eq!(found["HTTP_GIT_PROTOCOL"], "version=2");
        assert_eq!((&*found["HTTP_X_A"], &*found["HTTP_COOKIE"]), ("1, 2", "a=b; c=d"));
        assert!(!found.contains_key("HTTP_PROXY") && !found.contains_key("HTTP_AUTHORIZATION"));
    }
}
