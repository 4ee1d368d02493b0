//! SQL's `LIKE` as PostgreSQL reads it: it sees case, and a backslash escapes. SQLite's does neither.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

/// Gives a connection the functions `pg_like(text, pattern)` and `pg_ilike(text, pattern)`.
///
/// # Errors
/// Those of the database.
pub(crate) fn install(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    for (name, fold) in [("pg_like", false), ("pg_ilike", true)] {
        db.create_scalar_function(name, 2, flags, move |context| {
            let text: Option<String> = context.get(0)?;
            let pattern: String = context.get(1)?;
            Ok(text.map(|text| matches(&text, &pattern, fold)))
        })?;
    }
    Ok(())
}

/// Whether `pattern` covers all of `text`: `%` stands for anything, `_` for one character.
///
/// With `fold`, upper and lower case are the same.
pub(crate) fn matches(text: &str, pattern: &str, fold: bool) -> bool {
    if fold {
        return matches(&text.to_lowercase(), &pattern.to_lowercase(), false);
    }
    let text: Vec<char> = text.chars().collect();
    let pattern = parse(pattern);
    // Where to go on when the part since the last `%` does not fit: one character later.
    let (mut at, mut piece) = (0, 0);
    let mut retry = None;
    while at < text.len() {
        match pattern.get(piece) {
            Some(Piece::Anything) => {
                retry = Some((piece, at));
                piece += 1;
            }
            Some(Piece::One) => (at, piece) = (at + 1, piece + 1),
            Some(Piece::Exactly(c)) if *c == text[at] => (at, piece) = (at + 1, piece + 1),
            _ => match retry {
                Some((anything, start)) => {
                    retry = Some((anything, start + 1));
                    (at, piece) = (start + 1, anything + 1);
                }
                None => return false,
            },
        }
    }
    pattern[piece..].iter().all(|piece| matches!(piece, Piece::Anything))
}

enum Piece {
    Anything,
    One,
    Exactly(char),
}

fn parse(pattern: &str) -> Vec<Piece> {
    let mut characters = pattern.chars();
    let mut pieces = Vec::new();
    while let Some(c) = characters.next() {
        pieces.push(match c {
            '%' => Piece::Anything,
            '_' => Piece::One,
            '\\' => Piece::Exactly(characters.next().unwrap_or('\\')),
            _ => Piece::Exactly(c),
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_the_whole_text() {
        for (text, pattern, expected) in [
            ("foo", "foo", true),
            ("foo", "fo", false),
            ("foo", "f%", true),
            ("foo", "%o", true),
            ("foo", "%x%", false),
            ("foo", "___", true),
            ("foo", "____", false),
            ("", "%", true),
            ("", "_", false),
            ("a%c", "a\\%c", true),
            ("abc", "a\\%c", false),
            ("aXbXc", "a%X%c", true),
            ("mississippi", "m%iss%ip%i", true),
            ("Foo", "foo", false),
        ] {
            assert_eq!(matches(text, pattern, false), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn folding_is_not_for_ascii_only() {
        assert!(matches("GRÜN", "gr_n", true));
        assert!(matches("GRÜN", "grün", true));
    }
}
