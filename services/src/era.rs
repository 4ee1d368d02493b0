//! The two generations of clients and programs that a stack can be for.

use std::str::FromStr;

/// Decides wherever the two generations contradict each other; where both can be served at once,
/// both are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Era {
    /// What clients of today expect, such as the Python SDK on PyPI.
    #[default]
    Current,
    /// The time of the Go programs with a `-volume` flag.
    Y2015,
}

impl FromStr for Era {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "current" => Ok(Self::Current),
            "2015" => Ok(Self::Y2015),
            _ => Err(format!("unknown era {text:?}: it is current or 2015")),
        }
    }
}
