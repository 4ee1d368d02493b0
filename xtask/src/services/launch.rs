//! How a service is started, asked whether it is ready, and ended: plain data, whoever plays it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::process::run::Task;
use crate::settings::Era;

/// How a service is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Written before it starts, each time.
    pub(crate) files: Vec<(PathBuf, String)>,
    pub(crate) sockets: Sockets,
    pub(crate) probe: Probe,
    /// What it says before it goes on in the background, if it does that.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) stop: Stop,
}

impl Launch {
    /// With the arguments and the probe, and nothing else that is unusual.
    pub(crate) fn new(arguments: Vec<String>, sockets: Sockets, probe: Probe) -> Self {
        let (environment, files, endpoint, stop) = Default::default();
        Self { arguments, environment, files, sockets, probe, endpoint, stop }
    }

    /// The same for our own program, which takes the real one's flags too, and has its socket from
    /// us.
    pub(crate) fn played_by_ours(mut self, program: &'static str, port: &str, era: Era) -> Self {
        self.arguments.insert(0, program.to_owned());
        self.arguments.push(flag("era", era));
        self.sockets = Sockets::Named(vec![(program, port.to_owned())]);
        self
    }
}

/// Where a program says that it can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Comes before it, in what the program prints.
    pub(crate) introduction: &'static str,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// The number of the port that it was told to listen on, as text.
    pub(crate) port: String,
}

impl Endpoint {
    /// Whether `printed` has the expected one.
    ///
    /// # Errors
    /// Says what it has instead.
    pub(crate) fn check(&self, printed: &str) -> Result<(), String> {
        let said = printed.lines().find_map(|line| line.trim().strip_prefix(self.introduction));
        let Some(said) = said.map(str::trim) else {
            return Err(format!("it did not say {:?}", self.introduction.trim()));
        };
        let (scheme, rest) = said.split_once("://").unwrap_or(("", said));
        let authority = rest.split('/').next().unwrap_or_default();
        let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
        match scheme == self.scheme && port == self.port {
            true => Ok(()),
            false => Err(format!(
                "it says that it is at {said}, and was asked to be at {}, on port {}",
                self.scheme, self.port
            )),
        }
    }
}

/// How a program comes to its listening sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sockets {
    /// It opens them itself, on ports whose numbers are among its arguments.
    Own,
    /// Ours inherits them: under which name, those of which port.
    Named(Vec<(&'static str, String)>),
    /// nginx inherits those of these ports, and knows them by their addresses.
    Nginx(Vec<String>),
}

impl Sockets {
    /// The ports whose sockets are inherited.
    pub(crate) fn inherited(&self) -> Vec<&str> {
        match self {
            Self::Own => Vec::new(),
            Self::Named(sockets) => sockets.iter().map(|(_, port)| port.as_str()).collect(),
            Self::Nginx(ports) => ports.iter().map(String::as_str).collect(),
        }
    }
}

/// What a service must answer before it counts as ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Something is asked on the port of that name.
    Port(String, Question),
    /// Its log has a line with this text.
    Log(String),
    /// This command succeeds.
    Exec(Task),
    /// It runs.
    Alive,
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port, question) => write!(f, "{question} on {port}"),
            Self::Log(text) => write!(f, "{text:?} in its log"),
            Self::Exec(task) => write!(f, "{} succeeds", task.command.join(" ")),
            Self::Alive => f.write_str("it runs"),
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// `GET` of a path; any HTTP answer will do.
    Http(String),
    /// `GET /` over TLS.
    Https,
    /// A TLS handshake: enough for a service that would only pass a request on.
    TlsHandshake,
    /// A connection: only where the program itself listens does that prove anything.
    Connection,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(path) => write!(f, "GET {path}"),
            Self::Https => f.write_str("GET / over TLS"),
            Self::TlsHandshake => f.write_str("a TLS handshake"),
            Self::Connection => f.write_str("a connection"),
        }
    }
}

impl Question {
    /// `GET /`.
    pub(crate) fn http() -> Self {
        Self::Http("/".into())
    }
}

/// How a service is asked to end, before it is made to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Stop {
    /// Run first, for at most half of the time that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<Task>,
    /// Sent to its first process.
    #[serde(with = "signal_name")]
    pub(crate) signal: nix::sys::signal::Signal,
}

impl Default for Stop {
    fn default() -> Self {
        Self { command: None, signal: nix::sys::signal::Signal::SIGTERM }
    }
}

/// Signals as `SIGTERM` or `TERM` in files.
pub(super) mod signal_name {
    use nix::sys::signal::Signal;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::nearest;

    pub(in crate::services) fn serialize<S: Serializer>(
        signal: &Signal,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(signal.as_str())
    }

    pub(in crate::services) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Signal, D::Error> {
        let text = String::deserialize(from)?;
        let name = if text.starts_with("SIG") { text.clone() } else { format!("SIG{text}") };
        name.parse().map_err(|_| {
            let known = Signal::iterator().map(Signal::as_str);
            D::Error::custom(format!("unknown signal {text}{}", nearest::hint(&name, known)))
        })
    }
}

/// `-name=value`, as Go's flag package has it.
pub(crate) fn flag(name: &str, value: impl fmt::Display) -> String {
    format!("-{name}={value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_where_it_says() {
        let endpoint =
            Endpoint { introduction: "Accessible via: ", scheme: "https", port: "40001".into() };
        for fine in [
            "Log file: x\nAccessible via: https://0.0.0.0:40001/\n",
            "Accessible via: https://[::]:40001/",
            "  Accessible via: https://localhost:40001/\r\nmore",
        ] {
            assert_eq!(endpoint.check(fine), Ok(()), "{fine}");
        }
        for wrong in ["http://0.0.0.0:40001/", "https://0.0.0.0:4000/", "https://0.0.0.0/", "x"] {
            let error = endpoint.check(&format!("Accessible via: {wrong}\n")).unwrap_err();
            assert!(error.starts_with("it says that it is at "), "{error}");
        }
        assert_eq!(endpoint.check("no"), Err("it did not say \"Accessible via:\"".into()));
    }
}
