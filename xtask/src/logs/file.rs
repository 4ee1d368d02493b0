//! One log file, line by line: it may grow, be truncated, be replaced, or not be there yet.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use time::{OffsetDateTime, UtcOffset};

use super::folder::{Identity, LogFolder};
use super::tail::{self, MAX_LINE, Tail};
use super::time::of_line;

/// How far in front of the first line that is shown a time is looked for, where it has none.
const CONTEXT: u64 = 64 * 1024;

/// A log file, whether it exists or not.
#[derive(Debug)]
pub(super) struct LogFile {
    name: String,
    open: Option<Open>,
    /// The next line, if there is one.
    pub(super) head: Option<Vec<u8>>,
    /// When that was written, by its own words or those of a line before it.
    pub(super) time: Option<OffsetDateTime>,
}

/// What an existing file has been read of.
#[derive(Debug)]
struct Open {
    identity: Identity,
    reader: BufReader<File>,
    position: u64,
    /// The beginning of a line whose end is not there yet.
    unfinished: Vec<u8>,
    /// Whether `unfinished` is in the middle of a line that was too long.
    continues: bool,
    /// Another file has its name: what is left of this one is the last of it.
    replaced: bool,
}

impl LogFile {
    /// One that is read from its beginning, once it exists.
    pub(super) fn new(name: String) -> Self {
        Self { name, open: None, head: None, time: None }
    }

    /// Passes over all but the last `lines` complete lines and the unfinished one, and tells how
    /// many that are.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn skip_to_end(
        &mut self,
        folder: &LogFolder,
        lines: usize,
        local: UtcOffset,
    ) -> io::Result<Option<Tail>> {
        let Some(file) = folder.file(&self.name)? else { return Ok(None) };
        let mut skip = || {
            let tail = Tail::find(&file, lines)?;
            let context = tail::read_before(&file, tail.start, CONTEXT)?;
            let mut before = context.rsplit(|byte| *byte == b'\n');
            self.time = before.find_map(|line| of_line(line, local));
            let mut open = Open::at(file.try_clone()?, tail.start)?;
            open.continues = context.last().is_some_and(|last| *last != b'\n');
            self.open = Some(open);
            Ok(tail)
        };
        skip().map(Some).map_err(|error| folder.error(&self.name, &error))
    }

    /// Has `head` be the next line, if there is one; where the file is `finished`, also the last
    /// one without its line feed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn fill(
        &mut self,
        folder: &LogFolder,
        finished: bool,
        local: UtcOffset,
    ) -> io::Result<()> {
        while self.head.is_none() {
            let Some(open) = &mut self.open else {
                let Some(file) = folder.file(&self.name)? else { return Ok(()) };
                self.open = Some(Open::at(file, 0)?);
                continue;
            };
            let cannot = |error| folder.error(&self.name, &error);
            let mut line = open.line().map_err(cannot)?;
            if line.is_none() {
                let end = open.end(folder.identity(&self.name)?).map_err(cannot)?;
                if end == End::OfNow && !finished {
                    return Ok(());
                }
                if end != End::NotYet {
                    line = open.rest();
                }
                match end {
                    End::NotYet => {}
                    End::OfNow if line.is_none() => return Ok(()),
                    End::OfNow => {}
                    End::OfText => open.rewind().map_err(cannot)?,
                    End::OfFile => self.open = None,
                }
            }
            self.take(line, local);
        }
        Ok(())
    }

    fn take(&mut self, line: Option<Line>, local: UtcOffset) {
        let Some(line) = line else { return };
        if line.begins {
            self.time = of_line(&line.text, local).or(self.time);
        }
        self.head = Some(line.text);
    }
}

/// What was read, without its line feed.
struct Line {
    text: Vec<u8>,
    /// Not a later piece of one that is too long.
    begins: bool,
}

/// What it means that nothing more could be read.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Something may have been written before the file was replaced.
    NotYet,
    /// More may come.
    OfNow,
    /// What is in it now, it has from the beginning.
    OfText,
    /// Another one has its name.
    OfFile,
}

impl Open {
    fn at(mut file: File, position: u64) -> io::Result<Self> {
        let identity = Identity::of(&file.metadata()?);
        file.seek(SeekFrom::Start(position))?;
        let (unfinished, continues, replaced) = Default::default();
        let reader = BufReader::with_capacity(64 * 1024, file);
        Ok(Self { identity, reader, position, unfinished, continues, replaced })
    }

