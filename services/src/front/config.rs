//! The front's flags.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use hyper::http::uri::Authority;

use crate::go_flags::{self, Flag, value};

const FLAGS: &[Flag] = &[
    value("certificate"),
    value("key"),
    value("access-log"),
    value("api"),
    value("api-ssl"),
    value("keepproxy"),
    value("keepproxy-ssl"),
    value("arv-git-httpd"),
    value("arv-git-httpd-ssl"),
    value("timeout"),
];

/// As nginx's `proxy_read_timeout`, `proxy_send_timeout` and `client_body_timeout`.
const PATIENCE: Duration = Duration::from_secs(60);

/// All that the front is started with.
#[derive(Debug)]
pub(super) struct Config {
    /// PEM files.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// Where each request leaves a line.
    pub(super) access_log: PathBuf,
    /// How long a client or a service may be silent in the middle of a request.
    pub(super) patience: Duration,
    /// At least one.
    pub(super) sides: Vec<Side>,
}

/// A port of the front, and the service behind it.
#[derive(Debug)]
pub(super) struct Side {
    /// What the service calls itself, and what it sees as `Host`, unless it sees the client's.
    pub(super) name: &'static str,
    /// Whether it tells clients the address that they have used.
    pub(super) knows_its_address: bool,
    /// The name of the inherited socket.
    pub(super) socket: &'static str,
    /// `HOST:PORT` or `:PORT`, for when no socket is inherited.
    pub(super) listen: String,
    /// Where the service listens.
    pub(super) upstream: Authority,
}

impl Config {
    /// Reads the command line.
    ///
    /// # Errors
    /// Names the flag that is unknown, malformed or missing.
    pub(super) fn from_flags(arguments: &[String]) -> anyhow::Result<Self> {
        let given = go_flags::parse(FLAGS, arguments)?;
        let find = |name| {
            // The last one counts, as in Go.
            let mut values = given.iter().rev().filter(|(known, _)| *known == name);
            values.next().map(|(_, text)| text.as_str())
        };
        let path = |name| {
            let text: Option<&str> = find(name);
            text.map(PathBuf::from).with_context(|| format!("-{name}=FILE is missing"))
        };
        let patience = find("timeout").map(seconds).transpose()?.unwrap_or(PATIENCE);
        let mut sides = Vec::new();
        for (flag, socket, name) in [
            ("api", "api-ssl", "api"),
            ("keepproxy", "keepproxy-ssl", "keepproxy"),
            // As nginx.conf calls it.
            ("arv-git-httpd", "arv-git-httpd-ssl", "arv-git-http"),
        ] {
            let Some(upstream) = find(flag) else {
                continue;
            };
            let authority: Authority = upstream.parse().ok().with_context(|| {
                format!("invalid value {upstream:?} for flag -{flag}: it is HOST:PORT")
            })?;
            sides.push(Side {
                name,
                knows_its_address: flag == "api",
                socket,
                listen: find(socket).unwrap_or("127.0.0.1:443").to_owned(),
                upstream: authority,
            });
        }
        anyhow::ensure!(
            !sides.is_empty(),
            "nothing to serve: give -api, -keepproxy or -arv-git-httpd"
        );
        Ok(Self {
            certificate: path("certificate")?,
            key: path("key")?,
            access_log: path("access-log")?,
            patience,
            sides,
        })
    }
}

fn seconds(text: &str) -> anyhow::Result<Duration> {
    let seconds = text.strip_suffix('s').and_then(|number| number.parse().ok());
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).with_context(|| {
        format!("invalid value {text:?} for flag -timeout: it is a number of seconds, such as 60s")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> anyhow::Result<Config> {
        let files = ["-certificate=c", "-key=k", "-access-log=l"];
        let arguments = files.iter().chain(arguments).map(ToString::to_string);
        Config::from_flags(&arguments.collect::<Vec<_>>())
    }

    #[test]
    fn only_the_services_given_have_a_port() {
        let sides = config(&["-arv-git-httpd=127.0.0.1:1"]).unwrap().sides;
        let sockets: Vec<_> = sides.iter().map(|side| side.socket).collect();
        assert_eq!(sockets, ["arv-git-httpd-ssl"]);
        assert!(config(&[]).unwrap_err().to_string().contains("nothing to serve"));
    }

    #[test]
    fn an_upstream_is_a_host_and_port() {
        let error = config(&["-keepproxy=http://x/"]).unwrap_err().to_string();
        assert!(error.contains("it is HOST:PORT"), "{error}");
    }

    #[test]
    fn the_timeout_is_a_number_of_seconds() {
        let with = |text: &str| config(&["-keepproxy=h:1", &format!("-timeout={text}")]);
        assert_eq!(with("2s").unwrap().patience, Duration::from_secs(2));
        assert_eq!(config(&["-keepproxy=h:1"]).unwrap().patience, PATIENCE);
        for wrong in ["", "2", "0s", "-1s", "1ms", "s"] {
            let error = with(wrong).unwrap_err().to_string();
            assert!(error.contains("it is a number of seconds"), "{error}");
        }
    }
}
