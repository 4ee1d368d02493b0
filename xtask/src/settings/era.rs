//! The two generations of clients.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The generation of clients that decides where two of them contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Era {
    /// What clients of today expect.
    Current,
    /// The time of the Go programs with a `-volume` flag.
    #[serde(rename = "2015")]
    #[value(name = "2015")]
    Y2015,
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current",
            Self::Y2015 => "2015",
        })
    }
}
