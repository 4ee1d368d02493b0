//! The text in what a program has printed for a terminal.

/// Without colours and other orders to a terminal, and without control characters but line ends and
/// tabs; bytes that are no UTF-8 are replaced.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains(|c: char| is_control(c)) {
        return text.into_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(start) = rest.find(is_control) {
        plain.push_str(&rest[..start]);
        rest = match rest[start..].strip_prefix('\u{1b}') {
            Some(order) => after_order(order),
            None => rest[start..].trim_start_matches(is_control_but_escape),
        };
    }
    plain.push_str(rest);
    plain
}

fn is_control(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

fn is_control_but_escape(c: char) -> bool {
    is_control(c) && c != '\u{1b}'
}

/// What comes after an order to the terminal, of which the escape character was read already. One
/// that does not end is all that is left of its line.
fn after_order(order: &str) -> &str {
    let line = order.split('\n').next().unwrap_or_default();
    let length = match line.chars().next() {
        // A colour, a position: parameters, and a letter.
        Some('[') => line[1..].find(|c| ('@'..='~').contains(&c)).map(|at| at + 2),
        // A title, a link.
        Some(']') => line.find('\u{7}').map(|at| at + 1).or(line.find("\u{1b}\\").map(|at| at + 2)),
        Some(c) => Some(c.len_utf8()),
        None => Some(0),
    };
    &order[length.unwrap_or(line.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_left() {
        for (printed, expected) in [
            ("a\tb\nc", "a\tb\nc"),
            ("\u{1b}[1m\u{1b}[92m  ok\u{1b}[0m ü", "  ok ü"),
            ("\u{1b}[38;5;196mred\u{1b}[K\r\n", "red\n"),
            ("\u{1b}]0;title\u{7}a\u{1b}]8;;http://x/\u{1b}\\link\u{1b}]8;;\u{1b}\\", "alink"),
            ("a\u{0}\u{8}\u{7f}\u{85}b", "ab"),
            ("\u{1b}", ""),
            ("\u{1b}\u{1b}[1mx", "[1mx"),
            ("cut \u{1b}[38;5\nnext", "cut \nnext"),
            ("cut \u{1b}]0;title\nnext", "cut \nnext"),
            ("\u{1b}ü\u{1b}[ü", ""),
        ] {
            assert_eq!(plain(printed.as_bytes()), expected, "{printed:?}");
        }
        assert_eq!(plain(b"a\xff\xfeb"), "a\u{fffd}\u{fffd}b");
    }
}
