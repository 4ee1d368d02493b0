//! SQL's `LIKE` as PostgreSQL reads it: it sees case, and a backslash escapes. SQLite's does neither.

use std::borrow::Cow;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::FromSqlResult;

/// Gives a connection the functions `pg_like(text, pattern)` and `pg_ilike(text, pattern)`.
///
/// # Errors
/// Those of the database.
pub(crate) fn install(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    for (name, fold) in [("pg_like", false), ("pg_ilike", true)] {
        db.create_scalar_function(name, 2, flags, move |context| {
            // Of a query it is the same for all rows.
            let pattern = context.get_or_create_aux(1, |pattern| -> FromSqlResult<_> {
                Ok(Pattern::parse(pattern.as_str()?, fold))
            })?;
            let text = context.get_raw(0).as_str_or_null()?;
            Ok(text.map(|text| pattern.covers(text)))
        })?;
    }
    Ok(())
}

/// `%` stands for anything, `_` for one character.
struct Pattern {
    pieces: Vec<Piece>,
    /// Upper and lower case are the same.
    fold: bool,
}

#[derive(PartialEq)]
enum Piece {
    Anything,
    One,
    Exactly(char),
}

impl Pattern {
    fn parse(pattern: &str, fold: bool) -> Self {
        let pattern = if fold { pattern.to_lowercase().into() } else { Cow::from(pattern) };
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
        Self { pieces, fold }
    }

    /// Whether it is all of `text`.
    fn covers(&self, text: &str) -> bool {
        match self.fold {
            true => self.fits(&text.to_lowercase()),
            false => self.fits(text),
        }
    }

    fn fits(&self, text: &str) -> bool {
        let (mut rest, mut piece) = (text.chars(), 0);
        // Where to go on when the part since the last `%` does not fit: one character later.
        let mut retry = None;
        loop {
            let here = rest.clone();
            let Some(c) = rest.next() else {
                return self.pieces[piece..].iter().all(|piece| *piece == Piece::Anything);
            };
            match self.pieces.get(piece) {
                Some(Piece::Anything) if piece + 1 == self.pieces.len() => return true,
                Some(Piece::Anything) => {
                    piece += 1;
                    retry = Some((piece, here.clone()));
                    rest = here;
                }
                Some(Piece::One) => piece += 1,
                Some(Piece::Exactly(wanted)) if *wanted == c => piece += 1,
                _ => match &mut retry {
                    Some((behind, start)) => {
                        start.next();
                        (rest, piece) = (start.clone(), *behind);
                    }
                    None => return false,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, pattern: &str, fold: bool) -> bool {
        Pattern::parse(pattern, fold).covers(text)
    }

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
            ("grün", "gr_n", true),
            ("ünder", "%nd%", true),
            ("abab", "%ab", true),
            ("abc", "%%", true),
            ("abc", "abc%%", true),
            ("a\\", "a\\", true),
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
