//! The words of the Ruby within a tag.

/// Why a piece of Ruby is not evaluated.
pub(super) type Reason = &'static str;

/// What is none of the Ruby that fixtures use.
pub(super) const UNKNOWN: Reason = "understood are loops such as `<% for i in 1..3 do %>` … \
    `<% end %>`, arithmetic, times such as `<%= 3.minutes.ago.to_s(:db) %>`, `rjust`, and the MD5 \
    of a JSON dump";

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Integer(i64),
    Float(f64),
    /// A variable, a method, a keyword or a constant, which may have `::` within.
    Name(String),
    /// What stands in quotes.
    Text(String),
    /// Without the colon.
    Symbol(String),
    /// An operator or bracket.
    Sign(&'static str),
}

/// The longest first, where one begins like another.
const SIGNS: &[&str] =
    &["...", "..", "=>", ".", ",", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}"];

/// The words of `source`.
///
/// # Errors
/// When there is something that is none.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Reason> {
    let mut tokens = Vec::new();
    let mut rest = source.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '0'..='9' => number(rest)?,
            '\'' | '"' => quoted(rest, first)?,
            ':' => {
                let (name, after) = name(rest.get(1..).unwrap_or_default());
                (Token::Symbol(name.to_owned()), after)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let (name, after) = path(rest);
                (Token::Name(name.to_owned()), after)
            }
            _ => sign(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn sign(source: &str) -> Result<(Token, &str), Reason> {
    let found = SIGNS.iter().find_map(|sign| Some((Token::Sign(sign), source.strip_prefix(sign)?)));
    found.ok_or(UNKNOWN)
}

/// `source` behind as much of its start as `is_part` holds for, and that start.
fn split(source: &str, is_part: impl Fn(char) -> bool) -> (&str, &str) {
    source.split_at(source.find(|c| !is_part(c)).unwrap_or(source.len()))
}

fn name(source: &str) -> (&str, &str) {
    split(source, |c| c.is_ascii_alphanumeric() || c == '_')
}

/// A name, or several with `::` between them.
fn path(source: &str) -> (&str, &str) {
    let (_, mut after) = name(source);
    while let Some(inner) = after.strip_prefix("::") {
        after = name(inner).1;
    }
    source.split_at(source.len() - after.len())
}

/// A point belongs to a number only if a digit follows: `3.minutes`, `1..60`.
fn number(source: &str) -> Result<(Token, &str), Reason> {
    let (whole, after) = split(source, |c| c.is_ascii_digit());
    let fraction = after.strip_prefix('.').map(|rest| split(rest, |c| c.is_ascii_digit()));
    let (token, after) = match fraction {
        Some((fraction, after)) if !fraction.is_empty() => {
            (format!("{whole}.{fraction}").parse().map(Token::Float).map_err(|_| UNKNOWN)?, after)
        }
        // A zero in front would make it octal.
        _ if whole.len() > 1 && whole.starts_with('0') => return Err(UNKNOWN),
        _ => (whole.parse().map(Token::Integer).map_err(|_| UNKNOWN)?, after),
    };
    match after.chars().next() {
        Some(next) if next.is_ascii_alphanumeric() || next == '_' => Err(UNKNOWN),
        _ => Ok((token, after)),
    }
}

/// Text in quotes of the kind `quote`.
fn quoted(source: &str, quote: char) -> Result<(Token, &str), Reason> {
    let mut text = String::new();
    let mut letters = source.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                let (_, escaped) = letters.next().ok_or(UNKNOWN)?;
                unescape(&mut text, quote, escaped)?;
            }
            // It could be the start of more Ruby.
            '#' if quote == '"' => return Err(UNKNOWN),
            _ if letter == quote => {
                return Ok((Token::Text(text), source.get(at + 1..).unwrap_or_default()));
            }
            _ => text.push(letter),
        }
    }
    Err(UNKNOWN)
}

fn unescape(text: &mut String, quote: char, escaped: char) -> Result<(), Reason> {
    match escaped {
        '\\' | '\'' | '"' if quote == '"' || escaped != '"' => text.push(escaped),
        _ if quote == '\'' => text.extend(['\\', escaped]),
        'n' => text.push('\n'),
        't' => text.push('\t'),
        _ => return Err(UNKNOWN),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_belong_to_numbers_methods_and_ranges() {
        let name = |name: &str| Token::Name(name.to_owned());
        for (source, expected) in [
            ("3.1.minute", vec![Token::Float(3.1), Token::Sign("."), name("minute")]),
            ("1..60", vec![Token::Integer(1), Token::Sign(".."), Token::Integer(60)]),
            ("i.ago", vec![name("i"), Token::Sign("."), name("ago")]),
            ("Digest::MD5.x", vec![name("Digest::MD5"), Token::Sign("."), name("x")]),
        ] {
            assert_eq!(tokens(source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn quotes_and_symbols_are_those_of_ruby() {
        for (source, expected) in [
            (r#""a\n\"b'""#, Token::Text("a\n\"b'".to_owned())),
            (r"'a\n\'b#'", Token::Text(r"a\n'b#".to_owned())),
            (":db", Token::Symbol("db".to_owned())),
        ] {
            assert_eq!(tokens(source), Ok(vec![expected]), "{source}");
        }
    }

    #[test]
    fn what_is_no_word_is_refused() {
        for source in ["`id`", "'open", "'open\\", "\"#{x}\"", "010", "0x1f", "1_000", "$x", "é"] {
            assert_eq!(tokens(source), Err(UNKNOWN), "{source}");
        }
    }
}
