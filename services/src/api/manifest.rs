//! Manifests: the text that lists a collection's directories ("streams"), blocks and files.
//!
//! A line is a stream name, one locator or more, and one file segment `position:length:name` or
//! more, separated by single spaces; `\040` in a name is a space. A locator need not have a size. What
//! is accepted is what the API server of Arvados 3.2 accepts.

use std::collections::HashSet;

use md5::{Digest, Md5};

use crate::locator::Locator;
use crate::signature::to_hex;

/// Why a text is no manifest.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Manifest invalid for stream {line}: {what}")]
pub(crate) struct Malformed {
    /// The number of the line, from 1.
    line: usize,
    what: &'static str,
}

/// What a manifest's files come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileTotals {
    /// Different paths.
    pub(crate) count: u64,
    /// Bytes in all of them.
    pub(crate) size: u64,
}

/// Checks that `text` is a manifest.
///
/// # Errors
/// Names the first line that is wrong.
pub(crate) fn validate(text: &str) -> Result<(), Malformed> {
    if text.is_empty() {
        return Ok(());
    }
    let Some(lines) = text.strip_suffix('\n') else {
        let line = text.split('\n').count();
        let what = "missing newline at the end";
        return Err(Malformed { line, what });
    };
    for (number, line) in lines.split('\n').enumerate() {
        check_line(line).map_err(|what| Malformed { line: number + 1, what })?;
    }
    Ok(())
}

fn check_line(line: &str) -> Result<(), &'static str> {
    let mut tokens = line.split(' ');
    if !is_stream_name(tokens.next().unwrap_or_default()) {
        return Err("missing or invalid stream name");
    }
    let mut tokens = tokens.peekable();
    let mut locators = 0;
    while tokens.next_if(|token| Locator::parse(token).is_some()).is_some() {
        locators += 1;
    }
    if locators == 0 {
        return Err("missing or invalid locator");
    }
    if tokens.peek().is_none() {
        return Err("missing or invalid file name");
    }
    if tokens.all(|token| file_segment(token).is_some_and(|file| is_file(&file))) {
        Ok(())
    } else {
        Err("invalid file token")
    }
}

/// A file has a path; one of no bytes may be called `.`, which holds a folder that is empty.
fn is_file(file: &FileSegment<'_>) -> bool {
    let holds_folder = (file.position, file.length) == (0, 0) && unescape(file.name) == ".";
    holds_folder || is_path(file.name)
}

fn is_stream_name(name: &str) -> bool {
    name == "." || name.strip_prefix("./").is_some_and(is_path)
}

/// Whether `path` is one or more names, none of them empty, `.` or `..`.
fn is_path(path: &str) -> bool {
    let no_control = !path.chars().any(|c| c.is_whitespace() || c.is_control());
    no_control && path.split('/').all(|name| !matches!(unescape(name).as_str(), "" | "." | ".."))
}

/// Replaces `\ooo` by the byte with that octal number.
pub(crate) fn unescape(name: &str) -> String {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.extend(before.bytes());
        let octal = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(octal.unwrap_or(b'\\'));
        rest = match octal {
            Some(_) => after.get(3..).unwrap_or_default(),
            None => after,
        };
    }
    plain.extend(rest.bytes());
    String::from_utf8(plain).unwrap_or_else(|error| {
        // Names are texts everywhere else: what is none is shown as well as it can be.
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    })
}

/// What a token `position:length:name` says of a file.
pub(crate) struct FileSegment<'a> {
    /// Where in the blocks of its stream it begins, in bytes.
    pub(crate) position: u64,
    /// Its bytes.
    pub(crate) length: u64,
    /// The name, as it is written.
    pub(crate) name: &'a str,
}

/// Reads `position:length:name`.
pub(crate) fn file_segment(token: &str) -> Option<FileSegment<'_>> {
    let mut parts = token.splitn(3, ':');
    let mut number = || {
        let digits = parts.next()?;
        let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        only_digits.then(|| digits.parse().ok())?
    };
    let (position, length) = (number()?, number()?);
    Some(FileSegment { position, length, name: parts.next()? })
}

/// Counts the files of a manifest; of a text that is none, whatever looks like files.
pub(crate) fn file_totals(text: &str) -> FileTotals {
    let mut paths = HashSet::new();
    let mut size = 0_u64;
    for line in text.lines() {
        let mut tokens = line.split(' ');
        let stream = tokens.next().unwrap_or_default();
        for FileSegment { length, name, .. } in tokens.filter_map(file_segment) {
            size = size.saturating_add(length);
            if unescape(name) != "." {
                paths.insert((stream, name));
            }
        }
    }
    let count = paths.len() as u64;
    FileTotals { count, size }
}

/// The text with every locator replaced by what `replace` makes of it.
///
/// # Errors
/// The first one of `replace`.
pub(crate) fn try_map_locators<E>(
    text: &str,
    mut replace: impl FnMut(&Locator<'_>, &str) -> Result<String, E>,
) -> Result<String, E> {
    let mut mapped = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (tokens, end) = match line.strip_suffix('\n') {
            Some(tokens) => (tokens, "\n"),
            None => (line, ""),
        };
        for (position, token) in tokens.split(' ').enumerate() {
            if position > 0 {
                mapped.push(' ');
            }
            match Locator::parse(token).filter(|_| position > 0) {
                Some(locator) => mapped.push_str(&replace(&locator, token)?),
                None => mapped.push_str(token),
            }
        }
        mapped.push_str(end);
    }
    Ok(mapped)
}

