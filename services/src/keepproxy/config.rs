//! keepproxy's flags and environment, as the Go program of 2015 has them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use crate::era::Era;
use crate::go_flags::{self, Flag, boolean, value};

const FLAGS: &[Flag] = &[
    value("era"),
    value("listen"),
    value("pid"),
    boolean("no-get"),
    boolean("no-put"),
    value("default-replicas"),
    value("timeout"),
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
    /// How long a keepstore may take to begin its answer.
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
                "era" => config.era = text.parse().map_err(anyhow::Error::msg)?,
                "listen" => config.listen = text,
                "pid" => config.pid = Some(text).filter(|text| !text.is_empty()).map(Into::into),
                "no-get" => config.reading = !go_flags::parse_bool(name, &text)?,
                "no-put" => config.writing = !go_flags::parse_bool(name, &text)?,
                "default-replicas" => config.default_replicas = positive(name, &text)?.into(),
                "timeout" => config.patience = Duration::from_secs(positive(name, &text)?.into()),
                _ => {}
            }
        }
        Ok(config)
    }
}

fn positive(name: &str, text: &str) -> anyhow::Result<u16> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.with_context(|| format!("invalid value {text:?} for flag -{name}: it is 1 or more"))
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
            assert!(config(&[wrong]).unwrap_err().to_string().contains("it is 1 or more"));
        }
    }
}
