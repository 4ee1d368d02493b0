//! The search for words of 2015, `["any", "@@", "some words:*"]`.
//!
//! Words are compared as they are written, but for their case. PostgreSQL, which the real server
//! leaves this to, also takes forms of one English word for the same.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::condition::Condition;
use super::error::{Result, unprocessable};
use super::resource::Resource;
use crate::era::Era;
use crate::era::api::FILTERS_LOOK_FOR_WORDS;

/// Gives a connection the function `has_words(text, query)`.
///
/// # Errors
/// Those of the database.
pub(crate) fn install(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("has_words", 2, flags, |context| {
        let (text, query): (String, String) = (context.get(0)?, context.get(1)?);
        Ok(has_words(&text, &query))
    })
}

/// The condition that the texts of an object together have all the words of `operand`.
///
/// # Errors
/// When there is no such search, or not of one attribute, or not for what is no text.
pub(crate) fn condition(
    resource: &Resource,
    era: Era,
    attribute: &Value,
    operand: &Value,
) -> Result<Condition> {
    if !FILTERS_LOOK_FOR_WORDS.of(era) {
        return Err(unprocessable("Full text search operator is no longer supported"));
    }
    if attribute != "any" {
        return Err(unprocessable("Full text search on individual columns is not supported"));
    }
    let Value::String(query) = operand else {
        return Err(unprocessable("Full text search not supported for operands that are no text"));
    };
    let texts = resource.attributes(era).filter(|attribute| attribute.searchable());
    let all: Vec<_> = texts.map(|text| format!("coalesce({}, '')", text.name)).collect();
    let sql = format!("has_words({}, ?)", all.join(" || ' ' || "));
    Ok(Condition::new(sql, [Sql::Text(query.clone())]))
}

/// Whether every term of `query` (separated by blanks) is in `text`. A term is a word, `word:*` for
/// what begins with it, `!term` for one that must not be there, or several with `|` between them.
fn has_words(text: &str, query: &str) -> bool {
    let words = words(text);
    query.split_whitespace().all(|term| term.split('|').any(|term| has_term(&words, term)))
}

fn has_term(words: &[String], term: &str) -> bool {
    if let Some(unwanted) = term.strip_prefix('!') {
        return !has_term(words, unwanted);
    }
    let (term, is_start) = term.strip_suffix(":*").map_or((term, false), |term| (term, true));
    self::words(term).iter().all(|wanted| {
        words.iter().any(|word| word == wanted || (is_start && word.starts_with(wanted.as_str())))
    })
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_terms_have_to_be_there() {
        let text = "The quick brown-Fox, of collection_1";
        for (query, expected) in [
            ("quick", true),
            ("QUICK fox", true),
            ("quick dog", false),
            ("qui", false),
            ("qui:*", true),
            ("!dog", true),
            ("!fox quick", false),
            ("dog|fox", true),
            ("brown-fox", true),
            ("collection_1", true),
            ("", true),
        ] {
            assert_eq!(has_words(text, query), expected, "{query:?}");
        }
    }
}
