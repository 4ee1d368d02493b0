//! Who plays a service.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which program plays a service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Provider {
    /// Our own, in the `services` binary.
    Embedded,
    /// The real program, found on PATH.
    System,
    /// The real program if it is installed and usable, else the embedded one.
    Auto,
    /// A program that takes the real one's flags.
    Path(PathBuf),
}

impl Provider {
    /// With a relative path made absolute: services do not work in the folder that it is
    /// relative to.
    pub(super) fn relative_to(self, folder: &Path) -> Self {
        match self {
            Self::Path(path) => Self::Path(folder.join(path)),
            other => other,
        }
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "system" => Ok(Self::System),
            "auto" => Ok(Self::Auto),
            path if path.contains('/') => Ok(Self::Path(path.into())),
            _ => Err(format!(
                "{text:?} is no provider: it is embedded, system, auto or a path with a slash"
            )),
        }
    }
}

impl TryFrom<String> for Provider {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Provider> for String {
    fn from(provider: Provider) -> Self {
        provider.to_string()
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::System => f.write_str("system"),
            Self::Auto => f.write_str("auto"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}
