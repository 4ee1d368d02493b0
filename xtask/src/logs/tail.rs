//! The end of a file, without reading what comes before it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is read at once.
const BLOCK: u64 = 64 * 1024;

/// What is longer is shown in pieces, each of which counts as a line, so that a file without line
/// feeds does not fill the memory.
pub(super) const MAX_LINE: usize = 1024 * 1024;

/// Where the last lines of a file are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// In bytes from the beginning of the file; it may be in the middle of a line that is too long.
    pub(super) start: u64,
    /// How many lines there are from there on that end in a line feed, or are as long as can be.
    pub(super) complete: usize,
    /// Whether there is one more, which does not.
    pub(super) unfinished: bool,
}

impl Tail {
    /// The last `lines` complete lines, or as many as there are, and the unfinished one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn find(file: &File, lines: usize) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut tail = Self { start: length, complete: 0, unfinished: false };
        // Where the line ends that we are in, and whether by a line feed.
        let (mut end, mut line_end, mut has_end) = (length, length, false);
        while end > 0 {
            let block = read_before(file, end, BLOCK)?;
            if block.is_empty() {
                // Truncated meanwhile: whatever is in it now is new.
                return Ok(Self { start: 0, complete: 0, unfinished: false });
            }
            for byte in block.iter().rev() {
                if *byte == b'\n' {
                    tail.add(end, line_end, has_end, lines)?;
                    if tail.complete == lines {
                        return Ok(tail);
                    }
                    (line_end, has_end) = (end - 1, true);
                }
                end -= 1;
            }
        }
        tail.add(0, line_end, has_end, lines)?;
        Ok(tail)
    }

    /// Adds the line from `start` to `end`, or as many of its last pieces as are missing.
    fn add(&mut self, start: u64, end: u64, has_end: bool, lines: usize) -> io::Result<()> {
        let (length, piece) = (end - start, u64::try_from(MAX_LINE).map_err(io::Error::other)?);
        let pieces = if has_end { length.div_ceil(piece).max(1) } else { length / piece };
        self.unfinished |= !has_end && length % piece > 0;
        let missing = u64::try_from(lines - self.complete).unwrap_or(u64::MAX);
        let added = pieces.min(missing);
        self.start = start + (pieces - added) * piece;
        self.complete += usize::try_from(added).map_err(io::Error::other)?;
        Ok(())
    }
}

/// What is in front of `end`, but no more than the last `at_most` bytes of that; nothing if the
/// file is shorter than it was.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn read_before(file: &File, end: u64, at_most: u64) -> io::Result<Vec<u8>> {
    let length = end.min(at_most);
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    match file.read_exact_at(&mut bytes, end - length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(()) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file
    }

    fn tail(text: &str, lines: usize) -> (&str, usize, bool) {
        let tail = Tail::find(&file(text.as_bytes()), lines).unwrap();
        (&text[usize::try_from(tail.start).unwrap()..], tail.complete, tail.unfinished)
    }

    #[test]
    fn so_many_lines_are_found_from_the_end() {
        assert_eq!(tail("a\nb\nc\n", 2), ("b\nc\n", 2, false));
        assert_eq!(tail("a\nb\nc\n", 0), ("", 0, false));
        assert_eq!(tail("a\nb\nc\n", 3), ("a\nb\nc\n", 3, false));
        assert_eq!(tail("a\n\n\n", 2), ("\n\n", 2, false));
        assert_eq!(tail("a\n", usize::MAX), ("a\n", 1, false));
        assert_eq!(tail("", 2), ("", 0, false));
    }

    #[test]
    fn an_unfinished_line_comes_on_top() {
        assert_eq!(tail("a\nb\nc", 1), ("b\nc", 1, true));
        assert_eq!(tail("a\nb", 0), ("b", 0, true));
        assert_eq!(tail("a", 3), ("a", 0, true));
    }

    #[test]
    fn lines_are_found_across_blocks() {
        let long = "x".repeat(usize::try_from(BLOCK).unwrap());
        for before in ["", "y", "yy\n"] {
            let text = format!("first\n{before}{long}\n{long}\n");
            let expected = format!("{}{long}\n{long}\n", before.trim_end_matches("yy\n"));
            assert_eq!(tail(&text, 2), (expected.as_str(), 2, false));
        }
    }

    #[test]
    fn each_piece_of_a_line_that_is_too_long_is_a_line() {
        let (piece, rest) = ("x".repeat(MAX_LINE), "y".repeat(7));
        let text = format!("a\n{piece}{piece}{rest}\nb\n");
        assert_eq!(tail(&text, 2), (format!("{rest}\nb\n").as_str(), 2, false));
        assert_eq!(tail(&text, 3), (format!("{piece}{rest}\nb\n").as_str(), 3, false));
        assert_eq!(tail(&text, 4), (&text[2..], 4, false));
        assert_eq!(tail(&text, 9), (text.as_str(), 5, false));
        let at_limit = format!("a\n{piece}\n");
        assert_eq!(tail(&at_limit, 1), (&at_limit[2..], 1, false));
        let unfinished = format!("a\n{piece}{rest}");
        assert_eq!(tail(&unfinished, 0), (rest.as_str(), 0, true));
        assert_eq!(tail(&unfinished, 1), (&unfinished[2..], 1, true));
        assert_eq!(tail(&piece, 0), ("", 0, false));
    }

    #[test]
    fn a_file_that_was_truncated_meanwhile_is_read_as_empty() {
        assert_eq!(read_before(&file(b"abc"), 3, 2).unwrap(), b"bc");
        assert_eq!(read_before(&file(b"abc"), 3, 9).unwrap(), b"abc");
        assert_eq!(read_before(&file(b"abc"), 5, 2).unwrap(), b"");
    }
}
