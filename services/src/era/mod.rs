//! The two generations of clients and programs that a stack can be for, and the table of every
//! difference between them.
//!
//! The rows are in [`api`], [`keepstore`] and [`keepproxy`], each with both values side by side:
//! read these to learn what an era means. arv-git-httpd and the TLS front are the same in both.
//!
//! Which resources, attributes and actions an era has, and which resources only admins change, is
//! written where those are described: `api/resources.rs`, `api/dropped.rs`, `api/crunch1/resources.rs`,
//! `api/crunch2/resources.rs`, the common attributes in `api/resource.rs`, and `api/special.rs`. They
//! are tables themselves, and name eras in their columns. All other code asks a row, and never which era
//! it is: a test holds it to that.

use std::str::FromStr;

pub(crate) mod api;
pub(crate) mod keepproxy;
pub(crate) mod keepstore;
#[cfg(test)]
mod one_table;

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

impl Era {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Current, Self::Y2015];
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

/// A row of the table: one value for each era.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByEra<T> {
    y2015: T,
    current: T,
}

impl<T: Copy> ByEra<T> {
    /// The value for `era`.
    pub(crate) fn of(self, era: Era) -> T {
        match era {
            Era::Y2015 => self.y2015,
            Era::Current => self.current,
        }
    }
}
