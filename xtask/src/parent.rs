//! What a parent process has started for us: an API server, and perhaps the proxies, which are used
//! in place of our own. Arvados' test scripts tell each other of them by two variables.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::Usage;

/// `HOST:PORT` of the parent's API server.
pub(crate) const API_VARIABLE: &str = "ARVADOS_TEST_API_HOST";

/// Set where the parent has proxies too.
pub(crate) const PROXIES_VARIABLE: &str = "ARVADOS_TEST_PROXY_SERVICES";

/// The file with the authority that the parent's certificates are verified against.
const AUTHORITY_VARIABLE: &str = "ARVADOS_TEST_CA_CERT";

/// Set with the others by our own `env`.
const STACK_VARIABLE: &str = "XTASK_STACK";

/// The kinds of service that count as proxies.
const PROXIES: [&str; 3] = ["keepproxy", "arv-git-httpd", "nginx"];

/// All names of this machine itself.
const LOOPBACK: [&str; 4] = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

/// What a parent has; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Parent {
    pub(crate) api: Option<ParentApi>,
    /// Whether keepproxy, arv-git-httpd and the TLS front are the parent's.
    pub(crate) proxies: bool,
}

/// An API server that is not ours: it is never started nor stopped, only reset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ParentApi {
    /// `HOST:PORT`.
    pub(crate) host: String,
    /// Where its certificate is verified against; without one it is not verified.
    pub(crate) authority: Option<PathBuf>,
}

/// Looks up a variable of the environment.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Parent {
    /// What the variables name, whoever has set them.
    ///
    /// # Errors
    /// Wrong usage: one has a value that cannot be.
    pub(crate) fn in_environment() -> Result<Self, Usage> {
        Self::read(&variable)
    }

    /// The same for a command that has a stack by name: variables that `services env` has exported
    /// are of a stack of our own, and stacks of ours are independent of each other.
    ///
    /// # Errors
    /// Wrong usage: a variable has a value that cannot be.
    pub(crate) fn of_stacks() -> Result<Self, Usage> {
        match variable(STACK_VARIABLE) {
            Some(stack) if !stack.is_empty() => Ok(Self::default()),
            _ => Self::in_environment(),
        }
    }

    fn read(variable: Variable<'_>) -> Result<Self, Usage> {
        let api = ParentApi::read(API_VARIABLE, variable)?;
        // What a file of variables cannot unset, it empties.
        let proxies = variable(PROXIES_VARIABLE).is_some_and(|value| !value.is_empty());
        Ok(Self { api, proxies })
    }

    /// Whether services of that kind are the parent's.
    pub(crate) fn plays(&self, kind: &str) -> bool {
        (kind == "api" && self.api.is_some()) || (self.proxies && PROXIES.contains(&kind))
    }

    /// What a user has to know of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let api = self.api.as_ref().map(|api| {
            format!(
                "api is the parent's, at {}: it is reset, and never started nor stopped",
                api.host
            )
        });
        let proxies = self
            .proxies
            .then(|| format!("{} are the parent's: they are left alone", PROXIES.join(", ")));
        api.into_iter().chain(proxies).collect()
    }
}

impl ParentApi {
    /// The server that a variable names, if it is set.
    ///
    /// # Errors
    /// Wrong usage: it is no address, or one on another machine whose certificate could not be
    /// verified.
    pub(crate) fn in_environment(name: &str) -> Result<Option<Self>, Usage> {
        Self::read(name, &variable)
    }

    fn read(name: &str, variable: Variable<'_>) -> Result<Option<Self>, Usage> {
        let Some(host) = variable(name).filter(|host| !host.is_empty()) else { return Ok(None) };
        if host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#\\".contains(c)) {
            return Err(Usage(format!("{name} is {host:?}: write HOST:PORT")));
        }
        let authority = variable(AUTHORITY_VARIABLE).filter(|path| !path.is_empty());
        let insecure = variable("ARVADOS_API_HOST_INSECURE").unwrap_or_default();
        let may_be_anybody =
            ["1", "t", "true", "y", "yes"].contains(&insecure.to_lowercase().as_str());
        if authority.is_none() && !may_be_anybody && !LOOPBACK.contains(&split(&host).0) {
            return Err(Usage(format!(
                "{name} is {host}, on another machine: set {AUTHORITY_VARIABLE} to the file with the \
                 authority of its certificate, or ARVADOS_API_HOST_INSECURE to true"
            )));
        }
        Ok(Some(Self { host, authority: authority.map(PathBuf::from) }))
    }

    /// Whether that `HOST:PORT` is the same server.
    pub(crate) fn is_at(&self, address: &str) -> bool {
        let ((host, port), (other, other_port)) = (split(&self.host), split(address));
        let both_here = LOOPBACK.contains(&host) && LOOPBACK.contains(&other);
        port == other_port && (host == other || both_here)
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Host and port; an address without a port has that of HTTPS.
fn split(address: &str) -> (&str, &str) {
    let is_port = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    address.rsplit_once(':').filter(|(_, port)| is_port(port)).unwrap_or((address, "443"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Parent, Usage> {
        Parent::read(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nobody_has_a_parent_by_default() {
        assert_eq!(read(&[]).unwrap(), Parent::default());
        let empty = read(&[(API_VARIABLE, ""), (PROXIES_VARIABLE, "")]);
        assert_eq!(empty.unwrap(), Parent::default());
    }

    #[test]
    fn a_parent_has_an_api_server_proxies_or_both() {
        let both = read(&[(API_VARIABLE, "127.0.0.1:8000"), (PROXIES_VARIABLE, "1")]).unwrap();
        let plays = |parent: &Parent| {
            ["api", "keepstore", "keepproxy", "arv-git-httpd", "nginx", "redis"]
                .map(|kind| parent.plays(kind))
        };
        assert_eq!(plays(&both), [true, false, true, true, true, false]);
        let api = read(&[(API_VARIABLE, "127.0.0.1:8000")]).unwrap();
        assert_eq!(plays(&api), [true, false, false, false, false, false]);
        let proxies = read(&[(PROXIES_VARIABLE, "1")]).unwrap();
        assert_eq!(plays(&proxies), [false, false, true, true, true, false]);
    }

    #[test]
    fn a_server_of_another_machine_is_verified_unless_that_is_refused() {
        let host = (API_VARIABLE, "api.example.com");
        assert!(read(&[host]).unwrap_err().0.contains("set ARVADOS_TEST_CA_CERT"));
        assert!(read(&[host, ("ARVADOS_API_HOST_INSECURE", "true")]).is_ok());
        let verified = read(&[host, ("ARVADOS_TEST_CA_CERT", "/ca.pem")]).unwrap();
        assert_eq!(verified.api.unwrap().authority, Some("/ca.pem".into()));
        assert!(read(&[(API_VARIABLE, "https://localhost/")]).unwrap_err().0.contains("HOST:PORT"));
    }

    #[test]
    fn one_server_has_several_names() {
        let api = ParentApi { host: "localhost:8000".into(), authority: None };
        assert!(
            api.is_at("127.0.0.1:8000") && api.is_at("[::1]:8000") && api.is_at("localhost:8000")
        );
        assert!(!api.is_at("127.0.0.1:8001") && !api.is_at("example.com:8000"));
        let implied = ParentApi { host: "example.com".into(), authority: None };
        assert!(implied.is_at("example.com:443"));
    }
}
