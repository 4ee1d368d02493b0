//! Stack names, which are also folder names.

use std::fmt;
use std::str::FromStr;

use crate::failure::Usage;

/// A valid stack name: it can be a folder, and no option or hidden file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StackName(String);

/// Keeps paths below `.services/NAME` well within what sockets and file systems allow.
pub(crate) const MAX_LENGTH: usize = 64;

impl FromStr for StackName {
    type Err = Usage;

    fn from_str(text: &str) -> Result<Self, Usage> {
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let first = text.chars().next();
        if text.len() <= MAX_LENGTH
            && first.is_some_and(|c| c.is_ascii_alphanumeric())
            && text.chars().all(valid)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Usage(format!(
            "{text:?} is no stack name: use up to {MAX_LENGTH} letters, digits, '-', '_' and '.', \
             with a letter or digit first"
        )))
    }
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AsRef<str> for StackName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_plain_folder_name() {
        for good in ["default", "a", "ci-7", "my_stack.2"] {
            assert_eq!(good.parse::<StackName>().unwrap().as_ref(), good);
        }
    }

    #[test]
    fn what_could_leave_the_folder_or_hide_is_refused() {
        for bad in ["", "a/b", "..", ".cache", "-x", "a b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<StackName>().is_err(), "{bad:?}");
        }
    }
}
