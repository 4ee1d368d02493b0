//! A service that is ready when its log says so.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use super::Asking;

/// Where to look for what.
pub(crate) struct Log {
    pub(crate) path: PathBuf,
    /// In bytes: how long the log was before this start of the service.
    pub(crate) from: u64,
    pub(crate) text: String,
}

impl Log {
    pub(super) fn ask(&self) -> Result<(), Asking> {
        match self.read().map_err(Asking::Failed)?.contains(&self.text) {
            true => Ok(()),
            false => {
                Err(Asking::Failed(io::Error::other(format!("no {:?} in its log", self.text))))
            }
        }
    }

    /// What it has logged since.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(&self) -> io::Result<String> {
        let mut file = std::fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_start_logged_does_not_count() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "ready\nstarting\n").unwrap();
        let ask = |from| {
            let log = Log { path: file.path().to_owned(), from, text: "ready".into() };
            log.ask().is_ok()
        };
        assert!(ask(0));
        assert!(!ask(6));
    }
}
