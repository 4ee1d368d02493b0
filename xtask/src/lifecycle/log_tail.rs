//! The end of a log, for a message that says why a service is not there.

use std::path::Path;

use crate::logs::tail::read_before;

/// How much of the end of the file is looked at.
const BYTES: u64 = 8192;

/// The last `lines` lines of the file, indented; a sentence if there are none.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = read_end(path).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    if all.is_empty() {
        return format!("its log {} is empty", path.display());
    }
    let last = &all[all.len().saturating_sub(lines)..];
    format!("the end of its log, {}:\n  {}", path.display(), last.join("\n  "))
}

fn read_end(path: &Path) -> std::io::Result<String> {
    let file = std::fs::File::open(path)?;
    let bytes = read_before(&file, file.metadata()?.len(), BYTES)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "one\ntwo\nthree\n").unwrap();
        assert!(tail(file.path(), 2).ends_with(":\n  two\n  three"));
    }

    #[test]
    fn an_empty_or_missing_log_is_said_to_be_empty() {
        assert_eq!(tail(Path::new("/nowhere"), 2), "its log /nowhere is empty");
    }
}
