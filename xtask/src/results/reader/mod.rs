//! What a suite's output says of its tests, read while it comes: how many there were, and their
//! names.
//!
//! Every line is shown to a reader for each program that we know. A suite may show the summaries of
//! several, as one does that runs unittest and closes with a line of its own: the last one that is
//! printed is the one that counts. Several summaries of the same program add up, for cargo prints
//! one for each test binary.
//!
//! What is kept is bounded, whatever is printed: the beginning of a line, and so many tests.

use std::borrow::Cow;
use std::io::BufRead;
use std::time::Duration;

mod cargo;
mod go;
mod nextest;
mod own;
mod pytest;
mod tap;
mod tree;
mod unittest;

use super::count::Count;
use super::plain::plain;
use super::{Test, Verdict};

/// What is beyond it of a line is not looked at.
const LONGEST_LINE: usize = 4096;

/// What is beyond it of a name is left out.
const LONGEST_NAME: usize = 500;

/// Beyond them, tests are counted and not named.
const MOST_TESTS: usize = 50_000;

/// Reads what a suite prints.
pub(crate) struct Reader {
    /// The beginning of the line that has not ended yet.
    line: Vec<u8>,
    formats: Vec<Box<dyn Format>>,
    /// The formats of which there was a summary, the last one last.
    summaries: Vec<usize>,
}

/// What was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// None if the suite does not count its tests.
    pub(crate) count: Option<Count>,
    /// Those that it has named, in their order. It may have named fewer than it counts, or none.
    pub(crate) tests: Vec<Test>,
}

/// How one program speaks of its tests.
trait Format: Send {
    /// Reads a line; whether that was the summary of what came before.
    fn line(&mut self, line: &str) -> bool;

    /// What was read. It matters only if there was a summary.
    fn end(self: Box<Self>) -> Found;
}

/// What a [`Format`] has read.
#[derive(Default)]
struct Found {
    count: Count,
    tests: Vec<Test>,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let formats: Vec<Box<dyn Format>> = vec![
            Box::new(own::Own::default()),
            Box::new(cargo::Cargo::default()),
            Box::new(nextest::Nextest::default()),
            Box::new(pytest::Pytest::default()),
            Box::new(unittest::Unittest::default()),
            Box::new(go::Go::default()),
            Box::new(tap::Tap::default()),
            Box::new(tree::Tree::default()),
        ];
        Self { line: Vec::new(), formats, summaries: Vec::new() }
    }

    /// Some more of the output, in pieces of any size.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut piece = Vec::new();
            // From memory: it cannot fail.
            let _ = bytes.read_until(b'\n', &mut piece);
            let space = LONGEST_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(space)]);
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    /// At the end of the output, which may have no line end.
    pub(crate) fn finish(mut self) -> Read {
        self.end_line();
        let mut found: Vec<Found> = self.formats.into_iter().map(Format::end).collect();
        let mut summaries =
            self.summaries.iter().rev().map(|index| std::mem::take(&mut found[*index]));
        let Some(closing) = summaries.next() else {
            return Read::default();
        };
        // A suite that closes with a line of its own has had them named by another program.
        let mut named = std::iter::once(closing.tests).chain(summaries.map(|other| other.tests));
        let tests = named.find(|tests| !tests.is_empty()).unwrap_or_default();
        Read { count: Some(closing.count), tests }
    }

    fn end_line(&mut self) {
        let bytes = self.line.trim_ascii_end();
        // Of a line that was drawn over again and again, what is to be seen in the end.
        let start = bytes.iter().rposition(|byte| *byte == b'\r').map_or(0, |at| at + 1);
        let bytes = &bytes[start..];
        // Most lines have no colours, and a suite may print millions of them.
        let line = match bytes.contains(&0x1b) {
            true => Cow::Owned(plain(bytes)),
            false => String::from_utf8_lossy(bytes),
        };
        for (index, format) in self.formats.iter_mut().enumerate() {
            if format.line(&line) {
                self.summaries.retain(|other| *other != index);
                self.summaries.push(index);
            }
        }
        self.line.clear();
    }
}

impl Found {
    fn push(&mut self, name: &str, verdict: Verdict, length: Option<Duration>) {
        if self.tests.len() < MOST_TESTS {
            let name = plain(&name.as_bytes()[..name.floor_char_boundary(LONGEST_NAME)]);
            self.tests.push(Test { name, verdict, length });
        }
    }

    /// One that a list of failures names: it may have been named before.
    fn push_failed(&mut self, name: &str) {
        let is_same = |test: &Test| test.verdict == Verdict::Failed && test.name == name;
        if !self.tests.iter().any(is_same) {
            self.push(name, Verdict::Failed, None);
        }
    }

    /// One test more.
    fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Passed => &mut self.count.passed,
            Verdict::Failed => &mut self.count.failed,
            Verdict::Skipped => &mut self.count.skipped,
        } += 1;
    }
}

/// `12`, `3 failed`, …: the number before a word.
fn number_of(part: &str, word: &str) -> Option<u64> {
    part.trim().strip_suffix(word)?.trim_end().parse().ok()
}

/// Seconds as programs write them: `0.012s`, `0.012`.
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let number: f64 = text.strip_suffix('s').unwrap_or(text).parse().ok()?;
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests;