    /// The next line, if its end is there.
    fn line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let room = u64::try_from(MAX_LINE - self.unfinished.len()).unwrap_or(0);
            let mut reader = self.reader.by_ref().take(room);
            let read = reader.read_until(b'\n', &mut self.unfinished)?;
            self.position += u64::try_from(read).unwrap_or(0);
            let complete = self.unfinished.pop_if(|last| *last == b'\n').is_some();
            if !complete && self.unfinished.len() < MAX_LINE {
                return Ok(None);
            }
            let text = std::mem::take(&mut self.unfinished);
            let begins = !std::mem::replace(&mut self.continues, !complete);
            // The line feed behind the last piece of a long line makes no line of its own.
            if begins || !text.is_empty() {
                return Ok(Some(Line { text, begins }));
            }
        }
    }

    /// What has become of the file, where its name stands for the file `now`.
    fn end(&mut self, now: Option<Identity>) -> io::Result<End> {
        Ok(if self.replaced {
            End::OfFile
        } else if now.is_some_and(|now| now != self.identity) {
            self.replaced = true;
            End::NotYet
        } else if self.reader.get_ref().metadata()?.len() < self.position {
            End::OfText
        } else {
            End::OfNow
        })
    }

    /// A last line without its line feed.
    fn rest(&mut self) -> Option<Line> {
        let text = std::mem::take(&mut self.unfinished);
        let begins = !std::mem::take(&mut self.continues);
        (!text.is_empty()).then_some(Line { text, begins })
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.position = 0;
        self.reader.rewind()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;

    use super::*;

    struct Log {
        folder: tempfile::TempDir,
        open: LogFolder,
        log: LogFile,
    }

    impl Log {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let open = LogFolder::open(folder.path().to_owned()).unwrap();
            Self { folder, open, log: LogFile::new("a.log".into()) }
        }

        fn path(&self) -> std::path::PathBuf {
            self.folder.path().join("a.log")
        }

        fn append(&self, text: &str) {
            append(&self.path(), text);
        }

        /// All lines that there are.
        fn lines(&mut self, finished: bool) -> Vec<String> {
            let mut lines = Vec::new();
            loop {
                self.log.fill(&self.open, finished, UtcOffset::UTC).unwrap();
                let Some(line) = self.log.head.take() else { return lines };
                lines.push(String::from_utf8(line).unwrap());
            }
        }
    }

    fn append(path: &Path, text: &str) {
        let mut options = fs_err::OpenOptions::new();
        let mut file = options.create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_line_comes_when_its_end_has_been_written() {
        let mut log = Log::new();
        assert_eq!(log.lines(false), [""; 0], "it does not exist yet");
        log.append("one\ntw");
        assert_eq!(log.lines(false), ["one"]);
        log.append("");
        assert_eq!(log.lines(false), [""; 0]);
        log.append("o\nthree");
        assert_eq!(log.lines(false), ["two"]);
        assert_eq!(log.lines(true), ["three"]);
        assert_eq!(log.lines(true), [""; 0]);
    }

    #[test]
    fn a_truncated_file_is_read_from_its_new_beginning() {
        let mut log = Log::new();
        log.append("a long line\nhalf");
        assert_eq!(log.lines(false), ["a long line"]);
        fs_err::write(log.path(), "new\n").unwrap();
        assert_eq!(log.lines(false), ["half", "new"]);
    }

    #[test]
    fn a_replaced_file_is_read_to_its_end_and_then_the_new_one() {
        let mut log = Log::new();
        log.append("one\n");
        assert_eq!(log.lines(false), ["one"]);
        log.append("two\nhalf");
        fs_err::rename(log.path(), log.path().with_extension("1")).unwrap();
        assert_eq!(log.lines(false), ["two"]);
        log.append("three\n");
        append(&log.path().with_extension("1"), " and half");
        assert_eq!(log.lines(false), ["half and half", "three"]);
        fs_err::remove_file(log.path()).unwrap();
        assert_eq!(log.lines(false), [""; 0]);
        log.append("four\n");
        assert_eq!(log.lines(false), ["four"]);
    }

    #[test]
    fn a_line_up_to_the_limit_comes_whole_and_a_longer_one_in_pieces() {
        let at_limit = "x".repeat(MAX_LINE);
        let mut log = Log::new();
        log.append(&format!("{at_limit}\nnext\n{at_limit}2026-01-01 00:00:00\n\nend\n"));
        let lines = log.lines(false);
        assert_eq!(lines[0], at_limit);
        assert_eq!(lines[2], at_limit);
        assert_eq!(lines[1..2], ["next"]);
        assert_eq!(lines[3..], ["2026-01-01 00:00:00", "", "end"]);
        assert_eq!(log.log.time, None, "the middle of a line does not say when it was written");
        log.append(&format!("{at_limit}\n2026-01-01 00:00:00\n"));
        assert_eq!(log.lines(false)[1..], ["2026-01-01 00:00:00"]);
        assert!(log.log.time.is_some(), "and a line behind a long one does");
    }

    #[test]
    fn a_line_without_a_time_has_that_of_the_line_before_it() {
        let mut log = Log::new();
        log.append("first\n2026-11-25T09:55:16Z a\nat b\nat c\n");
        log.lines(false);
        let time = log.log.time.unwrap();
        assert_eq!(time.unix_timestamp(), 1_795_600_516);
        let mut tail = LogFile::new("a.log".into());
        let skipped = tail.skip_to_end(&log.open, 1, UtcOffset::UTC).unwrap().unwrap();
        assert_eq!(skipped.complete, 1);
        assert_eq!(tail.time, Some(time), "also when that is not shown");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let mut log = Log::new();
        fs_err::create_dir(log.path()).unwrap();
        let error = log.log.fill(&log.open, false, UtcOffset::UTC).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot read {}: ", log.path().display())), "{error}");
    }
}
