//! What marks the processes of a service: a variable in their environment, which nothing else has.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::stack::StackFolder;

/// It is never exported to users or suites, and scrubbed from what we inherit.
pub(crate) use sdk_fixtures::environment::{HELPER_VARIABLE, MARKER_VARIABLE};

/// `RANDOM:FOLDER/SERVICE`: what makes it ours is random, and the rest tells whose it is when
/// nothing but the process is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    random: String,
    /// The stack's folder.
    pub(crate) folder: PathBuf,
    pub(crate) service: String,
}

impl Marker {
    /// A new one for a service of the stack.
    ///
    /// # Errors
    /// When the kernel has no random numbers.
    pub(crate) fn random(folder: &StackFolder, service: &str) -> anyhow::Result<Self> {
        Ok(Self {
            random: format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?),
            folder: folder.path().to_owned(),
            service: service.to_owned(),
        })
    }

    /// From its text; `None` if that is something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (random, path) = text.split_once(':')?;
        let path = Path::new(path);
        Some(Self {
            random: random.to_owned(),
            folder: path.parent()?.to_owned(),
            service: path.file_name()?.to_str()?.to_owned(),
        })
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.random, self.folder.join(&self.service).display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_tells_whose_it_is() {
        let folder = StackFolder::at(Path::new("/a b/.services/default")).unwrap();
        let marker = Marker::random(&folder, "keep0").unwrap();
        assert_eq!(Marker::parse(&marker.to_string()), Some(marker.clone()));
        assert_eq!((marker.folder.as_path(), marker.service.as_str()), (folder.path(), "keep0"));
        assert_ne!(Marker::random(&folder, "keep0").unwrap(), marker);
    }

    #[test]
    fn any_other_text_is_none() {
        for text in ["", "7", "7:", "7:/"] {
            assert_eq!(Marker::parse(text), None, "{text:?}");
        }
    }
}
