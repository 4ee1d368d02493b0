//! Pieces of SQL conditions, with the parameters that belong to them.

use rusqlite::types::Value as Sql;

/// A condition on rows: its text has a `?` for each parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    /// The SQL text, which can stand among `AND`s.
    pub(crate) sql: String,
    /// What its question marks stand for.
    pub(crate) parameters: Vec<Sql>,
}

impl Condition {
    /// A condition without parameters.
    pub(crate) fn plain(sql: impl Into<String>) -> Self {
        Self::new(sql, [])
    }

    /// A condition with parameters.
    pub(crate) fn new(sql: impl Into<String>, parameters: impl IntoIterator<Item = Sql>) -> Self {
        Self { sql: sql.into(), parameters: parameters.into_iter().collect() }
    }

    /// `column` is this text.
    pub(crate) fn equals(column: &str, text: &str) -> Self {
        Self::new(format!("{column} = ?"), [Sql::Text(text.to_owned())])
    }

    /// `column` is one of these texts.
    pub(crate) fn one_of<T: serde::Serialize>(column: &str, texts: &[T]) -> Self {
        let list = serde_json::json!(texts).to_string();
        Self::new(format!("{column} IN (SELECT value FROM json_each(?))"), [Sql::Text(list)])
    }

    /// All of them hold; with none, always.
    pub(crate) fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(conditions, " AND ", "TRUE")
    }

    /// At least one of them holds; with none, never.
    pub(crate) fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(conditions, " OR ", "FALSE")
    }

    /// Whether it holds of everything, as can be seen.
    pub(crate) fn is_always(&self) -> bool {
        self.sql == "TRUE"
    }

    /// It does not hold, or cannot be told because of a null.
    pub(crate) fn negated(self) -> Self {
        if self.sql == "FALSE" {
            return Self::all([]);
        }
        Self { sql: format!("({}) IS NOT TRUE", self.sql), ..self }
    }

    /// The same for rows that are found in another way: it is checked of each, and no index leads to
    /// those for which it holds.
    pub(crate) fn checked(self) -> Self {
        Self { sql: format!("({}) IS TRUE", self.sql), ..self }
    }

    fn joined(conditions: impl IntoIterator<Item = Self>, by: &str, none: &str) -> Self {
        let mut texts: Vec<String> = Vec::new();
        let mut parameters = Vec::new();
        for condition in conditions.into_iter().filter(|condition| condition.sql != none) {
            texts.push(condition.sql);
            parameters.extend(condition.parameters);
        }
        match texts.is_empty() {
            true => Self::plain(none),
            false => Self::new(nested(&texts, by), parameters),
        }
    }
}

/// The texts as a tree, since SQLite takes no chain of more than a thousand.
fn nested(texts: &[String], by: &str) -> String {
    match texts {
        [] => String::new(),
        [only] => only.clone(),
        _ => {
            let (left, right) = texts.split_at(texts.len() / 2);
            format!("({}{by}{})", nested(left, by), nested(right, by))
        }
    }
}
