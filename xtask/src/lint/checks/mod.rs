//! One file a check.

pub(super) mod clippy;
pub(super) mod dependencies;
pub(super) mod docs;
pub(super) mod fixtures;
pub(super) mod format;
pub(super) mod lock_file;
pub(super) mod nginx;
pub(super) mod settings;
pub(super) mod shell;
pub(super) mod shellcheck;
pub(super) mod snapshots;
pub(super) mod spelling;
pub(super) mod suites;

/// What cargo says with a place, without the lines that only sum up.
fn diagnostics(stderr: &str) -> Vec<String> {
    let has_place = |line: &&str| {
        let mut parts = line.split(':').skip(1);
        let is_number = |part: Option<&str>| part.is_some_and(|it| it.parse::<u32>().is_ok());
        is_number(parts.next()) && is_number(parts.next())
    };
    let mut lines: Vec<String> = Vec::new();
    for line in stderr.lines().filter(has_place) {
        // A file belongs to a library and to its tests, and is told of for both.
        if !lines.iter().any(|known| known == line) {
            lines.push(line.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_a_place_is_told_and_once() {
        let stderr = "src/a b.rs:1:5: error: unused variable: `x`\n\
                      src/a b.rs:1:5: error: unused variable: `x`\n\
                      error: could not compile `x` (lib) due to 1 previous error\n";
        assert_eq!(diagnostics(stderr), ["src/a b.rs:1:5: error: unused variable: `x`"]);
    }
}
