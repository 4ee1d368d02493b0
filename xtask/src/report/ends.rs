//! The ends of what suites have printed, of which there may be a hundred megabytes.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::logs::tail::read_before;
use crate::results::plain::plain;
use crate::results::{Outcome, Results};

/// How much of an output is read.
const LENGTH: u64 = 64 * 1024;

/// By the paths in the results, of all attempts that went wrong.
#[derive(Default)]
pub(super) struct Ends(HashMap<PathBuf, End>);

/// Of one output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    /// For a reader: without colours and control characters.
    pub(super) text: String,
    /// Whether there is more before it.
    pub(super) is_cut: bool,
}

impl Ends {
    /// Outputs that cannot be read have no end: they are no reason to have no report.
    pub(super) fn read(results: &Results, folder: &Path) -> Self {
        let attempts = results.suites.iter().flat_map(|suite| &suite.attempts);
        let wrong =
            attempts.filter(|it| !matches!(it.outcome, Outcome::Passed | Outcome::Skipped(_)));
        let outputs = wrong.filter_map(|attempt| attempt.output.as_ref());
        let end = |path: &PathBuf| Some((path.clone(), End::read(&folder.join(path)).ok()?));
        Self(outputs.filter_map(end).collect())
    }

    /// None if nothing was printed.
    pub(super) fn get(&self, output: Option<&PathBuf>) -> Option<&End> {
        self.0.get(output?).filter(|end| !end.text.trim().is_empty())
    }
}

impl End {
    /// # Errors
    /// When the file cannot be read.
    fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut bytes = read_before(&file, length, LENGTH)?;
        let is_cut = length > LENGTH;
        if is_cut {
            // Of the first line there is only a part, if it is not all that there is.
            let line = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            if line < bytes.len() {
                bytes.drain(..line);
            }
        }
        Ok(Self { text: plain(&bytes).trim_end().to_owned(), is_cut })
    }

    /// The last lines of it.
    pub(super) fn lines(&self, number: usize) -> &str {
        let start = self.text.rmatch_indices('\n').nth(number.saturating_sub(1));
        start.map_or(&self.text, |(at, _)| &self.text[at + 1..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(bytes: &[u8]) -> End {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), bytes).unwrap();
        End::read(file.path()).unwrap()
    }

    #[test]
    fn a_short_output_is_there_as_a_whole() {
        let end = end_of(b"\x1b[31m1\x1b[0m\r\ntwo\xff\x00\n\n");
        assert_eq!(end, End { text: "1\ntwo\u{fffd}".into(), is_cut: false });
        assert_eq!(
            (end.lines(1), end.lines(2), end.lines(9)),
            ("two\u{fffd}", &*end.text, &*end.text)
        );
    }

    #[test]
    fn of_a_long_output_there_are_the_last_whole_lines() {
        let end = end_of(&b"0123456789\n".repeat(20_000));
        assert!(end.is_cut && end.text.starts_with("0123456789\n") && end.text.len() <= 65536);
        let end = end_of(&b"x".repeat(200_000));
        assert_eq!((end.text.len(), end.is_cut), (65536, true));
        // A hundred megabytes that take no space on the disk.
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(100 << 20).unwrap();
        assert_eq!(End::read(file.path()).unwrap(), End { text: String::new(), is_cut: true });
    }
}
