//! `cargo test`: `test a::b ... ok`, and for each test binary `test result: …`.

use std::path::Path;

use super::{Format, Found, number_of, seconds};
use crate::results::Verdict;
use crate::results::count::Count;

/// Tests are named as nextest names them: the binary, a space, and the name in it.
#[derive(Default)]
pub(super) struct Cargo {
    found: Found,
    binary: String,
    /// A test that began, and whose verdict has to come after what it prints.
    begun: Option<String>,
}

impl Format for Cargo {
    fn line(&mut self, line: &str) -> bool {
        if let Some(result) = line.strip_prefix("test result: ") {
            let count = count(result);
            self.found.count += count.unwrap_or_default();
            return count.is_some();
        }
        if let Some((_, binary)) = line.split_once("     Running ") {
            self.binary = binary_name(binary).unwrap_or_default();
        } else if line.starts_with("   Doc-tests ") {
            self.binary.clear();
        } else if let Some((name, said)) =
            line.strip_prefix("test ").and_then(|test| test.split_once(" ... "))
        {
            let name = name.strip_suffix(" - should panic").unwrap_or(name);
            self.begun = Some(format!("{} {name}", self.binary).trim_start().to_owned());
            self.end_test(said);
        } else {
            self.end_test(line);
        }
        false
    }

    fn end(self: Box<Self>) -> Found {
        self.found
    }
}

impl Cargo {
    /// Of the test that has begun, if this is a verdict, with or without a time: `ok <0.001s>`.
    fn end_test(&mut self, said: &str) {
        let (word, rest) = said.split_once([' ', ',']).unwrap_or((said, ""));
        let verdict = match word {
            "ok" => Verdict::Passed,
            "FAILED" => Verdict::Failed,
            "ignored" => Verdict::Skipped,
            _ => return,
        };
        if let Some(name) = self.begun.take() {
            let time = rest.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
            self.found.push(&name, verdict, time.and_then(seconds));
        }
    }
}

/// `ok. 44 passed; 1 failed; 2 ignored; 0 measured; 9 filtered out`.
fn count(result: &str) -> Option<Count> {
    let parts: Vec<&str> = result.split_once(". ")?.1.split("; ").collect();
    let number = |word| parts.iter().find_map(|part| number_of(part, word));
    Some(Count {
        passed: number(" passed")?,
        failed: number(" failed")?,
        skipped: number(" ignored").unwrap_or(0),
    })
}

/// Of `unittests src/lib.rs (target/debug/deps/name-0123456789abcdef)`.
fn binary_name(running: &str) -> Option<String> {
    let path = running.rsplit_once('(')?.1.strip_suffix(')')?;
    let file = Path::new(path).file_name()?.to_str()?;
    Some(file.rsplit_once('-').map_or(file, |(name, _hash)| name).to_owned())
}
