//! How each format sets a variable, and unsets it.

/// The line, or lines, that set a variable to a value, or without one unset it.
///
/// # Errors
/// When the format cannot express it, or the kernel has no random numbers.
pub(super) type Line = fn(name: &str, value: Option<&str>) -> anyhow::Result<String>;

/// For a reader.
pub(super) fn human(name: &str, value: Option<&str>) -> anyhow::Result<String> {
    Ok(value.map_or_else(|| format!("unset {name}"), |value| format!("{name}={value}")))
}

/// For a POSIX shell.
pub(super) fn sh(name: &str, value: Option<&str>) -> anyhow::Result<String> {
    Ok(match value {
        None => format!("unset {name}"),
        Some(value) if !value.is_empty() && is_plain(value) => format!("export {name}={value}"),
        Some(value) => format!("export {name}='{}'", value.replace('\'', r"'\''")),
    })
}

/// For fish. It unsets what the shell itself has: a universal variable is set for good, and the
/// user's.
pub(super) fn fish(name: &str, value: Option<&str>) -> anyhow::Result<String> {
    Ok(value.map_or_else(
        || format!("set -eg {name}"),
        |value| format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
    ))
}

/// For a dotenv file, which cannot unset: there a variable becomes empty, which is as good for all
/// of [`super::REROUTING`].
///
/// What is in single quotes every reader takes as it is, also dollar signs and line ends; of
/// escapes in double quotes each knows its own, so they are left for what cannot be in single
/// quotes.
pub(super) fn dotenv(name: &str, value: Option<&str>) -> anyhow::Result<String> {
    let value = value.unwrap_or_default();
    if is_plain(value) {
        return Ok(format!("{name}={value}"));
    }
    if !value.contains(['\'', '\\', '\r']) {
        return Ok(format!("{name}='{value}'"));
    }
    let mut escaped = String::new();
    for c in value.chars() {
        match c {
            '\n' => escaped.push_str(r"\n"),
            '\r' => escaped.push_str(r"\r"),
            '\\' | '"' | '$' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    Ok(format!("{name}=\"{escaped}\""))
}

/// For the file that `GITHUB_ENV` names, which cannot unset either. A value of several lines ends
/// at a word that nobody who chose the value can have known.
pub(super) fn github(name: &str, value: Option<&str>) -> anyhow::Result<String> {
    let value = value.unwrap_or_default();
    if !value.contains(['\n', '\r']) {
        return Ok(format!("{name}={value}"));
    }
    let end = format!("end_{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?);
    Ok(format!("{name}<<{end}\n{value}\n{end}"))
}

/// For the file that `NEXTEST_ENV` names, which cannot unset either, knows no quotes, and ends a
/// value at the line's end.
pub(super) fn nextest(name: &str, value: Option<&str>) -> anyhow::Result<String> {
    let value = value.unwrap_or_default();
    anyhow::ensure!(!name.starts_with("NEXTEST"), "cargo-nextest keeps {name} for itself");
    anyhow::ensure!(
        !value.contains(['\n', '\r']),
        "cargo-nextest cannot set {name}, whose value has a line end"
    );
    Ok(format!("{name}={value}"))
}

/// Whether a value means the same with and without quotes.
fn is_plain(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(line: Line, value: &str) -> String {
        line("N", Some(value)).unwrap()
    }

    fn unset(line: Line) -> String {
        line("N", None).unwrap()
    }

    #[test]
    fn a_posix_shell_reads_single_quotes_to_the_next_one() {
        assert_eq!(set(sh, "127.0.0.1:8000"), "export N=127.0.0.1:8000");
        assert_eq!(set(sh, "/a b/it's"), r"export N='/a b/it'\''s'");
        assert_eq!(set(sh, "$a \\ `b` \"c\"\nd"), "export N='$a \\ `b` \"c\"\nd'");
        assert_eq!(set(sh, ""), "export N=''");
        assert_eq!(unset(sh), "unset N");
    }

    #[test]
    fn fish_knows_two_escapes_in_single_quotes() {
        assert_eq!(set(fish, "a"), "set -gx N 'a'");
        assert_eq!(set(fish, r"it's \ $a"), r"set -gx N 'it\'s \\ $a'");
        assert_eq!(set(fish, "a\nb"), "set -gx N 'a\nb'");
        assert_eq!(set(fish, ""), "set -gx N ''");
        assert_eq!(unset(fish), "set -eg N");
    }

    #[test]
    fn dotenv_has_double_quotes_only_where_single_ones_will_not_do() {
        assert_eq!(set(dotenv, "127.0.0.1:8000"), "N=127.0.0.1:8000");
        assert_eq!(set(dotenv, "http://[::1]:8000"), "N='http://[::1]:8000'");
        assert_eq!(set(dotenv, "$a \"b\" #\nc"), "N='$a \"b\" #\nc'");
        assert_eq!(set(dotenv, "it's $a"), r#"N="it's \$a""#);
        assert_eq!(set(dotenv, "\\ \"\n\r"), r#"N="\\ \"\n\r""#);
        assert_eq!(unset(dotenv), "N=");
    }

    #[test]
    fn nextest_takes_all_that_is_in_one_line_as_it_is() {
        assert_eq!(set(nextest, r#" it's "a" $b \ # = "#), r#"N= it's "a" $b \ # = "#);
        assert_eq!(unset(nextest), "N=");
        assert!(nextest("N", Some("a\nb")).is_err());
        assert!(nextest("NEXTEST_N", Some("a")).is_err());
    }

    #[test]
    fn github_has_no_quotes_and_ends_a_value_of_several_lines_at_a_random_word() {
        assert_eq!(set(github, r#"it's "a" $b \"#), r#"N=it's "a" $b \"#);
        assert_eq!(unset(github), "N=");
        let (one, other) = (set(github, "a\nb"), set(github, "a\nb"));
        let lines: Vec<&str> = one.lines().collect();
        let [first, "a", "b", last] = lines[..] else { panic!("{one}") };
        assert_eq!(first, format!("N<<{last}"));
        assert_ne!(one, other);
    }
}
