//! keepproxy's flags and environment, as the Go program of 2015 has them.

use std::path::PathBuf;
use std::time::Duration;

use crate::era::Era;
use crate::go_flags::{self, Flag, boolean, number, value};

const FLAGS: &[Flag] = &[
    value("era").meaning("whose expectations count: current or 2015 (default current)"),
    value("listen").meaning("address to listen on, HOST:PORT or :PORT (default \":25107\")"),
    value("pid").meaning("file to hold a lock on, and to leave the pid in"),
    boolean("no-get").meaning("refuse to read blocks"),
    boolean("no-put").meaning("refuse to write blocks"),
    number("default-replicas", 1).meaning("copies of a block that are written (default 2)"),
    number("timeout", 1).meaning("seconds that a keepstore may do nothing (default 15)"),
];

/// All that a keepproxy is started with.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) era: Era,
    /// `HOST:PORT` or `:PORT`, for when no socket is inherited.
    pub(super) listen: String,
    /// Where to leave our pid.
    pub(super) pid: Option<PathBuf>,
    /// Whether blocks may be read.
    pub(super) reading: bool,
    /// Whether blocks may be written.
    pub(super) writing: bool,
    /// To how many keepstores a block is written unless the client says otherwise; at least one.
    pub(super) default_replicas: usize,
    /// How long a keepstore may do nothing.
    pub(super) patience: Duration,
}

impl Config {
    /// Reads the command line.
    ///
    /// # Errors
    /// Names the flag that is unknown or malformed.
    pub(super) fn from_flags(arguments: &[String]) -> anyhow::Result<Self> {
        let mut config = Self {
            era: Era::default(),
            listen: ":25107".to_owned(),
            pid: None,
            reading: true,
            writing: true,
            default_replicas: 2,
            patience: Duration::from_secs(15),
        };
        for (name, text) in go_flags::parse(FLAGS, arguments)? {
            match name {
                "era" => config.era = go_flags::parsed(FLAGS, name, &text)?,
                "listen" => config.listen = text,
                "pid" => config.pid = Some(text).filter(|text| !text.is_empty()).map(Into::into),
                "no-get" => config.reading = !go_flags::parse_bool(name, &text)?,
                "no-put" => config.writing = !go_flags::parse_bool(name, &text)?,
                "default-replicas" => config.default_replicas = text.parse()?,
                "timeout" => config.patience = Duration::from_secs(text.parse()?),
                _ => {}
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> anyhow::Result<Config> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        Config::from_flags(&arguments)
    }

    #[test]
    fn by_default_two_copies_are_written() {
        let config = config(&["-no-get"]).unwrap();
        assert_eq!((config.reading, config.writing, config.default_replicas), (false, true, 2));
    }

    #[test]
    fn no_copies_and_no_time_are_refused() {
        for wrong in ["-default-replicas=0", "-timeout=0", "-timeout=x"] {
            assert!(config(&[wrong]).unwrap_err().to_string().contains("invalid value"));
        }
    }
}
