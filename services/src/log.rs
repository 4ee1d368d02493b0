//! Lines for whoever reads a service's log: standard error.
//!
//! `eprintln!` panics where the log cannot be written, say, on a full disk. A service goes on then.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes `line` and a line feed to the log, if that is possible.
pub(crate) fn line(line: impl Display) {
    write_to(&mut io::stderr().lock(), line);
}

/// One write for the whole line, so that those of several processes do not mix.
fn write_to(log: &mut impl Write, line: impl Display) {
    // There is nowhere else to tell that the log cannot be written.
    let _ = log.write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FullDisk;

    impl Write for FullDisk {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn a_line_is_written_whole() {
        let mut log = Vec::new();
        write_to(&mut log, format_args!("keepstore: {}", 1));
        assert_eq!(log, b"keepstore: 1\n");
    }

    #[test]
    fn a_log_that_cannot_be_written_stops_nothing() {
        write_to(&mut FullDisk, "lost");
    }
}
