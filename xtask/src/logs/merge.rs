//! The lines of several logs in the order of their times, each behind the name of its service.

use std::io::{self, BufWriter, Write};

use time::UtcOffset;

use super::file::LogFile;
use super::folder::LogFolder;
use super::{Start, local_offset};

/// The logs of some services, and how far they have been read. Only the next line of each is in
/// memory.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) folder: LogFolder,
    logs: Vec<Log>,
    /// So many lines come before the first that is shown.
    skip: usize,
    local: UtcOffset,
}

/// One file, and what stands in front of its lines.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) label: String,
    pub(super) file: LogFile,
}

impl Merged {
    /// Where they are to be `followed`, a line that is being written does not count among the
    /// last ones.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(super) fn open(
        folder: LogFolder,
        mut logs: Vec<Log>,
        start: Start,
        followed: bool,
    ) -> io::Result<Self> {
        let local = local_offset::find();
        let mut skip = 0;
        if let Start::Last(lines) = start {
            let mut found = 0;
            for log in &mut logs {
                let Some(tail) = log.file.skip_to_end(&folder, lines, local)? else { continue };
                found += tail.complete + usize::from(tail.unfinished && !followed);
            }
            skip = found.saturating_sub(lines);
        }
        Ok(Self { folder, logs, skip, local })
    }

    /// Prints all lines that are there; where the logs are `finished`, also those without a line
    /// feed.
    ///
    /// # Errors
    /// When a log cannot be read, or `output` cannot be written to.
    pub(super) fn print(&mut self, output: impl Write, finished: bool) -> io::Result<()> {
        let mut output = BufWriter::with_capacity(64 * 1024, output);
        for log in &mut self.logs {
            log.file.fill(&self.folder, finished, self.local)?;
        }
        while let Some((log, line)) = self.earliest() {
            if self.skip > 0 {
                self.skip -= 1;
            } else {
                let label = self.logs[log].label.as_bytes();
                [label, &line, b"\n"].iter().try_for_each(|part| output.write_all(part))?;
            }
            self.logs[log].file.fill(&self.folder, finished, self.local)?;
        }
        output.flush()
    }

    /// Takes the earliest of the next lines, with whose it is; among equals that of the first log,
    /// so that lines which belong together stay together.
    fn earliest(&mut self) -> Option<(usize, Vec<u8>)> {
        let logs = self.logs.iter_mut().enumerate().filter(|(_, log)| log.file.head.is_some());
        let (index, log) = logs.min_by_key(|(_, log)| log.file.time)?;
        Some((index, log.file.head.take()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is printed of logs with these texts.
    fn printed(texts: &[&str], start: Start) -> String {
        let folder = tempfile::tempdir().unwrap();
        let logs = texts.iter().zip('a'..).map(|(text, name)| {
            fs_err::write(folder.path().join(format!("{name}.log")), text).unwrap();
            let file = LogFile::new(format!("{name}.log"));
            Log { label: format!("{name} | "), file }
        });
        let logs = logs.collect();
        let open = LogFolder::open(folder.path().to_owned()).unwrap();
        let mut output = Vec::new();
        Merged::open(open, logs, start, false).unwrap().print(&mut output, true).unwrap();
        String::from_utf8(output).unwrap()
    }

    fn second(second: u32, text: &str) -> String {
        format!("2026-11-25T09:55:{second:02}Z {text}\n")
    }

    #[test]
    fn lines_come_in_the_order_of_their_times_and_equal_ones_in_that_of_the_logs() {
        let a = second(1, "one") + &second(3, "three") + &second(3, "three again");
        let b = second(2, "two") + &second(3, "three too") + &second(4, "four");
        assert_eq!(
            printed(&[&a, &b], Start::Beginning),
            "a | 2026-11-25T09:55:01Z one\n\
             b | 2026-11-25T09:55:02Z two\n\
             a | 2026-11-25T09:55:03Z three\n\
             a | 2026-11-25T09:55:03Z three again\n\
             b | 2026-11-25T09:55:03Z three too\n\
             b | 2026-11-25T09:55:04Z four\n"
        );
    }

    #[test]
    fn a_continued_line_stays_together() {
        let a = second(2, "panic") + "at a\nat b\n" + &second(9, "on");
        let b = "starting\n".to_owned() + &second(1, "one") + "more\n" + &second(2, "two") + "end";
        for texts in [[&a, &b], [&b, &a]] {
            let printed = printed(&texts.map(String::as_str), Start::Beginning);
            let texts: Vec<&str> = printed.lines().map(|line| &line[4..]).collect();
            let text = texts.join("\n");
            assert!(text.starts_with("starting\n2026-11-25T09:55:01Z one\nmore\n"), "{text}");
            assert!(text.contains("02Z panic\nat a\nat b\n"), "{text}");
            assert!(text.contains("02Z two\nend\n"), "{text}");
        }
    }

    #[test]
    fn lines_of_one_log_keep_their_order_whatever_its_clock_does() {
        let a = second(5, "one") + &second(1, "two") + &second(7, "three");
        let printed = printed(&[&a, &second(6, "other")], Start::Beginning);
        let texts: Vec<&str> = printed.lines().filter_map(|line| line.split(' ').nth(3)).collect();
        assert_eq!(texts, ["one", "two", "other", "three"]);
    }

    #[test]
    fn the_last_lines_of_all_logs_are_shown() {
        let a: String = [1, 3, 5].map(|time| second(time, "x")).concat();
        let b: String = [2, 4, 6].map(|time| second(time, "x")).concat() + "last";
        let all = printed(&[&a, &b], Start::Beginning);
        assert_eq!(all.lines().count(), 7);
        for lines in [0, 1, 2, 3, 6, 7, 8, usize::MAX] {
            let wanted: Vec<&str> = all.lines().collect();
            let wanted = &wanted[wanted.len().saturating_sub(lines)..];
            let shown = printed(&[&a, &b], Start::Last(lines));
            assert_eq!(shown.lines().collect::<Vec<_>>(), wanted, "{lines}");
        }
    }

    #[test]
    fn the_pieces_of_a_line_that_is_too_long_count_among_the_last_lines() {
        let long = second(2, &"x".repeat(3 * super::super::tail::MAX_LINE));
        let (a, b) = (second(1, "one") + &long + &second(3, "three"), second(4, "four"));
        let all = printed(&[&a, &b], Start::Beginning);
        assert_eq!(all.lines().count(), 7);
        for lines in 0..8 {
            let wanted: Vec<&str> = all.lines().collect();
            let wanted = &wanted[wanted.len().saturating_sub(lines)..];
            let shown = printed(&[&a, &b], Start::Last(lines));
            assert!(shown.lines().eq(wanted.iter().copied()), "{lines}: {}", shown.lines().count());
        }
    }

    #[test]
    fn the_last_lines_may_all_continue_one_that_is_not_shown() {
        let a = second(9, "panic") + &"at x\n".repeat(20);
        let b: String = (1..9).map(|time| second(time, "x")).collect();
        assert_eq!(printed(&[&b, &a], Start::Last(5)), "b | at x\n".repeat(5));
    }

    #[test]
    fn arbitrary_bytes_are_printed_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("a.log"), b"\xff\x00\xfe\n").unwrap();
        let open = LogFolder::open(folder.path().to_owned()).unwrap();
        let log = Log { label: "a | ".into(), file: LogFile::new("a.log".into()) };
        let mut merged = Merged::open(open, vec![log], Start::Beginning, false).unwrap();
        let mut output = Vec::new();
        merged.print(&mut output, true).unwrap();
        assert_eq!(output, b"a | \xff\x00\xfe\n");
    }
}