/// As [`try_map_locators`], with a `replace` that cannot fail.
pub(crate) fn map_locators(
    text: &str,
    mut replace: impl FnMut(&Locator<'_>, &str) -> String,
) -> String {
    let mapped: Result<_, std::convert::Infallible> =
        try_map_locators(text, |locator, token| Ok(replace(locator, token)));
    match mapped {
        Ok(mapped) => mapped,
        Err(never) => match never {},
    }
}

/// The text without permission signatures; other hints stay.
pub(crate) fn without_signatures(text: &str) -> String {
    map_locators(text, |_, token| unsigned(token))
}

/// A locator's text without its permission hints.
pub(crate) fn unsigned(locator: &str) -> String {
    let parts = locator.split('+').filter(|part| !part.starts_with('A'));
    parts.collect::<Vec<_>>().join("+")
}

/// The MD5 of the text with all locators cut to hash and size, `+`, and its length.
pub(crate) fn portable_data_hash(text: &str) -> String {
    let portable = map_locators(text, |locator, _| match locator.size {
        Some(size) => format!("{}+{size}", locator.hash),
        None => locator.hash.to_owned(),
    });
    let hash = to_hex(&Md5::digest(portable.as_bytes()));
    format!("{hash}+{}", portable.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8+3";

    #[test]
    fn the_hash_of_foo_is_the_well_known_one_whatever_its_hints() {
        for hints in ["", "+Aabc@123", "+Kzzzzz+Aabc@123"] {
            let text = format!(". {FOO}{hints} 0:3:foo\n");
            assert_eq!(portable_data_hash(&text), "1f4b0bc7583c2a7f9102c395f4ffc5e3+45");
        }
        assert_eq!(portable_data_hash(""), "d41d8cd98f00b204e9800998ecf8427e+0");
    }

    #[test]
    fn signatures_go_and_other_hints_stay() {
        let text = format!(". {FOO}+Aabc@123+Kzzzzz 0:3:foo\n");
        let expected = format!(". {FOO}+Kzzzzz 0:3:foo\n");
        assert_eq!(without_signatures(&text), expected);
    }

    #[test]
    fn good_manifests_are_accepted() {
        for text in [
            String::new(),
            format!(". {FOO} 0:3:foo\n"),
            format!("./a/b {FOO} {FOO}+Ax@1 0:1:x 1:2:y:z 2:4:d/e\n"),
            format!(". {FOO} 0:3:Hello\\040world.txt\n./... {FOO} 0:0:...\n"),
            format!("./a {FOO} 0:0:.\n./a/b {FOO} 0:0:\\056\n"),
            ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:.\n".to_owned(),
            "./a d41d8cd98f00b204e9800998ecf8427e+0 0:0:\\056\n".to_owned(),
            ". acbd18db4cc2f85cedef654fccc4a4d8 0:3:foo\n".to_owned(),
        ] {
            assert_eq!(validate(&text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn bad_manifests_are_refused_with_the_line() {
        for (text, line) in [
            (format!(". {FOO} 0:3:foo"), 1),
            (format!(". {FOO} 0:3:foo\n\n"), 2),
            (format!(" {FOO} 0:3:foo\n"), 1),
            (format!("a {FOO} 0:3:foo\n"), 1),
            (format!("./a/../b {FOO} 0:3:foo\n"), 1),
            (format!("./a//b {FOO} 0:3:foo\n"), 1),
            (". 0:3:foo\n".to_owned(), 1),
            (format!(". {FOO}\n"), 1),
            (format!(". {FOO}  0:3:foo\n"), 1),
            (format!(". {FOO} 0:3:\n"), 1),
            (format!(". {FOO} 0:-3:foo\n"), 1),
            (format!(". {FOO} 0:3:foo {FOO}\n"), 1),
            (format!(". {FOO} 0:3:\\056\\056\n"), 1),
            (format!(". {FOO} 0:3:.\n./a {FOO} 0:0:.\n"), 1),
            (format!("./a {FOO} 0:0:b/.\n"), 1),
            (format!(". {FOO} 0:3:\\056\n"), 1),
            (". acbd18db4cc2f85cedef654fccc4a4d 0:3:foo\n".to_owned(), 1),
            (format!(". {FOO} 0:3:foo\n./x {FOO} 0:99999999999999999999:f\n"), 2),
        ] {
            assert_eq!(validate(&text).unwrap_err().line, line, "{text:?}");
        }
    }

    #[test]
    fn files_are_counted_once_and_their_segments_summed() {
        let text = format!(". {FOO} 0:1:a 1:2:a 0:3:b\n./d {FOO} 0:3:a 0:0:.\n");
        let expected = FileTotals { count: 3, size: 9 };
        assert_eq!(file_totals(&text), expected);
    }
}
