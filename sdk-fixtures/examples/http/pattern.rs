//! Expected text, in which parts may stand for what varies from run to run.

/// One part of an expected text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// These characters.
    Literal(String),
    /// Any characters, or none.
    Any,
    /// One decimal digit or more.
    Digits,
    /// So many lower-case hexadecimal digits.
    Hex(usize),
}

/// Whether all of `text` is as the parts say.
pub(crate) fn matches(parts: &[Part], text: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    match first {
        Part::Literal(literal) => {
            text.strip_prefix(literal.as_str()).is_some_and(|text| matches(rest, text))
        }
        Part::Any => {
            let ends = text.char_indices().map(|(end, _)| end).chain([text.len()]);
            ends.into_iter().any(|end| matches(rest, &text[end..]))
        }
        Part::Digits => {
            let tail = text.trim_start_matches(|c: char| c.is_ascii_digit());
            tail.len() < text.len() && matches(rest, tail)
        }
        Part::Hex(count) => text.split_at_checked(*count).is_some_and(|(head, tail)| {
            head.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                && matches(rest, tail)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_stands_for_what_it_says_and_no_more() {
        let literal = |text: &str| Part::Literal(text.to_owned());
        let signed = [literal("abc+3+A"), Part::Hex(4), literal("@"), Part::Digits];
        assert!(matches(&signed, "abc+3+A09af@12"));
        for other in ["abc+3+A09a@12", "abc+3+A09ag@12", "abc+3+A09af@", "abc+3+A09af@12 "] {
            assert!(!matches(&signed, other), "{other}");
        }
        let ended = [Part::Any, literal("é\n")];
        assert!(matches(&ended, "éé\n") && matches(&ended, "é\n"));
        assert!(!matches(&ended, "é"));
        assert!(matches(&[], "") && !matches(&[], "x"));
    }
}
